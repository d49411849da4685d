-- What is taught, what is assessed, what is charged for.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE subjects (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL,
    name text NOT NULL,
    description text,
    credits numeric(4, 2) NOT NULL DEFAULT 1,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT subjects_code_key UNIQUE (code),
    CONSTRAINT subjects_code_check CHECK (code ~ '^[A-Z0-9][A-Z0-9-]{0,19}$'),
    CONSTRAINT subjects_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 100),
    CONSTRAINT subjects_credits_check CHECK (credits >= 0)
);

CREATE TABLE teacher_subjects (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    teacher_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT teacher_subjects_teacher_id_subject_id_key UNIQUE (teacher_id, subject_id),
    CONSTRAINT teacher_subjects_teacher_id_fkey FOREIGN KEY (teacher_id) REFERENCES teachers (id) ON DELETE CASCADE,
    CONSTRAINT teacher_subjects_subject_id_fkey FOREIGN KEY (subject_id) REFERENCES subjects (id)
);

CREATE TABLE assessment_types (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL,
    name text NOT NULL,
    weight numeric(6, 3) NOT NULL DEFAULT 1,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT assessment_types_code_key UNIQUE (code),
    CONSTRAINT assessment_types_code_check CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'),
    CONSTRAINT assessment_types_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    CONSTRAINT assessment_types_weight_check CHECK (weight >= 0)
);

CREATE TABLE fee_categories (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    code text NOT NULL,
    name text NOT NULL,
    description text,
    default_amount numeric(14, 3),
    currency text NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT fee_categories_code_key UNIQUE (code),
    CONSTRAINT fee_categories_code_check CHECK (code ~ '^[A-Z0-9][A-Z0-9_-]{0,19}$'),
    CONSTRAINT fee_categories_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 60),
    CONSTRAINT fee_categories_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT fee_categories_default_amount_check
        CHECK (default_amount > 0 AND scale(trim_scale(default_amount)) <= currency_exponent(currency))
);

CREATE TRIGGER subjects_touch BEFORE UPDATE ON subjects FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER assessment_types_touch BEFORE UPDATE ON assessment_types FOR EACH ROW EXECUTE FUNCTION touch_row();
CREATE TRIGGER fee_categories_touch BEFORE UPDATE ON fee_categories FOR EACH ROW EXECUTE FUNCTION touch_row();
