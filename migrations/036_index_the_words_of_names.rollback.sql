-- Takes back 036_index_the_words_of_names.
-- transactional: false

SET lock_timeout = '5s';
SET statement_timeout = '5min';

DROP INDEX CONCURRENTLY IF EXISTS users_name_words_idx;
DROP INDEX CONCURRENTLY IF EXISTS users_folded_first_name_idx;
DROP INDEX CONCURRENTLY IF EXISTS students_folded_number_idx;
DROP INDEX CONCURRENTLY IF EXISTS classes_folded_name_id_idx;
DROP INDEX CONCURRENTLY IF EXISTS classes_name_words_idx;
