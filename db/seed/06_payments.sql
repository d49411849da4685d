-- Charges of this year and last, what moved on them, and the receipts.

CREATE TEMPORARY TABLE seed_charges ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY c.due, st.alt_id, c.k) AS n, st.id AS student_id, st.alt_id, y.id AS year_id, c.category, c.due, c.amount, c.text,
    greatest(y.start_date, c.due - 45)::date AS charged_on, pg_temp.chance(90, st.alt_id * 64 + y.y * 32 + c.k) AS luck,
    c.due <= current_setting('seed.date')::date AS fell_due
FROM seed_years y
JOIN seed_memberships m ON m.y = y.y AND m.part = 1
JOIN students st ON st.alt_id = m.i,
    LATERAL (
        SELECT k, 1 AS category, (y.start_date + make_interval(months => k))::date + 4 AS due, 180::numeric AS amount,
            'Tuition for ' || to_char(y.start_date + make_interval(months => k), 'FMMonth YYYY') AS text
        FROM generate_series(1, CASE WHEN y.y = 3 THEN 10 ELSE 8 END) AS k
        UNION ALL
        SELECT 10 + k, 2, (y.start_date + make_interval(months => k * 3 - 2))::date + 14, 140.50, 'Lunch, quarter ' || k FROM generate_series(1, 4) AS k
        UNION ALL
        SELECT 15, 3, y.start_date + 31, 95.90, 'Books of the year' WHERE y.y = 3
        UNION ALL
        SELECT 16, 4, y.start_date + 100, 220, 'School trip' WHERE y.y = 3
    ) AS c
WHERE y.y >= 2 AND greatest(y.start_date, c.due - 45) <= current_setting('seed.date')::date;

-- What became of each: paid, paid in part, not, waived, refunded, cancelled; ahead of the due date mostly not yet.
CREATE TEMPORARY TABLE seed_outcomes ON COMMIT DROP AS
SELECT *, CASE
        -- What is charged today moves tomorrow at the earliest.
        WHEN NOT fell_due AND (luck >= 0.15 OR charged_on >= current_setting('seed.date')::date) THEN 'PENDING'
        WHEN NOT fell_due THEN 'PAID'
        WHEN luck < 0.865 THEN 'PAID' WHEN luck < 0.905 THEN 'PARTIAL' WHEN luck < 0.94 THEN 'PENDING' WHEN luck < 0.96 THEN 'WAIVED'
        WHEN luck < 0.97 THEN 'REFUNDED' WHEN luck < 0.98 THEN 'CANCELLED' WHEN luck < 0.99 THEN 'PAID_LESS' ELSE 'PAID_TWICE' END AS outcome,
    least(current_setting('seed.date')::date - 1, greatest(charged_on + 1, due - 12 + (luck * 1000)::integer % 20))::date AS paid_on
FROM seed_charges;

CREATE TEMPORARY TABLE seed_moves ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY occurred_at, n, step) AS t, *
FROM (
    SELECT o.n, o.year_id, s.step, s.kind, s.amount,
        (least(o.paid_on + s.later, current_setting('seed.date')::date - 1) + time '08:00' AT TIME ZONE 'UTC') + make_interval(secs => (o.n * 7 + s.step) % 30000) AS occurred_at,
        s.kind = 'PAYMENT' AS receipted, (ARRAY['BANK_TRANSFER', 'CARD', 'CASH', 'ONLINE', 'CHECK'])[1 + (o.luck * 10000)::integer % 5] AS method
    FROM seed_outcomes o, LATERAL (
        SELECT 1 AS step, 'PAYMENT' AS kind, o.amount, 0 AS later WHERE o.outcome IN ('PAID', 'REFUNDED')
        UNION ALL SELECT 2, 'REFUND', o.amount, 9 WHERE o.outcome = 'REFUNDED'
        UNION ALL SELECT 1, 'PAYMENT', round(o.amount / 2, 2), 0 WHERE o.outcome IN ('PARTIAL', 'PAID_TWICE')
        UNION ALL SELECT 2, 'PAYMENT', o.amount - round(o.amount / 2, 2), 6 WHERE o.outcome = 'PAID_TWICE'
        UNION ALL SELECT 1, 'WAIVER', o.amount, 0 WHERE o.outcome = 'WAIVED'
        UNION ALL SELECT 1, 'WAIVER', round(o.amount / 4, 2), 0 WHERE o.outcome = 'PAID_LESS'
        UNION ALL SELECT 2, 'PAYMENT', o.amount - round(o.amount / 4, 2), 2 WHERE o.outcome = 'PAID_LESS'
    ) AS s
) AS moves;

CREATE TEMPORARY TABLE seed_receipts ON COMMIT DROP AS
SELECT t, occurred_at, y.id AS year_id, row_number() OVER (PARTITION BY y.id ORDER BY t)::integer AS number, pg_temp.seed_id(92, t, occurred_at) AS id
FROM seed_moves m JOIN seed_years y ON m.occurred_at::date BETWEEN y.start_date AND y.end_date WHERE receipted;

INSERT INTO payments (id, student_id, fee_category_id, academic_year_id, processed_by, created_by, due_date, amount, currency, description, paid_total, refunded_total, waived_total,
    cancelled_at, cancel_reason, payment_date, method, transaction_id, created_at, updated_at, version)
SELECT pg_temp.seed_id(90, o.n, o.charged_on + time '07:00' AT TIME ZONE 'UTC'), o.student_id, pg_temp.seed_id(9, o.category, y0.start_date), o.year_id,
    CASE WHEN moved.moves > 0 THEN bursar.user_id END, bursar.user_id, o.due, o.amount, 'EUR', o.text,
    coalesce(moved.paid, 0), coalesce(moved.refunded, 0), coalesce(moved.waived, 0),
    CASE WHEN o.outcome = 'CANCELLED' THEN o.paid_on + time '10:00' AT TIME ZONE 'UTC' END, CASE WHEN o.outcome = 'CANCELLED' THEN 'Charged by mistake' END,
    moved.last_at, moved.method, NULL, o.charged_on + time '07:00' AT TIME ZONE 'UTC',
    coalesce(moved.last_at, CASE WHEN o.outcome = 'CANCELLED' THEN o.paid_on + time '10:00' AT TIME ZONE 'UTC' END, o.charged_on + time '07:00' AT TIME ZONE 'UTC'),
    1 + coalesce(moved.moves, 0)::integer + (o.outcome = 'CANCELLED')::integer
FROM seed_outcomes o
LEFT JOIN (
    SELECT n, count(*) AS moves, max(occurred_at) AS last_at, (array_agg(method ORDER BY t DESC) FILTER (WHERE kind <> 'WAIVER'))[1] AS method,
        sum(amount) FILTER (WHERE kind = 'PAYMENT') AS paid, sum(amount) FILTER (WHERE kind = 'REFUND') AS refunded, sum(amount) FILTER (WHERE kind = 'WAIVER') AS waived
    FROM seed_moves GROUP BY n
) AS moved ON moved.n = o.n, seed_years y0, seed_people bursar
WHERE y0.y = 0 AND bursar.kind = 1 AND bursar.n = 2 ORDER BY o.n;

INSERT INTO receipts (id, academic_year_id, number, issued_at, issued_by, created_at)
SELECT r.id, r.year_id, r.number, r.occurred_at, bursar.user_id, r.occurred_at FROM seed_receipts r, seed_people bursar WHERE bursar.kind = 1 AND bursar.n = 2 ORDER BY r.t;
INSERT INTO receipt_counters (academic_year_id, last_number) SELECT year_id, max(number) FROM seed_receipts GROUP BY year_id;

INSERT INTO payment_transactions (id, payment_id, receipt_id, linked_id, processed_by, kind, amount, currency, method, reason, occurred_at, created_at)
SELECT pg_temp.seed_id(91, m.t, m.occurred_at), pg_temp.seed_id(90, m.n, o.charged_on + time '07:00' AT TIME ZONE 'UTC'), r.id,
    CASE WHEN m.kind = 'REFUND' THEN pg_temp.seed_id(91, paid.t, paid.occurred_at) END, bursar.user_id, m.kind, m.amount, 'EUR',
    CASE WHEN m.kind <> 'WAIVER' THEN m.method END,
    CASE m.kind WHEN 'REFUND' THEN 'Left the course' WHEN 'WAIVER' THEN 'Hardship' END, m.occurred_at, m.occurred_at
FROM seed_moves m JOIN seed_outcomes o ON o.n = m.n LEFT JOIN seed_receipts r ON r.t = m.t
LEFT JOIN seed_moves paid ON paid.n = m.n AND paid.step = 1 AND m.kind = 'REFUND', seed_people bursar
WHERE bursar.kind = 1 AND bursar.n = 2 ORDER BY m.t;

UPDATE payments p SET transaction_id = last.id
FROM (SELECT DISTINCT ON (payment_id) payment_id, id FROM payment_transactions ORDER BY payment_id, occurred_at DESC, id DESC) AS last WHERE last.payment_id = p.id;
