-- Takes back 032_reserve_sign_in_attempts.

SET lock_timeout = '5s';
SET statement_timeout = '1min';

DROP FUNCTION sign_in_throttle_at(sign_in_throttles, timestamptz, double precision, timestamptz);
ALTER TABLE sign_in_throttles DROP COLUMN in_flight;
