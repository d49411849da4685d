-- Takes back 005_create_academic_years.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE holidays;
DROP TABLE semesters;
DROP TABLE academic_years;
DROP FUNCTION check_year_holds_its_parts();
DROP FUNCTION check_inside_year();
