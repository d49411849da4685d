-- Takes back 010_create_guardians.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TRIGGER users_spread_sort_key ON users;
DROP FUNCTION spread_sort_key();
DROP TABLE guardian_students;
DROP TABLE guardians;
