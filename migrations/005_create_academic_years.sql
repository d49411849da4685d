-- Academic years, the semesters inside them, the holidays.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE academic_years (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    is_current boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT academic_years_name_key UNIQUE (name),
    CONSTRAINT academic_years_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    CONSTRAINT academic_years_dates_check CHECK (start_date < end_date),
    CONSTRAINT academic_years_overlap_excl EXCLUDE USING gist (daterange(start_date, end_date, '[]') WITH &&)
);

-- At most one year is the current one.
CREATE UNIQUE INDEX academic_years_is_current_key ON academic_years (is_current) WHERE is_current;

CREATE TABLE semesters (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    academic_year_id uuid NOT NULL,
    name text NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    is_current boolean NOT NULL DEFAULT false,
    posting_opens_at timestamptz,
    posting_closes_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT semesters_academic_year_id_fkey FOREIGN KEY (academic_year_id) REFERENCES academic_years (id),
    CONSTRAINT semesters_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    CONSTRAINT semesters_dates_check CHECK (start_date < end_date),
    CONSTRAINT semesters_posting_check CHECK (posting_opens_at < posting_closes_at),
    CONSTRAINT semesters_overlap_excl EXCLUDE USING gist (daterange(start_date, end_date, '[]') WITH &&)
);

CREATE TABLE holidays (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    academic_year_id uuid NOT NULL,
    name text NOT NULL,
    start_date date NOT NULL,
    end_date date NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT holidays_academic_year_id_fkey FOREIGN KEY (academic_year_id) REFERENCES academic_years (id),
    CONSTRAINT holidays_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 100),
    CONSTRAINT holidays_dates_check CHECK (start_date <= end_date),
    CONSTRAINT holidays_overlap_excl EXCLUDE USING gist (daterange(start_date, end_date, '[]') WITH &&)
);

-- A semester or holiday lies inside its year. The year's row is locked, so that the year cannot shrink under it meanwhile.
CREATE FUNCTION check_inside_year() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    year academic_years;
BEGIN
    SELECT * INTO year FROM academic_years WHERE id = NEW.academic_year_id FOR SHARE;
    IF FOUND AND (NEW.start_date < year.start_date OR NEW.end_date > year.end_date) THEN
        RAISE EXCEPTION '% to % is outside the academic year % (% to %)',
            NEW.start_date, NEW.end_date, year.name, year.start_date, year.end_date
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_inside_year_check', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER semesters_inside_year BEFORE INSERT OR UPDATE OF academic_year_id, start_date, end_date ON semesters
    FOR EACH ROW EXECUTE FUNCTION check_inside_year();
CREATE TRIGGER holidays_inside_year BEFORE INSERT OR UPDATE OF academic_year_id, start_date, end_date ON holidays
    FOR EACH ROW EXECUTE FUNCTION check_inside_year();

CREATE FUNCTION check_year_holds_its_parts() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER academic_years_parts BEFORE UPDATE OF start_date, end_date ON academic_years
    FOR EACH ROW EXECUTE FUNCTION check_year_holds_its_parts();

CREATE TRIGGER academic_years_touch BEFORE UPDATE ON academic_years FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER semesters_touch BEFORE UPDATE ON semesters FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER holidays_touch BEFORE UPDATE ON holidays FOR EACH ROW EXECUTE FUNCTION touch_row();
