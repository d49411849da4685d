-- The format of this file: README.md in this folder.

-- Who is asking: sign-ins, sessions, refresh and service tokens, password resets. `$now` is the server's clock, which a test can set.

-- name: viewer_of_session
-- The role behind an access token; no row when its session has ended or its user may not sign in.
SELECT u.role
FROM sessions s
JOIN users u ON u.id = s.user_id
WHERE s.id = $session_id::uuid AND s.user_id = $user_id::uuid AND s.revoked_at IS NULL AND s.expires_at > $now::timestamptz AND u.is_active

-- name: service_token_by_hash
-- A service token that is good now.
SELECT t.id, t.scopes, t.expires_at
FROM service_tokens t
WHERE t.token_hash = $token_hash::bytea AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $now::timestamptz)

-- name: touch_service_token
-- Notes that a service token was used; a second worker within the minute changes nothing.
UPDATE service_tokens
SET last_used_at = $now::timestamptz
WHERE id = $token_id::uuid AND (last_used_at IS NULL OR last_used_at <= $now::timestamptz - interval '1 minute')

-- name: account_by_email
-- The address as it is compared, the account that it signs in to (nulls: there is none), and whether that has signed in from this network since
-- `$known_since`.
SELECT sought.email AS sought, u.id, u.email, u.password_hash, u.is_active,
    EXISTS (
        SELECT FROM sessions s WHERE s.user_id = u.id AND s.address <<= $network::cidr AND s.created_at > $known_since::timestamptz
    ) AS network_is_known
FROM (SELECT lower($email::text) AS email) AS sought
LEFT JOIN users u ON lower(u.email) = sought.email

-- name: account_by_id
-- The account of someone who is signed in.
SELECT u.id, u.email, u.password_hash, u.is_active
FROM users u
WHERE u.id = $user_id::uuid

-- name: enter_account
-- Notes a sign-in, unless the password or the account changed while the password was verified; renews an outdated hash.
UPDATE users
SET last_sign_in_at = $now::timestamptz, password_hash = coalesce($renewed_hash::text, password_hash)
WHERE id = $user_id::uuid AND is_active AND password_hash = $verified_hash::text
RETURNING role

-- name: open_session
-- A sign-in.
INSERT INTO sessions (user_id, created_at, last_used_at, expires_at, address, user_agent)
VALUES ($user_id::uuid, $now::timestamptz, $now::timestamptz, $expires_at::timestamptz, $address::inet, $user_agent::text)
RETURNING id

-- name: delete_old_sessions
-- Forgets a user's sessions that ended long ago, with their refresh tokens.
DELETE FROM sessions WHERE user_id = $user_id::uuid AND expires_at < $before::timestamptz

-- name: add_refresh_token
-- The first refresh token of a session.
INSERT INTO refresh_tokens (token_hash, session_id, issued_at)
VALUES ($token_hash::bytea, $session_id::uuid, $now::timestamptz)

-- name: lock_session_of_refresh_token
-- Makes the refreshes of one session go one after the other; what they see they read after this. No row while another has it.
SELECT s.id
FROM sessions s
WHERE s.id = (SELECT r.session_id FROM refresh_tokens r WHERE r.token_hash = $token_hash::bytea)
FOR NO KEY UPDATE SKIP LOCKED

-- name: refresh_token_by_hash
-- A refresh token, its session and its user, in whatever state they are.
SELECT r.used_at, s.id AS session_id, s.expires_at, s.revoked_at, u.id AS user_id, u.role, u.is_active
FROM refresh_tokens r
JOIN sessions s ON s.id = r.session_id
JOIN users u ON u.id = s.user_id
WHERE r.token_hash = $token_hash::bytea

-- name: rotate_refresh_token
-- Uses a refresh token up and adds its successor. Tokens used up before `$forgotten_before` are forgotten.
WITH used AS (
    UPDATE refresh_tokens SET used_at = $now::timestamptz WHERE token_hash = $token_hash::bytea
), touched AS (
    UPDATE sessions SET last_used_at = $now::timestamptz WHERE id = $session_id::uuid
), forgotten AS (
    DELETE FROM refresh_tokens WHERE session_id = $session_id::uuid AND used_at < $forgotten_before::timestamptz
)
INSERT INTO refresh_tokens (token_hash, session_id, issued_at)
VALUES ($successor_hash::bytea, $session_id::uuid, $now::timestamptz)

-- name: unused_refresh_tokens
-- Which of these refresh tokens exist and were not used yet.
SELECT r.token_hash FROM refresh_tokens r WHERE r.token_hash = ANY($token_hashes::bytea[]) AND r.used_at IS NULL

-- name: end_session
-- Ends one session.
UPDATE sessions SET revoked_at = $now::timestamptz, revoked_because = $because::text WHERE id = $session_id::uuid AND revoked_at IS NULL
RETURNING id

-- name: end_sessions_of_user
-- Ends a user's sessions, except `$kept` when it is given.
UPDATE sessions SET revoked_at = $now::timestamptz, revoked_because = $because::text
WHERE user_id = $user_id::uuid AND revoked_at IS NULL AND expires_at > $now::timestamptz AND id IS DISTINCT FROM $kept::uuid
RETURNING id

-- name: set_password
-- Gives an account a new password, unless it changed since `$replaced_hash` was read, or the account may not sign in (any more).
UPDATE users
SET password_hash = $password_hash::text, password_changed_at = $now::timestamptz
WHERE id = $user_id::uuid AND is_active AND email IS NOT NULL AND password_hash IS NOT DISTINCT FROM $replaced_hash::text
RETURNING role

-- name: lock_password
-- The hash of an account's password, which nobody else changes until the transaction ends. No row while another has it.
SELECT u.password_hash FROM users u WHERE u.id = $user_id::uuid FOR NO KEY UPDATE SKIP LOCKED

-- name: give_password
-- Sets a password from the command line, whatever it was.
UPDATE users SET password_hash = $password_hash::text, password_changed_at = $now::timestamptz WHERE id = $user_id::uuid

-- name: withdraw_password_resets
-- Ends the password resets of a user that were not used.
UPDATE password_resets SET expires_at = $now::timestamptz
WHERE user_id = $user_id::uuid AND used_at IS NULL AND expires_at > $now::timestamptz

-- name: add_password_reset
-- A password reset, issued by an administrator or (by nobody) on the command line.
INSERT INTO password_resets (user_id, token_hash, created_by, created_at, expires_at)
VALUES ($user_id::uuid, $token_hash::bytea, $created_by::uuid, $now::timestamptz, $expires_at::timestamptz)

-- name: account_of_password_reset
-- The account that a password reset is for, when it can still be used.
SELECT u.id, u.email
FROM password_resets p
JOIN users u ON u.id = p.user_id
WHERE p.token_hash = $token_hash::bytea AND p.used_at IS NULL AND p.expires_at > $now::timestamptz AND u.is_active AND u.email IS NOT NULL

-- name: use_password_reset
-- Uses a password reset up: of two at once, one gets a row.
UPDATE password_resets SET used_at = $now::timestamptz
WHERE token_hash = $token_hash::bytea AND used_at IS NULL AND expires_at > $now::timestamptz
RETURNING user_id

-- name: sign_in_throttle_states
-- How things stand with some keys: failures, when the next of them is forgotten, attempts that are being verified, and a block.
SELECT t.key, s.failures, s.counted_at, cardinality(s.in_flight) AS in_flight, t.blocked_until
FROM unnest($keys::bytea[], $forget_seconds::float8[]) AS asked (key, forget_seconds)
JOIN sign_in_throttles t ON t.key = asked.key
CROSS JOIN LATERAL sign_in_throttle_at(t, $now::timestamptz, asked.forget_seconds) AS s

-- name: reserve_sign_in_attempt
-- Reserves an attempt until `$lease`, unless the key is blocked, or would be if all attempts that are being verified failed. With `$backs_off` an
-- attempt that is the only one is let through whatever the failures, once a block is over. Whoever writes a key holds its advisory lock, which
-- nobody waits for: `locked` is false when another has it.
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock($lock::bigint) AS locked
), reserved AS (
    INSERT INTO sign_in_throttles AS t (key, failures, counted_at, blocked_until, in_flight)
    SELECT $key::bytea, 0, $now::timestamptz, $now::timestamptz, ARRAY[$lease::timestamptz]
    FROM alone
    WHERE alone.locked
    ON CONFLICT (key) DO UPDATE
    SET (failures, counted_at, in_flight) = (
        SELECT s.failures, s.counted_at, s.in_flight || $lease::timestamptz
        FROM sign_in_throttle_at(t, $now::timestamptz, $forget_seconds::float8) AS s
    )
    WHERE t.blocked_until <= $now::timestamptz AND (
        SELECT s.failures + cardinality(s.in_flight) <= $free::integer OR ($backs_off::boolean AND s.in_flight = '{}')
        FROM sign_in_throttle_at(t, $now::timestamptz, $forget_seconds::float8) AS s
    )
    RETURNING 1
)
SELECT alone.locked, EXISTS (SELECT FROM reserved) AS done
FROM alone

-- name: count_sign_in_failure
-- A password was wrong: the attempt that was reserved until `$lease` (null: none was) becomes a failure, if it has not become one by lapsing.
-- Beyond `$free` failures the key is blocked for 1, 2, 4 … seconds, `$longest_seconds` at most (null: never).
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock($lock::bigint) AS locked
), counted AS (
    INSERT INTO sign_in_throttles AS t (key, failures, counted_at, blocked_until)
    SELECT $key::bytea, 1, $now::timestamptz, $now::timestamptz
    FROM alone
    WHERE alone.locked
    ON CONFLICT (key) DO UPDATE
    SET (failures, counted_at, in_flight, blocked_until) = (
        SELECT
            n.failures,
            s.counted_at,
            s.in_flight,
            CASE
                WHEN $longest_seconds::float8 IS NULL OR n.failures <= $free::integer THEN t.blocked_until
                ELSE greatest(
                    t.blocked_until,
                    $now::timestamptz
                    + make_interval(secs => least($longest_seconds::float8, 2.0 ^ least(n.failures - $free::integer - 1, 30))))
            END
        FROM sign_in_throttle_at(t, $now::timestamptz, $forget_seconds::float8, $lease::timestamptz) AS s
        CROSS JOIN LATERAL (SELECT s.failures + (s.had_lease OR $lease::timestamptz IS NULL)::integer AS failures) AS n
    )
)
SELECT alone.locked, alone.locked AS done
FROM alone

-- name: release_sign_in_attempt
-- An attempt was no failure: it is taken out. `$clear` forgets the key's failures and its block too.
WITH alone AS MATERIALIZED (
    SELECT pg_try_advisory_xact_lock($lock::bigint) AS locked
), released AS (
    UPDATE sign_in_throttles t
    SET (failures, counted_at, in_flight, blocked_until) = (
        SELECT
            CASE WHEN $clear::boolean THEN 0 ELSE greatest(s.failures - (NOT s.had_lease)::integer, 0) END,
            s.counted_at,
            s.in_flight,
            CASE WHEN $clear::boolean THEN $now::timestamptz ELSE t.blocked_until END
        FROM sign_in_throttle_at(t, $now::timestamptz, $forget_seconds::float8, $lease::timestamptz) AS s
    )
    FROM alone
    WHERE alone.locked AND t.key = $key::bytea
)
SELECT alone.locked, alone.locked AS done
FROM alone

-- name: delete_old_sign_in_throttles
-- Forgets keys on which nothing happened for long, `$at_most` of them: an attack leaves many, and none of this is to take long.
DELETE FROM sign_in_throttles
WHERE key IN (
    SELECT t.key
    FROM sign_in_throttles t
    WHERE t.counted_at < $before::timestamptz AND t.blocked_until < $before::timestamptz
    LIMIT $at_most::integer
    FOR UPDATE SKIP LOCKED
)

-- name: add_service_token
-- A token for a machine.
INSERT INTO service_tokens (name, token_hash, scopes, created_by, created_at, expires_at)
VALUES ($name::text, $token_hash::bytea, $scopes::text[], $created_by::uuid, $now::timestamptz, $expires_at::timestamptz)
RETURNING id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at

-- page: service_tokens
-- Service tokens, those that have ended too.
SELECT t.id, t.name, t.scopes, t.created_by, t.created_at, t.expires_at, t.last_used_at, t.revoked_at
FROM service_tokens t
WHERE @visible(service_tokens t)
-- key: t.id
-- order created_at timestamptz: t.created_at
-- by id uuid: t.id

-- name: revoke_service_token
-- Ends a service token. One that has ended already stays as it was.
UPDATE service_tokens SET revoked_at = coalesce(revoked_at, $now::timestamptz) WHERE id = $token_id::uuid
RETURNING id, name, scopes, created_by, created_at, expires_at, last_used_at, revoked_at

-- name: administrator_exists
-- Whether anybody can administer the school.
SELECT EXISTS (SELECT FROM users u WHERE u.role = 'ADMIN' AND u.is_active)

-- name: add_administrator
-- The first account of a school.
INSERT INTO users (role, first_name, last_name, email) VALUES ('ADMIN', $first_name::text, $last_name::text, $email::text)
RETURNING id

-- name: make_administrator
-- Turns an account into an active administrator's.
UPDATE users SET role = 'ADMIN', is_active = true WHERE id = $user_id::uuid

-- table: service_tokens
-- Tokens of other programs. The hash is of a program's token, not of a person's.
name token_hash scopes expires_at last_used_at revoked_at
-- personal technical staff: created_by; created_by; while the record exists

-- table: refresh_tokens
-- The refresh tokens of a session. Used ones are deleted when the session is refreshed, all others with the session.
-- personal credentials user: token_hash, issued_at, used_at; session_id -> sessions.user_id; 7 days after used_at, enforced

-- table: password_resets
-- Links to set a new password.
-- personal credentials user: token_hash, expires_at, used_at; user_id; 1 year after created_at
-- personal technical staff: created_by; created_by; 1 year after created_at

-- table: sign_in_throttles
-- Counters of failed sign-ins. Those on which nothing has been counted for a day are deleted every hour.
-- personal technical user: key, failures, counted_at, blocked_until, in_flight; untraceable: a key is a keyed hash of an email or a network address; 1 day after counted_at, enforced
