-- Takes back 013_create_assessments.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE assessments;
DROP TABLE grading_scale_bounds;
DROP TABLE grading_scales;
DROP FUNCTION check_scale_starts_at_zero();
