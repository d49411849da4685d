-- Takes back 008_create_classes.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE class_subjects;
DROP FUNCTION check_same_year();
DROP TABLE classes;
