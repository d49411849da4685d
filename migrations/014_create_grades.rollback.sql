-- Takes back 014_create_grades.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TRIGGER assessments_spread ON assessments;
DROP FUNCTION spread_assessment();
DROP TABLE grades;
DROP FUNCTION copy_assessment();
