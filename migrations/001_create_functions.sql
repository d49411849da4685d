-- What the tables stand on: time-ordered keys, folded names, versions, the acting user.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE EXTENSION IF NOT EXISTS btree_gist;

-- PostgreSQL 18 brings uuidv7(); older servers get one of the same name (RFC 9562: 48 bits of Unix milliseconds, then version,
-- variant and random bits), so that every table has one default.
DO $do$
BEGIN
    IF to_regprocedure('pg_catalog.uuidv7()') IS NULL AND to_regprocedure('uuidv7()') IS NULL THEN
        EXECUTE $ddl$
            CREATE FUNCTION uuidv7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $fn$
                SELECT encode(
                    set_bit(set_bit(
                        overlay(uuid_send(gen_random_uuid())
                                PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
                                FROM 1 FOR 6),
                        52, 1), 53, 1),
                    'hex')::uuid
            $fn$
        $ddl$;
    END IF;
END
$do$;

-- A name as it is sorted and searched: no accents, no case, so that adams, Åberg and Zorn stand where people look for them.
-- Written out because the server may have no ICU. NFKD splits a letter from its accent; the letters that have no such split are named.
CREATE FUNCTION fold_name(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(
        replace(replace(replace(replace(replace(replace(
            translate(
                regexp_replace(normalize(name, NFKD), '[\u0300-\u036f]', '', 'g'),
                'ØøĐđÐðŁłŦŧĦħıŊŋ', 'OoDdDdLlTtHhiNn'),
            'ß', 'ss'), 'Æ', 'ae'), 'æ', 'ae'), 'Œ', 'oe'), 'œ', 'oe'), 'þ', 'th')
    ) COLLATE "C"
$$;

-- Every changed row counts its versions: an update names the version it was made from (optimistic locking).
CREATE FUNCTION touch_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := now();
    NEW.version := OLD.version + 1;
    RETURN NEW;
END
$$;

-- Who acts, and in which request: set by the server with set_config(…, true) at the start of a transaction.
CREATE FUNCTION acting_user() RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('rollcall.user_id', true), '')::uuid
$$;

CREATE FUNCTION acting_request() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('rollcall.request_id', true), '')
$$;

-- How many decimals a currency's smallest unit has (ISO 4217).
CREATE FUNCTION currency_exponent(currency text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE
        WHEN currency IN ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV', 'XAF', 'XOF', 'XPF') THEN 0
        WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 3
        ELSE 2
    END
$$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: add a linked entry instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_append_only', TABLE = TG_TABLE_NAME;
END
$$;
