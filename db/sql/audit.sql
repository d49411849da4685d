-- The format of this file: README.md in this folder.

-- page: audit_log
-- What was changed, by when.
SELECT l.id, l.user_id, l.table_name, l.record_id, l.action, l.old_values, l.request_id, l.created_at
FROM audit_logs l
WHERE @visible(audit_log l)
-- key: l.id
-- order created_at timestamptz: l.created_at
-- filter user_ids: l.user_id = ANY($user_ids::uuid[])
-- ids user_ids: users
-- filter table_names: l.table_name = ANY($table_names::text[])
-- filter record_ids: l.record_id = ANY($record_ids::uuid[])
-- filter actions: l.action = ANY($actions::text[])
-- filter since: l.created_at >= $since
-- filter before: l.created_at < $before
-- by id uuid: l.id

-- table: audit_logs
-- Changes with the values before. The values of a deleted row include the columns that lead to the person; `users` is named by `user_id` without a foreign key.
action
-- personal technical user: record_id, table_name, old_values (JSON); record_id -> (table_name); 10 years after created_at
-- personal technical staff: user_id, request_id; user_id; 10 years after created_at
