-- Takes back 022_create_grading_policies.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TRIGGER grading_scale_bounds_audit_insert ON grading_scale_bounds;
DROP TRIGGER grading_scale_bounds_audit_update ON grading_scale_bounds;
DROP TRIGGER grading_scale_bounds_audit_delete ON grading_scale_bounds;
DROP TABLE grading_policies;
DROP FUNCTION policy_version(jsonb);
DROP FUNCTION grading_policy();
DROP TRIGGER assessments_scores ON assessments;
DROP FUNCTION check_scores_within_maximum();

CREATE OR REPLACE FUNCTION copy_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT a.class_id, a.subject_id, a.assessment_type_id, a.semester_id, a.assessment_date, a.published_at IS NOT NULL,
           NEW.score * 100 / a.max_score
    INTO NEW.class_id, NEW.subject_id, NEW.assessment_type_id, NEW.semester_id, NEW.assessment_date, NEW.is_published,
         NEW.percentage
    FROM assessments a WHERE a.id = NEW.assessment_id FOR SHARE;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION spread_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE grades g
    SET class_id = NEW.class_id, subject_id = NEW.subject_id, assessment_type_id = NEW.assessment_type_id,
        semester_id = NEW.semester_id, assessment_date = NEW.assessment_date, is_published = NEW.published_at IS NOT NULL,
        percentage = g.score * 100 / NEW.max_score
    WHERE g.assessment_id = NEW.id;
    RETURN NULL;
END
$$;

DROP FUNCTION letter_for(numeric);
DROP FUNCTION round_by(numeric, text, integer);
ALTER TABLE assessments DROP CONSTRAINT assessments_extra_credit_check;
ALTER TABLE assessments DROP COLUMN extra_credit;
