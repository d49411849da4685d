-- Indexes in the order of lists that were read and sorted as a whole for each of their pages.
-- transactional: false

-- What each is worth and what it costs was measured on a district school: docs/decisions/004-kinds-of-indexes.md.

SET lock_timeout = '5s';
SET statement_timeout = '30min';

-- What a broken build left behind is not used, costs writes, and would be taken for built by IF NOT EXISTS.
DO $do$
DECLARE
    broken record;
BEGIN
    FOR broken IN SELECT i.indexrelid::regclass AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace
            AND c.relname IN ('payments_payment_date_id_idx', 'final_grades_created_at_id_idx', 'final_grades_posted_again_idx',
                'registers_submitted_at_id_idx', 'assessments_assessment_date_id_idx')
    LOOP
        EXECUTE format('DROP INDEX %s', broken.name);
    END LOOP;
END
$do$;

-- Charges by when something last moved on them; never is earliest.
CREATE INDEX CONCURRENTLY IF NOT EXISTS payments_payment_date_id_idx ON payments (coalesce(payment_date, '-infinity'::timestamptz), id);
-- Final grades by when they were posted: those of a class are posted at one moment, and so the id has to be in the index, too.
CREATE INDEX CONCURRENTLY IF NOT EXISTS final_grades_created_at_id_idx ON final_grades (created_at, id);
DROP INDEX CONCURRENTLY IF EXISTS final_grades_created_at_idx;
-- Which final grades another took the place of: few were posted again.
CREATE INDEX CONCURRENTLY IF NOT EXISTS final_grades_posted_again_idx ON final_grades (student_id, subject_id, semester_id) WHERE number > 1;
-- Registers by when they were submitted, assessments by their day.
CREATE INDEX CONCURRENTLY IF NOT EXISTS registers_submitted_at_id_idx ON registers (submitted_at, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS assessments_assessment_date_id_idx ON assessments (assessment_date, id);

-- So that the planner knows what it may choose from.
ANALYZE payments;
ANALYZE final_grades;
ANALYZE registers;
ANALYZE assessments;
