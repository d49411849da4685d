-- The one school: its name, clock, currency and policies.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE school_settings (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    singleton boolean NOT NULL DEFAULT true,
    name text NOT NULL,
    time_zone text NOT NULL DEFAULT 'UTC',
    currency text NOT NULL DEFAULT 'USD',
    full_day_minutes smallint NOT NULL DEFAULT 360,
    rounding_mode text NOT NULL DEFAULT 'HALF_UP',
    rounding_decimals smallint NOT NULL DEFAULT 0,
    missing_counts_as text NOT NULL DEFAULT 'ZERO_AFTER_DUE',
    shows_rank boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT school_settings_singleton_key UNIQUE (singleton),
    CONSTRAINT school_settings_singleton_check CHECK (singleton),
    CONSTRAINT school_settings_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 200),
    CONSTRAINT school_settings_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT school_settings_full_day_minutes_check CHECK (full_day_minutes BETWEEN 1 AND 1440),
    CONSTRAINT school_settings_rounding_mode_check CHECK (rounding_mode IN ('HALF_UP', 'HALF_EVEN', 'HALF_DOWN', 'UP', 'DOWN')),
    CONSTRAINT school_settings_rounding_decimals_check CHECK (rounding_decimals BETWEEN 0 AND 4),
    CONSTRAINT school_settings_missing_counts_as_check CHECK (missing_counts_as IN ('ZERO_AFTER_DUE', 'ZERO', 'LEFT_OUT'))
);

-- A CHECK may not read pg_timezone_names; the conversion itself refuses a zone it does not know.
CREATE FUNCTION check_time_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = NEW.time_zone) THEN
        RAISE EXCEPTION 'unknown time zone %', NEW.time_zone
            USING ERRCODE = 'check_violation', CONSTRAINT = 'school_settings_time_zone_check', TABLE = 'school_settings';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER school_settings_time_zone BEFORE INSERT OR UPDATE OF time_zone ON school_settings
    FOR EACH ROW EXECUTE FUNCTION check_time_zone();
CREATE TRIGGER school_settings_touch BEFORE UPDATE ON school_settings FOR EACH ROW EXECUTE FUNCTION touch_row();

-- "Today" where the school is. A database without settings yet is in UTC.
CREATE FUNCTION school_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (now() AT TIME ZONE coalesce((SELECT time_zone FROM school_settings), 'UTC'))::date
$$;
