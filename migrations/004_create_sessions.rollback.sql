-- Takes back 004_create_sessions.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TRIGGER users_end_sessions ON users;
DROP FUNCTION end_sessions_of_deactivated();
DROP TRIGGER users_announce_revocation ON users;
DROP TABLE sign_in_throttles;
DROP TABLE password_resets;
DROP TABLE service_tokens;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
DROP FUNCTION announce_revocation();
