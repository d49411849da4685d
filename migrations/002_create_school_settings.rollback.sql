-- Takes back 002_create_school_settings.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP FUNCTION school_today();
DROP TABLE school_settings;
DROP FUNCTION check_time_zone();
