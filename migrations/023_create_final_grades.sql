-- Final grades, frozen when they are posted; and the lock on marks that posting and a closed window put on.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- That a class's grades in a subject and semester were posted: the first time, and again after a reopening.
CREATE TABLE grade_postings (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    class_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    semester_id uuid NOT NULL,
    posted_by uuid,
    number integer NOT NULL,
    as_of date NOT NULL,
    policy_version text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT grade_postings_class_id_subject_id_semester_id_number_key UNIQUE (class_id, subject_id, semester_id, number),
    CONSTRAINT grade_postings_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT grade_postings_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT grade_postings_semester_id_fkey FOREIGN KEY (semester_id) REFERENCES semesters (id),
    CONSTRAINT grade_postings_posted_by_fkey FOREIGN KEY (posted_by) REFERENCES users (id),
    CONSTRAINT grade_postings_policy_version_fkey FOREIGN KEY (policy_version) REFERENCES grading_policies (version),
    CONSTRAINT grade_postings_number_check CHECK (number > 0)
);

-- That marks may be changed again for a while: after posting `after_number` (0: none, the window was closed), until then or the next posting.
CREATE TABLE grade_reopenings (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    class_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    semester_id uuid NOT NULL,
    reopened_by uuid,
    after_number integer NOT NULL,
    open_until timestamptz NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT grade_reopenings_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT grade_reopenings_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT grade_reopenings_semester_id_fkey FOREIGN KEY (semester_id) REFERENCES semesters (id),
    CONSTRAINT grade_reopenings_reopened_by_fkey FOREIGN KEY (reopened_by) REFERENCES users (id),
    CONSTRAINT grade_reopenings_after_number_check CHECK (after_number >= 0),
    CONSTRAINT grade_reopenings_reason_check CHECK (length(btrim(reason)) BETWEEN 1 AND 500)
);

CREATE INDEX grade_reopenings_class_id_subject_id_semester_id_idx ON grade_reopenings (class_id, subject_id, semester_id);

-- A student's grade in a subject and semester, as it was posted. A later posting adds a row with the next number; the highest one counts.
-- `facts` say how it came about (rules/grading.py reads them); `percentage` is unrounded as far as arithmetic goes, `rounded` by the policy.
CREATE TABLE final_grades (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    posting_id uuid NOT NULL,
    student_id uuid NOT NULL,
    class_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    semester_id uuid NOT NULL,
    number integer NOT NULL,
    is_incomplete boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    percentage numeric(14, 10),
    rounded numeric(8, 4),
    points numeric(4, 2),
    credits numeric(4, 2) NOT NULL,
    letter text,
    facts jsonb NOT NULL,
    CONSTRAINT final_grades_student_id_subject_id_semester_id_number_key UNIQUE (student_id, subject_id, semester_id, number),
    CONSTRAINT final_grades_posting_id_fkey FOREIGN KEY (posting_id) REFERENCES grade_postings (id),
    CONSTRAINT final_grades_student_id_fkey FOREIGN KEY (student_id) REFERENCES students (id),
    CONSTRAINT final_grades_class_id_fkey FOREIGN KEY (class_id) REFERENCES classes (id),
    CONSTRAINT final_grades_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id),
    CONSTRAINT final_grades_semester_id_fkey FOREIGN KEY (semester_id) REFERENCES semesters (id),
    CONSTRAINT final_grades_number_check CHECK (number > 0),
    -- Nothing that counts: no grade at all.
    CONSTRAINT final_grades_percentage_check CHECK (num_nulls(percentage, rounded, letter, points) IN (0, 4)),
    CONSTRAINT final_grades_credits_check CHECK (credits >= 0)
);

CREATE INDEX final_grades_class_id_semester_id_idx ON final_grades (class_id, semester_id);
CREATE INDEX final_grades_created_at_idx ON final_grades (created_at);

-- Why marks of a class in a subject and semester may not be changed now: 'POSTED' or 'WINDOW_CLOSED'; null: they may.
CREATE FUNCTION marks_lock(class uuid, subject uuid, semester uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN EXISTS (
            SELECT FROM grade_reopenings r
            WHERE r.class_id = class AND r.subject_id = subject AND r.semester_id = semester
                AND r.after_number = posted.number AND r.open_until > school_now()
        ) THEN NULL
        WHEN posted.number > 0 THEN 'POSTED'
        WHEN EXISTS (SELECT FROM semesters m WHERE m.id = semester AND m.posting_closes_at <= school_now()) THEN 'WINDOW_CLOSED'
    END
    FROM (
        SELECT coalesce(max(p.number), 0) AS number FROM grade_postings p
        WHERE p.class_id = class AND p.subject_id = subject AND p.semester_id = semester
    ) AS posted
$$;

-- Nothing writes marks or assessments that are locked. The lesson's row is held shared meanwhile; posting takes it alone, so that no mark
-- slips in between what a posting read and its commit.
CREATE FUNCTION refuse_locked_marks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    place record;
    lock text;
BEGIN
    FOR place IN EXECUTE
        CASE TG_OP
            WHEN 'INSERT' THEN 'SELECT DISTINCT class_id, subject_id, semester_id FROM new_rows ORDER BY 1, 2, 3'
            WHEN 'DELETE' THEN 'SELECT DISTINCT class_id, subject_id, semester_id FROM old_rows ORDER BY 1, 2, 3'
            ELSE 'SELECT class_id, subject_id, semester_id FROM old_rows UNION SELECT class_id, subject_id, semester_id FROM new_rows ORDER BY 1, 2, 3'
        END
    LOOP
        PERFORM FROM class_subjects cs
            WHERE cs.class_id = place.class_id AND cs.subject_id = place.subject_id AND cs.semester_id = place.semester_id FOR SHARE;
        lock := marks_lock(place.class_id, place.subject_id, place.semester_id);
        IF lock IS NOT NULL THEN
            RAISE EXCEPTION 'the marks are locked: %', lock
                USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_' || lower(lock) || '_check', TABLE = TG_TABLE_NAME;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

CREATE TRIGGER grades_lock_insert AFTER INSERT ON grades
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_marks();
CREATE TRIGGER grades_lock_update AFTER UPDATE ON grades
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_marks();
CREATE TRIGGER grades_lock_delete AFTER DELETE ON grades
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_marks();
CREATE TRIGGER assessments_lock_insert AFTER INSERT ON assessments
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_marks();
CREATE TRIGGER assessments_lock_update AFTER UPDATE ON assessments
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_marks();
CREATE TRIGGER assessments_lock_delete AFTER DELETE ON assessments
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION refuse_locked_marks();

-- A posting has the next number, and is made while marks are open. It takes the lesson's row alone, to the end of its transaction.
CREATE FUNCTION number_posting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lock text;
BEGIN
    PERFORM FROM class_subjects cs
        WHERE cs.class_id = NEW.class_id AND cs.subject_id = NEW.subject_id AND cs.semester_id = NEW.semester_id FOR UPDATE;
    lock := marks_lock(NEW.class_id, NEW.subject_id, NEW.semester_id);
    IF lock IS NOT NULL THEN
        RAISE EXCEPTION 'the grades are locked: %', lock
            USING ERRCODE = 'check_violation', CONSTRAINT = 'grade_postings_' || lower(lock) || '_check', TABLE = 'grade_postings';
    END IF;
    SELECT coalesce(max(p.number), 0) + 1 INTO NEW.number FROM grade_postings p
        WHERE p.class_id = NEW.class_id AND p.subject_id = NEW.subject_id AND p.semester_id = NEW.semester_id;
    NEW.created_at := now();
    RETURN NEW;
END
$$;

CREATE TRIGGER grade_postings_number BEFORE INSERT ON grade_postings FOR EACH ROW EXECUTE FUNCTION number_posting();

-- A final grade is written with its posting, in one transaction, and carries its class, subject and semester.
CREATE FUNCTION copy_posting() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    posting grade_postings;
BEGIN
    SELECT * INTO posting FROM grade_postings WHERE id = NEW.posting_id;
    IF posting.created_at IS DISTINCT FROM now() THEN
        RAISE EXCEPTION 'a posting is complete when it is made'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'final_grades_with_posting_check', TABLE = 'final_grades';
    END IF;
    NEW.class_id := posting.class_id;
    NEW.subject_id := posting.subject_id;
    NEW.semester_id := posting.semester_id;
    NEW.created_at := posting.created_at;
    SELECT coalesce(max(f.number), 0) + 1 INTO NEW.number FROM final_grades f
        WHERE f.student_id = NEW.student_id AND f.subject_id = NEW.subject_id AND f.semester_id = NEW.semester_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER final_grades_copy_posting BEFORE INSERT ON final_grades FOR EACH ROW EXECUTE FUNCTION copy_posting();

-- A window that has closed over posted grades is not opened by moving it: reopening has a reason and an end.
CREATE FUNCTION check_window_stays_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.posting_closes_at <= school_now() AND EXISTS (SELECT FROM grade_postings p WHERE p.semester_id = NEW.id) THEN
        RAISE EXCEPTION 'the posting window has closed'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'semesters_window_closed_check', TABLE = 'semesters';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER semesters_window BEFORE UPDATE OF posting_closes_at ON semesters
    FOR EACH ROW WHEN (OLD.posting_closes_at IS DISTINCT FROM NEW.posting_closes_at) EXECUTE FUNCTION check_window_stays_closed();

CREATE TRIGGER grade_postings_append_only BEFORE UPDATE OR DELETE ON grade_postings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER grade_reopenings_append_only BEFORE UPDATE OR DELETE ON grade_reopenings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER final_grades_append_only BEFORE UPDATE OR DELETE ON final_grades FOR EACH ROW EXECUTE FUNCTION refuse_change();
SELECT audit_table(name::regclass) FROM unnest(ARRAY['grade_postings', 'grade_reopenings', 'final_grades']) AS name;
