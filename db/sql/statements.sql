-- The format of this file: README.md in this folder.

-- name: statements
-- What happened on the charges of students between two local days, both counted, by when, at most 1001 of each currency; and what was owed before.
WITH bounds AS (
    SELECT $from_date::date::timestamp AT TIME ZONE zone.name AS start, ($to_date::date + 1)::timestamp AT TIME ZONE zone.name AS stop
    FROM (SELECT coalesce((SELECT s.time_zone FROM school_settings s), 'UTC') AS name) AS zone
), charges AS (
    SELECT p.id, p.student_id, p.currency, p.amount, p.balance, p.waived_total, p.paid_total, p.refunded_total, p.created_at, p.cancelled_at, p.description
    FROM payments p WHERE p.student_id = ANY($keys::uuid[]) AND @visible(payments p)
), moves AS (
    SELECT c.student_id AS key, c.currency, c.created_at AS happened_at, 1 AS step, 'CHARGE' AS kind, c.amount AS adds, c.id AS payment_id,
        NULL::uuid AS transaction_id, c.description AS note
    FROM charges c
    UNION ALL
    SELECT c.student_id, c.currency, c.cancelled_at, 3, 'CANCELLATION', -(c.amount - c.waived_total - (c.paid_total - c.refunded_total)), c.id, NULL, NULL
    FROM charges c WHERE c.cancelled_at IS NOT NULL
    UNION ALL
    SELECT c.student_id, c.currency, t.occurred_at, 2, t.kind,
        CASE WHEN coalesce(t.corrected_kind, t.kind) = 'REFUND' THEN t.amount ELSE -t.amount END * CASE WHEN t.kind = 'CORRECTION' THEN -1 ELSE 1 END,
        c.id, t.id, t.reason
    FROM charges c JOIN payment_transactions t ON t.payment_id = c.id
), counted AS (
    SELECT m.*, row_number() OVER (PARTITION BY m.key, m.currency ORDER BY m.happened_at, m.step, coalesce(m.transaction_id, m.payment_id)) AS n
    FROM moves m, bounds b WHERE m.happened_at >= b.start AND m.happened_at < b.stop
)
SELECT m.key, m.currency, NULL::timestamptz AS happened_at, 'OPENING' AS kind,
    round(coalesce(sum(m.adds) FILTER (WHERE m.happened_at < b.start), 0), currency_exponent(m.currency)) AS adds,
    NULL::uuid AS payment_id, NULL::uuid AS transaction_id, NULL AS note, 0::bigint AS n
FROM moves m, bounds b WHERE m.happened_at < b.stop
GROUP BY m.key, m.currency
UNION ALL
SELECT c.key, c.currency, c.happened_at, c.kind, round(c.adds, currency_exponent(c.currency)), c.payment_id, c.transaction_id, c.note, c.n
FROM counted c WHERE c.n <= 1001
ORDER BY key, currency, n
