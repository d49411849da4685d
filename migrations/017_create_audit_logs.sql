-- Who changed what, when, in which request; and the old values of what an update or delete changed.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE audit_logs (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id uuid,
    record_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    table_name text NOT NULL,
    action text NOT NULL,
    request_id text,
    old_values jsonb,
    CONSTRAINT audit_logs_action_check CHECK (action IN ('INSERT', 'UPDATE', 'DELETE')),
    CONSTRAINT audit_logs_old_values_check CHECK ((action = 'INSERT') = (old_values IS NULL))
);

CREATE TRIGGER audit_logs_append_only BEFORE UPDATE OR DELETE ON audit_logs FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Columns that follow from others, or from the change itself, are left out; a password's hash is never copied, only that it changed.
CREATE FUNCTION audited_values(row_values jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN row_values ? 'password_hash' THEN jsonb_set(kept, '{password_hash}', '"hidden"') ELSE kept END
    FROM (SELECT row_values - ARRAY['updated_at', 'version', 'sort_key', 'current_enrollment', 'last_sign_in_at', 'last_used_at', 'token_hash'] AS kept) AS kept
$$;

CREATE FUNCTION audit_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_logs (user_id, record_id, table_name, action, request_id)
    SELECT acting_user(), n.id, TG_TABLE_NAME, 'INSERT', acting_request() FROM new_rows n;
    RETURN NULL;
END
$$;

CREATE FUNCTION audit_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_logs (user_id, record_id, table_name, action, request_id, old_values)
    SELECT acting_user(), changed.id, TG_TABLE_NAME, 'UPDATE', acting_request(), changed.old_values
    FROM (
        SELECT o.id, (
            SELECT jsonb_object_agg(was.key, v.value)
            FROM jsonb_each(to_jsonb(o)) AS was
            JOIN jsonb_each(audited_values(to_jsonb(o))) AS v ON v.key = was.key
            WHERE was.value IS DISTINCT FROM to_jsonb(n) -> was.key
        ) AS old_values
        FROM old_rows o JOIN new_rows n ON n.id = o.id
    ) AS changed
    WHERE changed.old_values IS NOT NULL;
    RETURN NULL;
END
$$;

CREATE FUNCTION audit_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_logs (user_id, record_id, table_name, action, request_id, old_values)
    SELECT acting_user(), o.id, TG_TABLE_NAME, 'DELETE', acting_request(), audited_values(to_jsonb(o)) FROM old_rows o;
    RETURN NULL;
END
$$;

CREATE FUNCTION audit_table(audited regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT ON %s REFERENCING NEW TABLE AS new_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_insert()', audited || '_audit_insert', audited);
    EXECUTE format('CREATE TRIGGER %I AFTER UPDATE ON %s REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_update()', audited || '_audit_update', audited);
    EXECUTE format('CREATE TRIGGER %I AFTER DELETE ON %s REFERENCING OLD TABLE AS old_rows
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_delete()', audited || '_audit_delete', audited);
END
$$;

SELECT audit_table(name::regclass)
FROM unnest(ARRAY[
    'school_settings', 'users', 'service_tokens', 'password_resets', 'academic_years', 'semesters', 'holidays', 'teachers', 'subjects',
    'teacher_subjects', 'assessment_types', 'fee_categories', 'classes', 'class_subjects', 'students', 'student_class_history',
    'guardians', 'guardian_students', 'attendance', 'registers', 'grading_scales', 'assessments', 'grades', 'payments',
    'payment_transactions', 'receipts'
]) AS name;
