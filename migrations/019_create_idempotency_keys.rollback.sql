-- Takes back 019_create_idempotency_keys.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE OR REPLACE FUNCTION school_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (now() AT TIME ZONE coalesce((SELECT time_zone FROM school_settings), 'UTC'))::date
$$;
DROP FUNCTION school_now();
DROP TABLE idempotency_keys;
