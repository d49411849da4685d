-- Takes back 017_create_audit_logs.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- The audit triggers of every table go with their functions.
DROP FUNCTION audit_insert() CASCADE;
DROP FUNCTION audit_update() CASCADE;
DROP FUNCTION audit_delete() CASCADE;
DROP FUNCTION audit_table(regclass);
DROP TABLE audit_logs;
DROP FUNCTION audited_values(jsonb);
