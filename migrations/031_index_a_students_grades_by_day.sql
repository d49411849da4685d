-- A student's latest grades: every screen of a student shows some, and without this all grades of the student are read for them.
-- transactional: false

-- What it is worth and what it costs was measured on a district school: docs/decisions/004-kinds-of-indexes.md.

SET lock_timeout = '5s';
SET statement_timeout = '30min';

-- What a broken build left behind is not used, costs writes, and would be taken for built by IF NOT EXISTS.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace AND c.relname = 'grades_student_id_assessment_date_idx')
    THEN
        DROP INDEX grades_student_id_assessment_date_idx;
    END IF;
END
$do$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS grades_student_id_assessment_date_idx ON grades (student_id, assessment_date);
