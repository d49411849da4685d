-- The periods of a school day.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE periods (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL,
    start_time time NOT NULL,
    end_time time NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT periods_name_key UNIQUE (name),
    CONSTRAINT periods_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    CONSTRAINT periods_times_check CHECK (start_time < end_time),
    -- Seconds of the day: there is no range of times.
    CONSTRAINT periods_overlap_excl EXCLUDE USING gist (
        numrange(extract(epoch FROM start_time), extract(epoch FROM end_time)) WITH &&
    )
);

CREATE TRIGGER periods_touch BEFORE UPDATE ON periods FOR EACH ROW EXECUTE FUNCTION touch_row();
SELECT audit_table('periods');
