-- Takes back 028_hold_what_lies_in_a_year.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE OR REPLACE FUNCTION check_year_holds_its_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM semesters WHERE academic_year_id = NEW.id AND (start_date < NEW.start_date OR end_date > NEW.end_date))
        OR EXISTS (SELECT FROM holidays WHERE academic_year_id = NEW.id AND (start_date < NEW.start_date OR end_date > NEW.end_date))
    THEN
        RAISE EXCEPTION 'a semester or holiday of % would lie outside it', NEW.name
            USING ERRCODE = 'check_violation', CONSTRAINT = 'academic_years_parts_check', TABLE = 'academic_years';
    END IF;
    RETURN NEW;
END
$$;
