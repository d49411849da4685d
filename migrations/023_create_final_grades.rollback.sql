-- Takes back 023_create_final_grades.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TRIGGER semesters_window ON semesters;
DROP FUNCTION check_window_stays_closed();
DROP TRIGGER grades_lock_insert ON grades;
DROP TRIGGER grades_lock_update ON grades;
DROP TRIGGER grades_lock_delete ON grades;
DROP TRIGGER assessments_lock_insert ON assessments;
DROP TRIGGER assessments_lock_update ON assessments;
DROP TRIGGER assessments_lock_delete ON assessments;
DROP FUNCTION refuse_locked_marks();
DROP TABLE final_grades;
DROP FUNCTION copy_posting();
DROP TABLE grade_reopenings;
DROP TABLE grade_postings;
DROP FUNCTION number_posting();
DROP FUNCTION marks_lock(uuid, uuid, uuid);
