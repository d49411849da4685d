-- Takes back 030_index_what_lists_are_sorted_by.
-- transactional: false

SET lock_timeout = '5s';
SET statement_timeout = '5min';

DROP INDEX CONCURRENTLY IF EXISTS assessments_assessment_date_id_idx;
DROP INDEX CONCURRENTLY IF EXISTS registers_submitted_at_id_idx;
DROP INDEX CONCURRENTLY IF EXISTS final_grades_posted_again_idx;
CREATE INDEX CONCURRENTLY IF NOT EXISTS final_grades_created_at_idx ON final_grades (created_at);
DROP INDEX CONCURRENTLY IF EXISTS final_grades_created_at_id_idx;
DROP INDEX CONCURRENTLY IF EXISTS payments_payment_date_id_idx;
