-- The format of this file: README.md in this folder.

-- name: largest_tables
-- The ten largest tables, with their indexes; rows are PostgreSQL's estimate.
SELECT c.relname::text AS table, pg_total_relation_size(c.oid) AS total_bytes, pg_table_size(c.oid) AS table_bytes,
    pg_indexes_size(c.oid) AS index_bytes, greatest(c.reltuples, 0)::bigint AS rows
FROM pg_class c
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
ORDER BY total_bytes DESC, c.relname
LIMIT 10

-- name: most_used_indexes
-- The ten indexes that were scanned most since the statistics were reset.
SELECT i.indexrelname::text AS index, i.relname::text AS table, i.idx_scan AS scans, i.idx_tup_read AS tuples_read,
    pg_relation_size(i.indexrelid) AS size_bytes
FROM pg_stat_user_indexes i
WHERE i.schemaname = 'public'
ORDER BY i.idx_scan DESC, i.indexrelname
LIMIT 10

-- name: connection_activity
-- What the connections to this server are doing, and how many it allows.
SELECT count(*) AS total,
    count(*) FILTER (WHERE a.state = 'active') AS active,
    count(*) FILTER (WHERE a.state = 'idle') AS idle,
    count(*) FILTER (WHERE a.state LIKE 'idle in transaction%') AS idle_in_transaction,
    current_setting('max_connections')::integer AS max
FROM pg_stat_activity a
WHERE a.backend_type = 'client backend'

-- name: cache_hit_ratio
-- Of the blocks that were read in this database, which part was in PostgreSQL's memory; null before any was.
SELECT round(d.blks_hit::numeric / nullif(d.blks_hit + d.blks_read, 0), 4)::double precision AS ratio
FROM pg_stat_database d
WHERE d.datname = current_database()
