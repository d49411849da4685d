-- What a row said at an earlier moment: the present row, with every change since then taken back.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The values that this row had at a moment where they are other than now: of several changes since, the first one's old value holds.
-- Changes of one moment (a transaction's) follow one another by their ids, which are made in time order.
CREATE FUNCTION past_values(of_table text, of_record uuid, moment timestamptz) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(was.key, was.value ORDER BY l.created_at DESC, l.id DESC), '{}')
    FROM audit_logs l, jsonb_each(l.old_values) AS was
    WHERE l.table_name = of_table AND l.record_id = of_record AND l.action = 'UPDATE' AND l.created_at > moment
$$;

-- Before PostgreSQL 18 uuidv7() is ours (001): within a millisecond its ids now follow the clock's microseconds, as PostgreSQL 18's do
-- (RFC 9562, 6.2, method 3: the 12 bits after the version hold the fraction of the millisecond).
DO $do$
BEGIN
    IF to_regprocedure('pg_catalog.uuidv7()') IS NULL THEN
        EXECUTE $ddl$
            CREATE OR REPLACE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $fn$
                SELECT encode(
                    overlay(
                        overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(t.micros / 1000) FROM 3) FROM 1 FOR 6)
                        PLACING substring(int8send(28672 + (t.micros % 1000) * 4096 / 1000) FROM 7) FROM 7 FOR 2),
                    'hex')::uuid
                FROM (SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS micros) AS t
            $fn$
        $ddl$;
    END IF;
END
$do$;
