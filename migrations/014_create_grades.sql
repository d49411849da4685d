-- Grades: what a student got in an assessment, carrying what the assessment says of itself.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE grades (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    student_id uuid NOT NULL,
    assessment_id uuid NOT NULL,
    class_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    assessment_type_id uuid NOT NULL,
    semester_id uuid NOT NULL,
    recorded_by uuid,
    assessment_date date NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    is_published boolean NOT NULL,
    state text NOT NULL DEFAULT 'SCORED',
    score numeric(8, 3),
    percentage numeric(7, 3),
    letter text,
    comment text,
    CONSTRAINT grades_student_id_assessment_id_key UNIQUE (student_id, assessment_id),
    CONSTRAINT grades_student_id_fkey FOREIGN KEY (student_id) REFERENCES students (id),
    CONSTRAINT grades_assessment_id_fkey FOREIGN KEY (assessment_id) REFERENCES assessments (id),
    CONSTRAINT grades_recorded_by_fkey FOREIGN KEY (recorded_by) REFERENCES users (id),
    CONSTRAINT grades_state_check CHECK (state IN ('SCORED', 'MISSING', 'EXCUSED', 'INCOMPLETE')),
    -- Missing is not zero and excused is not zero: only a scored grade has a score, and it always has one.
    CONSTRAINT grades_score_check CHECK ((state = 'SCORED') = (score IS NOT NULL) AND score >= 0),
    CONSTRAINT grades_percentage_check CHECK ((percentage IS NULL) = (score IS NULL)),
    CONSTRAINT grades_letter_check CHECK (letter IS NULL OR score IS NOT NULL),
    CONSTRAINT grades_comment_check CHECK (length(comment) <= 1000)
);

-- class, subject, type, semester, date and publication are the assessment's own, so that they can be filtered and indexed here.
-- The raw score is kept as it was given; the percentage is unrounded as far as the column goes.
CREATE FUNCTION copy_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.assessment_date, a.published_at IS NOT NULL,
           NEW.score * 100 / a.max_score
    INTO NEW.class_id, NEW.subject_id, NEW.assessment_type_id, NEW.semester_id, NEW.assessment_date, NEW.is_published,
         NEW.percentage
    FROM assessments a WHERE a.id = NEW.assessment_id FOR SHARE;
    RETURN NEW;
END
$$;

CREATE TRIGGER grades_copy_assessment BEFORE INSERT OR UPDATE OF assessment_id, score ON grades
    FOR EACH ROW EXECUTE FUNCTION copy_assessment();
CREATE TRIGGER grades_touch BEFORE UPDATE OF student_id, assessment_id, state, score, letter, comment ON grades
    FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION spread_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE grades g
    SET class_id = NEW.class_id, subject_id = NEW.subject_id, assessment_type_id = NEW.assessment_type_id,
        semester_id = NEW.semester_id, assessment_date = NEW.assessment_date, is_published = NEW.published_at IS NOT NULL,
        percentage = g.score * 100 / NEW.max_score
    WHERE g.assessment_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER assessments_spread AFTER UPDATE OF class_id, subject_id, assessment_type_id, semester_id, assessment_date, max_score, published_at
    ON assessments FOR EACH ROW
    WHEN ((OLD.class_id, OLD.subject_id, OLD.assessment_type_id, OLD.semester_id, OLD.assessment_date, OLD.max_score, OLD.published_at IS NULL)
          IS DISTINCT FROM
          (NEW.class_id, NEW.subject_id, NEW.assessment_type_id, NEW.semester_id, NEW.assessment_date, NEW.max_score, NEW.published_at IS NULL))
    EXECUTE FUNCTION spread_assessment();
