-- A class's final grades in the order in which they were posted: without this a page of them is looked for among all final grades of the school
-- (on a school of 1,100 students 5 ms for each class; with it 0.03 ms).
-- transactional: false
-- compatible-with-older-code: yes

SET lock_timeout = '5s';
SET statement_timeout = '30min';

-- What a broken build left behind is not used, costs writes, and would be taken for built by IF NOT EXISTS.
DO $do$
BEGIN
    IF EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace AND c.relname = 'final_grades_class_id_created_at_id_idx')
    THEN
        DROP INDEX final_grades_class_id_created_at_id_idx;
    END IF;
END
$do$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS final_grades_class_id_created_at_id_idx ON final_grades (class_id, created_at, id);
