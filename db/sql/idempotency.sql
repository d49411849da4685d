-- The format of this file: README.md in this folder.

-- name: claim_idempotency_key
-- Takes a key for a request: true, or no row when it is taken. Waits for a request that has it and is not done. A key of 30 days ago counts no more.
INSERT INTO idempotency_keys AS k (user_id, mutation, key, arguments_hash)
VALUES ($user_id::uuid, $mutation::text, $key::text, $arguments_hash::bytea)
ON CONFLICT (user_id, mutation, key) DO UPDATE SET arguments_hash = excluded.arguments_hash, answer = NULL, created_at = now()
    WHERE k.created_at < now() - interval '30 days'
RETURNING true

-- name: idempotent_answer
-- What the request with this key came to.
SELECT k.arguments_hash, k.answer FROM idempotency_keys k
WHERE k.user_id = $user_id::uuid AND k.mutation = $mutation::text AND k.key = $key::text

-- name: keep_idempotent_answer
-- Keeps what a request came to beside its key.
UPDATE idempotency_keys SET answer = $answer::text::jsonb WHERE user_id = $user_id::uuid AND mutation = $mutation::text AND key = $key::text

-- name: delete_old_idempotency_keys
-- Deletes keys of more than 30 days ago, at most 1,000 at a time, those that somebody holds left out: how many were deleted.
WITH old AS (
    SELECT k.user_id, k.mutation, k.key FROM idempotency_keys k WHERE k.created_at < now() - interval '30 days' LIMIT 1000 FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM idempotency_keys k USING old WHERE (k.user_id, k.mutation, k.key) = (old.user_id, old.mutation, old.key) RETURNING 1
)
SELECT count(*) FROM gone

-- table: idempotency_keys
-- Mutations that were sent with a key, with a hash of their arguments and the ids of what they made. Old ones are deleted every hour.
mutation
-- personal technical user: key, arguments_hash, answer (JSON); user_id; 30 days after created_at, enforced
