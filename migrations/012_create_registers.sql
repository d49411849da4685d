-- That a register was taken is a fact of its own: silence is not presence.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE registers (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    class_id uuid NOT NULL,
    subject_id uuid,
    submitted_by uuid,
    date date NOT NULL,
    submitted_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT registers_class_id_date_subject_id_key UNIQUE NULLS NOT DISTINCT (class_id, date, subject_id),
    CONSTRAINT registers_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT registers_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT registers_submitted_by_fkey FOREIGN KEY (submitted_by) REFERENCES users (id)
);

CREATE TRIGGER registers_touch BEFORE UPDATE ON registers FOR EACH ROW EXECUTE FUNCTION touch_row();
