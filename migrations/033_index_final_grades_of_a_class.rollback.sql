-- Takes back 033_index_final_grades_of_a_class.
-- transactional: false

SET lock_timeout = '5s';
SET statement_timeout = '5min';

DROP INDEX CONCURRENTLY IF EXISTS final_grades_class_id_created_at_id_idx;
