-- Assessments: what a class is marked on in a subject.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE grading_scales (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL,
    is_default boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT grading_scales_name_key UNIQUE (name),
    CONSTRAINT grading_scales_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60)
);

CREATE UNIQUE INDEX grading_scales_is_default_key ON grading_scales (is_default) WHERE is_default;

-- Lower bounds only, so that no value falls between two bands.
CREATE TABLE grading_scale_bounds (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    scale_id uuid NOT NULL,
    lower_bound numeric(6, 3) NOT NULL,
    letter text NOT NULL,
    points numeric(4, 2) NOT NULL,
    CONSTRAINT grading_scale_bounds_scale_id_lower_bound_key UNIQUE (scale_id, lower_bound),
    CONSTRAINT grading_scale_bounds_scale_id_fkey FOREIGN KEY (scale_id) REFERENCES grading_scales (id) ON DELETE CASCADE,
    CONSTRAINT grading_scale_bounds_lower_bound_check CHECK (lower_bound BETWEEN 0 AND 999),
    CONSTRAINT grading_scale_bounds_letter_check CHECK (length(btrim(letter)) BETWEEN 1 AND 10),
    CONSTRAINT grading_scale_bounds_points_check CHECK (points >= 0)
);

-- A scale includes 0, so that every mark has a letter. Looked at when the transaction ends: a scale is written bound by bound.
CREATE FUNCTION check_scale_starts_at_zero() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    scale uuid;
BEGIN
    IF TG_TABLE_NAME = 'grading_scales' THEN
        scale := NEW.id;
    ELSE
        scale := OLD.scale_id;
    END IF;
    IF EXISTS (SELECT FROM grading_scales WHERE id = scale)
        AND NOT EXISTS (SELECT FROM grading_scale_bounds WHERE scale_id = scale AND lower_bound = 0)
    THEN
        RAISE EXCEPTION 'a grading scale needs a bound at 0'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grading_scales_zero_check', TABLE = 'grading_scales';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER grading_scales_zero AFTER INSERT ON grading_scales
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_scale_starts_at_zero();
CREATE CONSTRAINT TRIGGER grading_scale_bounds_zero AFTER UPDATE OR DELETE ON grading_scale_bounds
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_scale_starts_at_zero();
CREATE TRIGGER grading_scales_touch BEFORE UPDATE ON grading_scales FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE assessments (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    class_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    assessment_type_id uuid NOT NULL,
    semester_id uuid NOT NULL,
    created_by uuid,
    assessment_date date NOT NULL,
    title text NOT NULL,
    max_score numeric(8, 3) NOT NULL,
    weight numeric(6, 3) NOT NULL DEFAULT 1,
    published_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT assessments_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT assessments_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT assessments_assessment_type_id_fkey FOREIGN KEY (assessment_type_id) REFERENCES assessment_types (id),
    CONSTRAINT assessments_semester_id_fkey FOREIGN KEY (semester_id) REFERENCES semesters (id),
    CONSTRAINT assessments_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT assessments_title_check CHECK (length(btrim(title)) BETWEEN 1 AND 200),
    CONSTRAINT assessments_max_score_check CHECK (max_score > 0),
    CONSTRAINT assessments_weight_check CHECK (weight >= 0)
);

CREATE TRIGGER assessments_same_year BEFORE INSERT OR UPDATE OF class_id, semester_id ON assessments
    FOR EACH ROW EXECUTE FUNCTION check_same_year();
CREATE TRIGGER assessments_touch BEFORE UPDATE ON assessments FOR EACH ROW EXECUTE FUNCTION touch_row();
