-- Keys that make a request happen once, and the school's clock that can be set.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

-- What a request with this key came to: the ids of its objects. The row is written in the transaction of what it did.
CREATE TABLE idempotency_keys (
    user_id uuid NOT NULL,
    mutation text NOT NULL,
    key text NOT NULL,
    arguments_hash bytea NOT NULL,
    answer jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (user_id, mutation, key),
    CONSTRAINT idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT idempotency_keys_arguments_hash_check CHECK (length(arguments_hash) = 32)
);

-- Now, as the school sees it. A test sets rollcall.now for its database or session; nobody else does.
CREATE FUNCTION school_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('rollcall.now', true), '')::timestamptz, now())
$$;

CREATE OR REPLACE FUNCTION school_today() RETURNS date LANGUAGE sql STABLE AS $$
    SELECT (school_now() AT TIME ZONE coalesce((SELECT time_zone FROM school_settings), 'UTC'))::date
$$;
