-- Attendance: one row per student, day and subject; a whole-day mark has no subject.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE attendance (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    student_id uuid NOT NULL,
    class_id uuid NOT NULL,
    subject_id uuid,
    marked_by uuid,
    date date NOT NULL,
    arrival_time time,
    minutes_late smallint,
    minutes_present smallint,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    excused boolean NOT NULL DEFAULT false,
    status text NOT NULL,
    source text NOT NULL DEFAULT 'TEACHER',
    excuse_reason text,
    CONSTRAINT attendance_student_id_fkey FOREIGN KEY (student_id) REFERENCES students (id),
    CONSTRAINT attendance_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT attendance_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT attendance_marked_by_fkey FOREIGN KEY (marked_by) REFERENCES users (id),
    CONSTRAINT attendance_student_id_date_subject_id_key UNIQUE NULLS NOT DISTINCT (student_id, date, subject_id),
    CONSTRAINT attendance_status_check CHECK (status IN ('PRESENT', 'ABSENT', 'LATE', 'LEFT_EARLY', 'PARTIAL')),
    CONSTRAINT attendance_source_check CHECK (source IN ('TEACHER', 'OFFICE')),
    -- Who was there needs no excuse; a reason belongs to an excuse.
    CONSTRAINT attendance_excused_check CHECK (NOT excused OR status <> 'PRESENT'),
    CONSTRAINT attendance_excuse_reason_check CHECK (excuse_reason IS NULL OR (excused AND length(btrim(excuse_reason)) BETWEEN 1 AND 300)),
    CONSTRAINT attendance_minutes_late_check CHECK (minutes_late IS NULL OR (status = 'LATE' AND minutes_late BETWEEN 0 AND 1440)),
    CONSTRAINT attendance_arrival_time_check CHECK (arrival_time IS NULL OR status IN ('LATE', 'PARTIAL')),
    CONSTRAINT attendance_minutes_present_check CHECK (minutes_present BETWEEN 0 AND 1440)
);

CREATE TRIGGER attendance_touch BEFORE UPDATE ON attendance FOR EACH ROW EXECUTE FUNCTION touch_row();
