-- Classes of an academic year, and who teaches what in them.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE classes (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    academic_year_id uuid NOT NULL,
    teacher_id uuid,
    name text NOT NULL,
    grade_level smallint NOT NULL,
    section text NOT NULL,
    room text,
    capacity smallint,
    current_enrollment integer NOT NULL DEFAULT 0,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT classes_academic_year_id_grade_level_section_key UNIQUE (academic_year_id, grade_level, section),
    CONSTRAINT classes_academic_year_id_fkey FOREIGN KEY (academic_year_id) REFERENCES academic_years (id),
    CONSTRAINT classes_teacher_id_fkey FOREIGN KEY (teacher_id) REFERENCES teachers (id),
    CONSTRAINT classes_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    CONSTRAINT classes_grade_level_check CHECK (grade_level BETWEEN 0 AND 13),
    CONSTRAINT classes_section_check CHECK (length(btrim(section)) BETWEEN 1 AND 10),
    CONSTRAINT classes_capacity_check CHECK (capacity > 0),
    CONSTRAINT classes_current_enrollment_check CHECK (current_enrollment >= 0)
);

CREATE TABLE class_subjects (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    class_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    teacher_id uuid,
    semester_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT class_subjects_class_id_subject_id_semester_id_key UNIQUE (class_id, subject_id, semester_id),
    CONSTRAINT class_subjects_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT class_subjects_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT class_subjects_teacher_id_fkey FOREIGN KEY (teacher_id) REFERENCES teachers (id),
    CONSTRAINT class_subjects_semester_id_fkey FOREIGN KEY (semester_id) REFERENCES semesters (id)
);

-- A class is taught in the semesters of its own year.
CREATE FUNCTION check_same_year() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT academic_year_id FROM classes WHERE id = NEW.class_id)
        IS DISTINCT FROM (SELECT academic_year_id FROM semesters WHERE id = NEW.semester_id)
    THEN
        RAISE EXCEPTION 'the semester is not one of the class''s academic year'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_same_year_check', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER class_subjects_same_year BEFORE INSERT OR UPDATE OF class_id, semester_id ON class_subjects
    FOR EACH ROW EXECUTE FUNCTION check_same_year();
-- current_enrollment is a derived count: it changes without a new version.
CREATE TRIGGER classes_touch
    BEFORE UPDATE OF academic_year_id, teacher_id, name, grade_level, section, room, capacity, is_active ON classes
    FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER class_subjects_touch BEFORE UPDATE ON class_subjects FOR EACH ROW EXECUTE FUNCTION touch_row();
