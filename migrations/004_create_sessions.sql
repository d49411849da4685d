-- Sign-ins, their refresh tokens, service tokens, password resets, slowed sign-ins; and the news that one was revoked.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- One sign-in: the family of refresh tokens that follow from it.
CREATE TABLE sessions (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    revoked_because text,
    address inet,
    user_agent text,
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT sessions_revoked_check CHECK ((revoked_at IS NULL) = (revoked_because IS NULL)),
    CONSTRAINT sessions_revoked_because_check
        CHECK (revoked_because IN ('SIGNED_OUT', 'TOKEN_REUSED', 'PASSWORD_CHANGED', 'DEACTIVATED', 'REVOKED'))
);

-- Only the SHA-256 of a token is kept. A token that is used again ends its session.
CREATE TABLE refresh_tokens (
    token_hash bytea PRIMARY KEY,
    session_id uuid NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_token_hash_check CHECK (length(token_hash) = 32)
);

CREATE TABLE service_tokens (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    name text NOT NULL,
    token_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT service_tokens_token_hash_key UNIQUE (token_hash),
    CONSTRAINT service_tokens_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT service_tokens_token_hash_check CHECK (length(token_hash) = 32),
    CONSTRAINT service_tokens_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 100),
    CONSTRAINT service_tokens_scopes_check CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['health:read'])
);

CREATE TABLE password_resets (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    user_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT password_resets_token_hash_key UNIQUE (token_hash),
    CONSTRAINT password_resets_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT password_resets_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT password_resets_token_hash_check CHECK (length(token_hash) = 32)
);

-- Failed sign-ins per account and per address, shared by all workers: `failures` as they were at `counted_at`; they are forgotten with time.
-- `key` is a hash, so the table holds no addresses of people.
CREATE TABLE sign_in_throttles (
    key bytea PRIMARY KEY,
    failures integer NOT NULL,
    counted_at timestamptz NOT NULL,
    blocked_until timestamptz NOT NULL,
    CONSTRAINT sign_in_throttles_failures_check CHECK (failures >= 0)
);

-- Every worker listens: what it cached about a token must not outlive the right behind it.
CREATE FUNCTION announce_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('rollcall_revocations', TG_ARGV[0] || ':' || coalesce(NEW.id, OLD.id));
    RETURN NULL;
END
$$;

CREATE TRIGGER sessions_announce_revocation AFTER UPDATE OF revoked_at ON sessions
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL) EXECUTE FUNCTION announce_revocation('session');
CREATE TRIGGER service_tokens_announce_revocation AFTER UPDATE OF revoked_at ON service_tokens
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL AND OLD.revoked_at IS NULL) EXECUTE FUNCTION announce_revocation('service');
CREATE TRIGGER sessions_announce_deletion AFTER DELETE ON sessions
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL) EXECUTE FUNCTION announce_revocation('session');
CREATE TRIGGER service_tokens_announce_deletion AFTER DELETE ON service_tokens
    FOR EACH ROW WHEN (OLD.revoked_at IS NULL) EXECUTE FUNCTION announce_revocation('service');
CREATE TRIGGER users_announce_revocation AFTER UPDATE OF role, is_active ON users
    FOR EACH ROW WHEN (NEW.role IS DISTINCT FROM OLD.role OR NEW.is_active IS DISTINCT FROM OLD.is_active)
    EXECUTE FUNCTION announce_revocation('user');

-- A person who is deactivated is signed out everywhere, whoever does it and however.
CREATE FUNCTION end_sessions_of_deactivated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE sessions SET revoked_at = now(), revoked_because = 'DEACTIVATED' WHERE user_id = NEW.id AND revoked_at IS NULL;
    RETURN NULL;
END
$$;

CREATE TRIGGER users_end_sessions AFTER UPDATE OF is_active ON users
    FOR EACH ROW WHEN (OLD.is_active AND NOT NEW.is_active) EXECUTE FUNCTION end_sessions_of_deactivated();
