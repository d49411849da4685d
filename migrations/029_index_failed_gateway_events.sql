-- A payment that comes after its refund finds it: what could not be booked, by the payment that it is about.
-- transactional: false

SET lock_timeout = '5s';
SET statement_timeout = '30min';

-- What a broken build left behind is not used, and would be taken for built by IF NOT EXISTS.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace AND c.relname = 'gateway_events_failed_idx')
    THEN
        DROP INDEX gateway_events_failed_idx;
    END IF;
END
$do$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS gateway_events_failed_idx ON gateway_events (gateway, (facts ->> 'payment')) WHERE state = 'FAILED';
