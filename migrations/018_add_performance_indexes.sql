-- The indexes: every line of the seed's list that no key or constraint makes, then what the domain adds.
-- transactional: false

-- The kind of each is chosen on a school of 3 million marks and 2 million grades (docs/decisions/004-kinds-of-indexes.md): partial where only the
-- rare rows are looked for, BRIN where rows arrive in the column's order, hash where only equality is asked, deduplicated B-trees elsewhere,
-- above all where a list is paged in the column's order.

SET lock_timeout = '5s';
SET statement_timeout = '30min';

-- What a broken build left behind is not used, costs writes, and would be taken for built by IF NOT EXISTS.
DO $do$
DECLARE
    broken record;
BEGIN
    FOR broken IN SELECT i.indexrelid::regclass AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace AND c.relname LIKE '%\_idx'
    LOOP
        EXECUTE format('DROP INDEX %s', broken.name);
    END LOOP;
END
$do$;

-- users
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_role_idx ON users (role);
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_is_active_idx ON users (is_active) WHERE NOT is_active;
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_role_is_active_idx ON users (role, is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_first_name_idx ON users (lower(first_name) text_pattern_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_last_name_idx ON users (lower(last_name) text_pattern_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_sort_key_id_idx ON users (sort_key, id);
-- students
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_class_id_idx ON students (class_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_is_active_idx ON students (is_active) WHERE NOT is_active;
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_class_id_is_active_idx ON students (class_id, is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_enrollment_date_idx ON students (enrollment_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_sort_key_id_idx ON students (sort_key, id);
-- teachers
CREATE INDEX CONCURRENTLY IF NOT EXISTS teachers_is_active_idx ON teachers (is_active) WHERE NOT is_active;
CREATE INDEX CONCURRENTLY IF NOT EXISTS teachers_specialization_idx ON teachers (specialization);
CREATE INDEX CONCURRENTLY IF NOT EXISTS teachers_joining_date_idx ON teachers (joining_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS teachers_sort_key_id_idx ON teachers (sort_key, id);
-- guardians
CREATE INDEX CONCURRENTLY IF NOT EXISTS guardians_sort_key_id_idx ON guardians (sort_key, id);
-- guardian_students
CREATE INDEX CONCURRENTLY IF NOT EXISTS guardian_students_student_id_idx ON guardian_students (student_id);
-- classes
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_academic_year_id_idx ON classes (academic_year_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_teacher_id_idx ON classes (teacher_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_is_active_idx ON classes (is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_grade_level_section_idx ON classes (grade_level, section);
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_academic_year_id_is_active_idx ON classes (academic_year_id, is_active);
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_current_enrollment_idx ON classes (current_enrollment);
-- attendance
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_student_id_idx ON attendance (student_id) WHERE excused AND status <> 'PRESENT';
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_class_id_idx ON attendance (class_id) WHERE status <> 'PRESENT';
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_subject_id_idx ON attendance (subject_id) WHERE subject_id IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_date_idx ON attendance (date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_status_idx ON attendance (status) WHERE status <> 'PRESENT';
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_student_id_date_idx ON attendance (student_id, date) WHERE status <> 'PRESENT';
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_class_id_date_idx ON attendance (class_id, date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_date_status_idx ON attendance (date, status) WHERE status <> 'PRESENT';
CREATE INDEX CONCURRENTLY IF NOT EXISTS attendance_marked_by_idx ON attendance (marked_by);
-- grades
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_student_id_idx ON grades (student_id) WHERE state <> 'SCORED';
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_subject_id_idx ON grades (subject_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_assessment_type_id_idx ON grades (assessment_type_id) WHERE NOT is_published;
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_semester_id_idx ON grades USING brin (semester_id) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_student_id_subject_id_idx ON grades (student_id, subject_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_student_id_semester_id_idx ON grades (student_id, semester_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_letter_idx ON grades (letter) WHERE percentage < 60;
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_percentage_idx ON grades (percentage) WHERE percentage < 60;
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_recorded_by_idx ON grades (recorded_by);
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_assessment_date_idx ON grades (assessment_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_assessment_id_idx ON grades (assessment_id);
-- payments
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_student_id_idx ON payments (student_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_fee_category_id_idx ON payments (fee_category_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_status_idx ON payments (status) WHERE status <> 'PAID';
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_due_date_idx ON payments (due_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_payment_date_idx ON payments (payment_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_method_idx ON payments (method);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_student_id_status_idx ON payments (student_id, status);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_due_date_status_idx ON payments (due_date, status) WHERE status IN ('PENDING', 'PARTIAL', 'REFUNDED');
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_processed_by_idx ON payments USING brin (processed_by) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_transaction_id_idx ON payments USING hash (transaction_id);
-- academic_years
CREATE INDEX CONCURRENTLY IF NOT EXISTS academic_years_start_date_idx ON academic_years (start_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS academic_years_end_date_idx ON academic_years (end_date);
-- semesters
CREATE INDEX CONCURRENTLY IF NOT EXISTS semesters_academic_year_id_idx ON semesters (academic_year_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS semesters_academic_year_id_start_date_idx ON semesters (academic_year_id, start_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS semesters_is_current_idx ON semesters (is_current);
-- subjects
CREATE INDEX CONCURRENTLY IF NOT EXISTS subjects_name_idx ON subjects (lower(name) text_pattern_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS subjects_is_active_idx ON subjects (is_active);
-- teacher_subjects
CREATE INDEX CONCURRENTLY IF NOT EXISTS teacher_subjects_teacher_id_idx ON teacher_subjects (teacher_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS teacher_subjects_subject_id_idx ON teacher_subjects (subject_id);
-- class_subjects
CREATE INDEX CONCURRENTLY IF NOT EXISTS class_subjects_class_id_idx ON class_subjects (class_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS class_subjects_subject_id_idx ON class_subjects (subject_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS class_subjects_teacher_id_idx ON class_subjects (teacher_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS class_subjects_semester_id_idx ON class_subjects (semester_id);
-- student_class_history
CREATE INDEX CONCURRENTLY IF NOT EXISTS student_class_history_student_id_idx ON student_class_history (student_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS student_class_history_class_id_idx ON student_class_history (class_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS student_class_history_academic_year_id_idx ON student_class_history (academic_year_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS student_class_history_student_id_from_date_idx ON student_class_history (student_id, from_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS student_class_history_class_id_from_date_idx ON student_class_history (class_id, from_date);
CREATE INDEX CONCURRENTLY IF NOT EXISTS student_class_history_to_date_idx ON student_class_history (to_date);
-- assessment_types
CREATE INDEX CONCURRENTLY IF NOT EXISTS assessment_types_name_idx ON assessment_types (lower(name) text_pattern_ops);
CREATE INDEX CONCURRENTLY IF NOT EXISTS assessment_types_is_active_idx ON assessment_types (is_active);
-- audit_logs
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_user_id_idx ON audit_logs (user_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_table_name_record_id_idx ON audit_logs (table_name, record_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_action_idx ON audit_logs (action);
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_logs_created_at_idx ON audit_logs (created_at);
-- assessments
CREATE INDEX CONCURRENTLY IF NOT EXISTS assessments_class_id_subject_id_idx ON assessments (class_id, subject_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS assessments_semester_id_idx ON assessments (semester_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS assessments_subject_id_idx ON assessments (subject_id);
-- payment_transactions
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_transactions_payment_id_idx ON payment_transactions (payment_id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_transactions_receipt_id_idx ON payment_transactions (receipt_id);
-- sessions
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_user_id_idx ON sessions (user_id);
-- refresh_tokens
CREATE INDEX CONCURRENTLY IF NOT EXISTS refresh_tokens_session_id_idx ON refresh_tokens (session_id);
-- registers
CREATE INDEX CONCURRENTLY IF NOT EXISTS registers_date_idx ON registers (date);
-- holidays
CREATE INDEX CONCURRENTLY IF NOT EXISTS holidays_academic_year_id_idx ON holidays (academic_year_id);
-- receipts
CREATE INDEX CONCURRENTLY IF NOT EXISTS receipts_number_idx ON receipts (number);

-- So that the planner knows what it may choose from.
ANALYZE users;
ANALYZE students;
ANALYZE teachers;
ANALYZE guardians;
ANALYZE guardian_students;
ANALYZE classes;
ANALYZE attendance;
ANALYZE grades;
ANALYZE payments;
ANALYZE academic_years;
ANALYZE semesters;
ANALYZE subjects;
ANALYZE teacher_subjects;
ANALYZE class_subjects;
ANALYZE student_class_history;
ANALYZE assessment_types;
ANALYZE audit_logs;
ANALYZE assessments;
ANALYZE payment_transactions;
ANALYZE sessions;
ANALYZE refresh_tokens;
ANALYZE registers;
ANALYZE holidays;
ANALYZE receipts;
