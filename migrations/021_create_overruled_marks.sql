-- What the office overruled, and the days on which there is school.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- ISO days of the week, Monday is 1.
ALTER TABLE school_settings ADD COLUMN school_days smallint[] NOT NULL DEFAULT '{1,2,3,4,5}';
ALTER TABLE school_settings ADD CONSTRAINT school_settings_school_days_check
    CHECK (cardinality(school_days) BETWEEN 1 AND 7 AND school_days <@ '{1,2,3,4,5,6,7}'::smallint[]) NOT VALID;
ALTER TABLE school_settings VALIDATE CONSTRAINT school_settings_school_days_check;

-- A teacher's entry that the office's stands above: what it says is kept beside the mark, whichever came first.
CREATE TABLE overruled_marks (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    attendance_id uuid NOT NULL,
    marked_by uuid,
    status text NOT NULL,
    excused boolean NOT NULL,
    excuse_reason text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT overruled_marks_attendance_id_fkey FOREIGN KEY (attendance_id) REFERENCES attendance (id) ON DELETE CASCADE,
    CONSTRAINT overruled_marks_marked_by_fkey FOREIGN KEY (marked_by) REFERENCES users (id),
    CONSTRAINT overruled_marks_status_check CHECK (status IN ('PRESENT', 'ABSENT', 'LATE', 'LEFT_EARLY', 'PARTIAL'))
);

CREATE INDEX overruled_marks_attendance_id_idx ON overruled_marks (attendance_id);
CREATE TRIGGER overruled_marks_append_only BEFORE UPDATE OR DELETE ON overruled_marks FOR EACH ROW EXECUTE FUNCTION refuse_change();
