-- An attempt to sign in is reserved while its password is verified, and counted only when the password was wrong:
-- docs/decisions/063-sign-ins-in-line.md. Code from before this migration goes on as it did: it neither reads nor writes the column.
-- compatible-with-older-code: yes

SET lock_timeout = '5s';
SET statement_timeout = '1min';

-- When each attempt that is being verified lapses: one whose worker died counts as a failure from then on.
ALTER TABLE sign_in_throttles ADD COLUMN in_flight timestamptz[] NOT NULL DEFAULT '{}';

-- A row as it is at a moment: the failures that are not forgotten, with the attempts that have lapsed; since when the next one is being forgotten;
-- the attempts in flight without `lease`, and whether that one was among them.
CREATE FUNCTION sign_in_throttle_at(t sign_in_throttles, at timestamptz, forget_seconds double precision, lease timestamptz DEFAULT NULL)
RETURNS TABLE (failures integer, counted_at timestamptz, in_flight timestamptz[], had_lease boolean) LANGUAGE sql STABLE AS $$
    SELECT
        remaining.number + attempts.lapsed,
        CASE WHEN remaining.number = 0 THEN at ELSE t.counted_at + forgotten.number * make_interval(secs => forget_seconds) END,
        CASE WHEN mine.place IS NULL THEN attempts.running ELSE attempts.running[:mine.place - 1] || attempts.running[mine.place + 1:] END,
        mine.place IS NOT NULL
    FROM (SELECT greatest(floor(extract(epoch FROM at - t.counted_at)::double precision / forget_seconds), 0)::bigint AS number) AS forgotten
    CROSS JOIN LATERAL (SELECT greatest(t.failures - forgotten.number, 0)::integer AS number) AS remaining
    CROSS JOIN (
        SELECT
            (count(*) FILTER (WHERE each.until <= at))::integer AS lapsed,
            coalesce(array_agg(each.until) FILTER (WHERE each.until > at), '{}') AS running
        FROM unnest(t.in_flight) AS each (until)
    ) AS attempts
    CROSS JOIN LATERAL (SELECT array_position(attempts.running, lease) AS place) AS mine
$$;
