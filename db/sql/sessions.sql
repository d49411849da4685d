-- The format of this file: README.md in this folder.

-- page: sessions
-- Sign-ins: when, from where, and how they ended.
SELECT s.id, s.user_id, s.created_at, s.last_used_at, s.expires_at, s.revoked_at AS ended_at, s.revoked_because AS end_reason, host(s.address) AS address, s.user_agent
FROM sessions s
WHERE @visible(sessions s)
-- key: s.id
-- order created_at timestamptz: s.created_at
-- flag is_open: s.revoked_at IS NULL AND s.expires_at > now() ELSE s.revoked_at IS NOT NULL OR s.expires_at <= now()
-- per user: s.user_id = $parent
-- by id uuid: s.id

-- name: session_to_end
-- A session that the viewer may end: one that they see.
SELECT s.id, s.user_id
FROM sessions s
WHERE s.id = $session_id::uuid AND @visible(sessions s)

-- table: sessions
-- Sign-ins. Those that expired are deleted at the next sign-in of the same user.
-- personal technical user: address, user_agent, last_used_at, expires_at, revoked_at, revoked_because; user_id; 30 days after expires_at, enforced
