-- Guardians, their children; a changed name reaches every copy of its sort key.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE guardians (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id uuid NOT NULL,
    is_active boolean NOT NULL DEFAULT true,
    sort_key text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT guardians_user_id_key UNIQUE (user_id),
    CONSTRAINT guardians_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id)
);

CREATE TRIGGER guardians_sort_key BEFORE INSERT OR UPDATE OF user_id ON guardians FOR EACH ROW EXECUTE FUNCTION copy_sort_key();
CREATE TRIGGER guardians_touch BEFORE UPDATE OF user_id, is_active ON guardians FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE TABLE guardian_students (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    guardian_id uuid NOT NULL,
    student_id uuid NOT NULL,
    relationship text NOT NULL,
    is_primary boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT guardian_students_guardian_id_student_id_key UNIQUE (guardian_id, student_id),
    CONSTRAINT guardian_students_guardian_id_fkey FOREIGN KEY (guardian_id) REFERENCES guardians (id),
    CONSTRAINT guardian_students_student_id_fkey FOREIGN KEY (student_id) REFERENCES students (id),
    CONSTRAINT guardian_students_relationship_check
        CHECK (relationship IN ('MOTHER', 'FATHER', 'GRANDPARENT', 'FOSTER_PARENT', 'LEGAL_GUARDIAN', 'OTHER'))
);

CREATE TRIGGER guardian_students_touch BEFORE UPDATE ON guardian_students FOR EACH ROW EXECUTE FUNCTION touch_row();

CREATE FUNCTION spread_sort_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE students SET sort_key = NEW.sort_key WHERE user_id = NEW.id;
    UPDATE teachers SET sort_key = NEW.sort_key WHERE user_id = NEW.id;
    UPDATE guardians SET sort_key = NEW.sort_key WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_spread_sort_key AFTER UPDATE ON users
    FOR EACH ROW WHEN (OLD.sort_key IS DISTINCT FROM NEW.sort_key) EXECUTE FUNCTION spread_sort_key();
