-- How marks become letters: rounding, extra credit, and what the policy was when grades were posted.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- How many points above the maximum may be given. Without extra credit a score above the maximum is a slip, and refused.
ALTER TABLE assessments ADD COLUMN extra_credit numeric(8, 3) NOT NULL DEFAULT 0;
ALTER TABLE assessments ADD CONSTRAINT assessments_extra_credit_check CHECK (extra_credit BETWEEN 0 AND max_score) NOT VALID;
ALTER TABLE assessments VALIDATE CONSTRAINT assessments_extra_credit_check;

-- A value that is not negative, rounded once. The same as rules/grading.py says; a test compares them.
CREATE FUNCTION round_by(value numeric, mode text, decimals integer) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT round(cut.down + CASE WHEN CASE mode
            WHEN 'UP' THEN cut.rest > 0
            WHEN 'DOWN' THEN false
            WHEN 'HALF_DOWN' THEN cut.rest * 2 > cut.unit
            WHEN 'HALF_EVEN' THEN cut.rest * 2 > cut.unit OR (cut.rest * 2 = cut.unit AND mod(trunc(cut.down / cut.unit), 2) = 1)
            ELSE cut.rest * 2 >= cut.unit
        END THEN cut.unit ELSE 0 END, decimals)
    FROM (SELECT trunc(value, decimals) AS down, value - trunc(value, decimals) AS rest, power(10::numeric, -decimals) AS unit) AS cut
$$;

-- The letter of a percentage: the highest bound of the default scale that is not above the rounded value. Null without a default scale.
CREATE FUNCTION letter_for(percentage numeric) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT b.letter
    FROM grading_scales s
    JOIN grading_scale_bounds b ON b.scale_id = s.id
    WHERE s.is_default AND b.lower_bound <= round_by(
        percentage,
        coalesce((SELECT rounding_mode FROM school_settings), 'HALF_UP'),
        coalesce((SELECT rounding_decimals FROM school_settings), 0))
    ORDER BY b.lower_bound DESC
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION copy_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    a assessments;
BEGIN
    SELECT * INTO a FROM assessments WHERE id = NEW.assessment_id FOR SHARE;
    IF NEW.score > a.max_score + a.extra_credit THEN
        RAISE EXCEPTION 'a score of % is above the maximum of %', NEW.score, a.max_score + a.extra_credit
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grades_maximum_check', TABLE = 'grades';
    END IF;
    NEW.class_id := a.class_id;
    NEW.subject_id := a.subject_id;
    NEW.assessment_type_id := a.assessment_type_id;
    NEW.semester_id := a.semester_id;
    NEW.assessment_date := a.assessment_date;
    NEW.is_published := a.published_at IS NOT NULL;
    NEW.percentage := NEW.score * 100 / a.max_score;
    NEW.letter := CASE WHEN NEW.score IS NOT NULL THEN letter_for(NEW.score * 100 / a.max_score) END;
    RETURN NEW;
END
$$;

-- Another maximum may be another letter; publication alone is no new version of a grade.
CREATE OR REPLACE FUNCTION spread_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE grades g
    SET class_id = NEW.class_id, subject_id = NEW.subject_id, assessment_type_id = NEW.assessment_type_id,
        semester_id = NEW.semester_id, assessment_date = NEW.assessment_date, is_published = NEW.published_at IS NOT NULL,
        percentage = g.score * 100 / NEW.max_score
    WHERE g.assessment_id = NEW.id;
    IF NEW.max_score <> OLD.max_score THEN
        UPDATE grades g SET letter = letter_for(g.score * 100 / NEW.max_score)
        WHERE g.assessment_id = NEW.id AND g.letter IS DISTINCT FROM letter_for(g.score * 100 / NEW.max_score);
    END IF;
    RETURN NULL;
END
$$;

-- A maximum is not lowered below a score that was given. Marks that are being recorded hold the row shared: this waits for them.
CREATE FUNCTION check_scores_within_maximum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM grades g WHERE g.assessment_id = NEW.id AND g.score > NEW.max_score + NEW.extra_credit) THEN
        RAISE EXCEPTION 'a score that was given is above the maximum of %', NEW.max_score + NEW.extra_credit
            USING ERRCODE = 'check_violation', CONSTRAINT = 'assessments_scores_check', TABLE = 'assessments';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER assessments_scores BEFORE UPDATE OF max_score, extra_credit ON assessments
    FOR EACH ROW WHEN (NEW.max_score + NEW.extra_credit < OLD.max_score + OLD.extra_credit) EXECUTE FUNCTION check_scores_within_maximum();

-- What averages are made by: scale, rounding, what is missing, weights. Numbers are texts, so that nothing takes them for floats.
CREATE FUNCTION grading_policy() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object(
        'scale', (
            SELECT jsonb_build_object('name', s.name, 'bounds', (
                SELECT jsonb_agg(jsonb_build_array(b.lower_bound::text, b.letter, b.points::text) ORDER BY b.lower_bound DESC)
                FROM grading_scale_bounds b WHERE b.scale_id = s.id))
            FROM grading_scales s WHERE s.is_default),
        'rounding', jsonb_build_array(
            coalesce((SELECT rounding_mode FROM school_settings), 'HALF_UP'), coalesce((SELECT rounding_decimals FROM school_settings), 0)),
        'missing', coalesce((SELECT missing_counts_as FROM school_settings), 'ZERO_AFTER_DUE'),
        'types', coalesce((SELECT jsonb_object_agg(t.code, jsonb_build_array(t.name, t.weight::text)) FROM assessment_types t), '{}'))
$$;

-- The policies by which something was posted, each once; its version is a hash of what it says.
CREATE TABLE grading_policies (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    version text NOT NULL,
    content jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT grading_policies_version_key UNIQUE (version)
);

CREATE FUNCTION policy_version(content jsonb) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT left(encode(sha256(convert_to(content::text, 'UTF8')), 'hex'), 12)
$$;

ALTER TABLE grading_policies ADD CONSTRAINT grading_policies_version_check CHECK (version = policy_version(content)) NOT VALID;
ALTER TABLE grading_policies VALIDATE CONSTRAINT grading_policies_version_check;

CREATE TRIGGER grading_policies_append_only BEFORE UPDATE OR DELETE ON grading_policies FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT audit_table(name::regclass) FROM unnest(ARRAY['grading_policies', 'grading_scale_bounds']) AS name;
