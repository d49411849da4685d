-- Takes back 031_index_a_students_grades_by_day.
-- transactional: false

SET lock_timeout = '5s';
SET statement_timeout = '5min';

DROP INDEX CONCURRENTLY IF EXISTS grades_student_id_assessment_date_idx;
