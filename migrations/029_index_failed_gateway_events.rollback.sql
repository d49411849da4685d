-- Takes back 029_index_failed_gateway_events.
-- transactional: false

SET lock_timeout = '5s';
SET statement_timeout = '5min';

DROP INDEX CONCURRENTLY IF EXISTS gateway_events_failed_idx;
