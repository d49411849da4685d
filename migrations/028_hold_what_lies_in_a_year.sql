-- A year holds all that lies in it, not only its semesters and holidays: the memberships, registers and marks of its classes as well.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE OR REPLACE FUNCTION check_year_holds_its_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM semesters WHERE academic_year_id = NEW.id AND (start_date < NEW.start_date OR end_date > NEW.end_date))
        OR EXISTS (SELECT FROM holidays WHERE academic_year_id = NEW.id AND (start_date < NEW.start_date OR end_date > NEW.end_date))
        OR EXISTS (SELECT FROM student_class_history WHERE academic_year_id = NEW.id AND (from_date < NEW.start_date OR to_date > NEW.end_date))
        OR EXISTS (SELECT FROM classes c JOIN registers r ON r.class_id = c.id
                   WHERE c.academic_year_id = NEW.id AND (r.date < NEW.start_date OR r.date > NEW.end_date))
        OR EXISTS (SELECT FROM classes c JOIN attendance a ON a.class_id = c.id
                   WHERE c.academic_year_id = NEW.id AND (a.date < NEW.start_date OR a.date > NEW.end_date))
    THEN
        RAISE EXCEPTION 'what lies in % would lie outside it', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'academic_years_parts_check', TABLE = 'academic_years';
    END IF;
    RETURN NEW;
END
$$;
