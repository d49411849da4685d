-- Takes back 006_create_teachers.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE teachers;
DROP FUNCTION copy_sort_key();
