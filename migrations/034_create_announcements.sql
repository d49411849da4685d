-- Announcements to a class, or to the whole school.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE announcements (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    -- NULL: to the whole school.
    class_id uuid REFERENCES classes (id),
    author_id uuid NOT NULL REFERENCES users (id),
    title text NOT NULL,
    body text NOT NULL,
    -- Readers do not see it before.
    published_at timestamptz NOT NULL DEFAULT school_now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT announcements_title_check CHECK (length(btrim(title)) BETWEEN 1 AND 200),
    CONSTRAINT announcements_body_check CHECK (length(btrim(body)) BETWEEN 1 AND 5000)
);

CREATE INDEX announcements_published_at_id_idx ON announcements (published_at, id);
CREATE INDEX announcements_class_id_published_at_id_idx ON announcements (class_id, published_at, id);
CREATE INDEX announcements_author_id_idx ON announcements (author_id);

CREATE TRIGGER announcements_touch BEFORE UPDATE ON announcements FOR EACH ROW EXECUTE FUNCTION touch_row();
SELECT audit_table('announcements');
