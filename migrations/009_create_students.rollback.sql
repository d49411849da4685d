-- Takes back 009_create_students.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE student_class_history;
DROP TABLE students;
DROP FUNCTION count_enrollment();
DROP FUNCTION follow_class_history();
DROP FUNCTION copy_class_year();
