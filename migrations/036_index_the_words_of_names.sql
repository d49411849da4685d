-- The sort keys folded as 035 folds, in batches, and the indexes for search by words: docs/decisions/089-folded-names.md.
-- transactional: false
-- compatible-with-older-code: yes

SET lock_timeout = '5s';
SET statement_timeout = '30min';

-- Writing any column computes users.sort_key again, and a trigger copies it to students, teachers and guardians. This column is not audited and
-- counts no version.
DO $do$
DECLARE
    batch uuid[];
    reached uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    LOOP
        SELECT array_agg(id ORDER BY id) INTO batch FROM (SELECT id FROM users WHERE id > reached ORDER BY id LIMIT 1000) AS following;
        EXIT WHEN batch IS NULL;
        UPDATE users SET last_sign_in_at = last_sign_in_at
        WHERE id = ANY(batch) AND sort_key <> fold_name(last_name) || E'\x01' || fold_name(first_name);
        COMMIT;
        reached := batch[cardinality(batch)];
    END LOOP;
END
$do$;

-- What a broken build left behind is not used, costs writes, and would be taken for built by IF NOT EXISTS.
DO $do$
DECLARE
    broken record;
BEGIN
    FOR broken IN SELECT i.indexrelid::regclass AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE NOT i.indisvalid AND c.relnamespace = 'public'::regnamespace
            AND c.relname IN ('users_name_words_idx', 'users_folded_first_name_idx', 'students_folded_number_idx', 'classes_folded_name_id_idx',
                'classes_name_words_idx')
    LOOP
        EXECUTE format('DROP INDEX %s', broken.name);
    END LOOP;
END
$do$;

CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name_words_idx ON users USING gin (name_words(first_name || ' ' || last_name));
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_folded_first_name_idx ON users (fold_name(first_name));
CREATE INDEX CONCURRENTLY IF NOT EXISTS students_folded_number_idx ON students (fold_name(student_number));
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_folded_name_id_idx ON classes (fold_name(name), id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS classes_name_words_idx ON classes USING gin (name_words(name));

-- So that the planner knows what it may choose from.
ANALYZE users;
ANALYZE students;
ANALYZE classes;
