-- Of an overruled entry its minutes are kept as well, and the audit knows of it; free texts have an end; the past follows the order of changes.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE overruled_marks ADD COLUMN arrival_time time, ADD COLUMN minutes_late smallint, ADD COLUMN minutes_present smallint;
SELECT audit_table('overruled_marks');

ALTER TABLE classes ADD CONSTRAINT classes_room_check CHECK (length(room) <= 60) NOT VALID;
ALTER TABLE classes VALIDATE CONSTRAINT classes_room_check;
ALTER TABLE subjects ADD CONSTRAINT subjects_description_check CHECK (length(description) <= 2000) NOT VALID;
ALTER TABLE subjects VALIDATE CONSTRAINT subjects_description_check;
ALTER TABLE fee_categories ADD CONSTRAINT fee_categories_description_check CHECK (length(description) <= 2000) NOT VALID;
ALTER TABLE fee_categories VALIDATE CONSTRAINT fee_categories_description_check;
ALTER TABLE student_class_history ADD CONSTRAINT student_class_history_note_check CHECK (length(note) <= 1000) NOT VALID;
ALTER TABLE student_class_history VALIDATE CONSTRAINT student_class_history_note_check;

-- The moment of a change is when its transaction began. Of two transactions that changed a row one after the other, the later one may have
-- begun first (it waited for the row): the ids, made when the row was changed, say the order.
CREATE OR REPLACE FUNCTION past_values(of_table text, of_record uuid, moment timestamptz) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(was.key, was.value ORDER BY l.id DESC), '{}')
    FROM audit_logs l, jsonb_each(l.old_values) AS was
    WHERE l.table_name = of_table AND l.record_id = of_record AND l.action = 'UPDATE' AND l.created_at > moment
$$;
