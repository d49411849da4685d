-- The format of this file: README.md in this folder.

-- name: lock_charges
-- Charges, locked in the order of their ids until the transaction ends: two payments over the same charges cannot wait for each other.
SELECT p.id, p.student_id, p.currency, p.balance, p.cancelled_at, p.due_date
FROM payments p WHERE p.id = ANY($ids::uuid[]) ORDER BY p.id FOR UPDATE

-- name: common_guardian
-- A guardian of all these students; no row when they share none.
SELECT g.guardian_id FROM guardian_students g WHERE g.student_id = ANY($student_ids::uuid[])
GROUP BY g.guardian_id HAVING count(*) = cardinality($student_ids::uuid[]) LIMIT 1

-- name: receipt_year
-- The academic year whose receipts are numbered today: the latest that has begun where the school is, else the first to come; and now.
SELECT y.id, school_now() AS now FROM academic_years y
ORDER BY (y.start_date <= school_today()) DESC, abs(y.start_date - school_today()) LIMIT 1

-- name: book_payment
-- One payment over its charges: the year's next number, its receipt, an entry for each charge. The counter is locked last, after the charges.
WITH counter AS (
    INSERT INTO receipt_counters AS c (academic_year_id, last_number) VALUES ($academic_year_id::uuid, 1)
    ON CONFLICT (academic_year_id) DO UPDATE SET last_number = c.last_number + 1
    RETURNING c.academic_year_id, c.last_number
), receipt AS (
    INSERT INTO receipts (academic_year_id, number, issued_at, issued_by)
    SELECT counter.academic_year_id, counter.last_number, school_now(), $user_id::uuid FROM counter
    RETURNING id
), entries AS (
    INSERT INTO payment_transactions (payment_id, receipt_id, processed_by, kind, amount, currency, method, reason, gateway, gateway_id, occurred_at)
    SELECT e.payment_id, receipt.id, $user_id::uuid, 'PAYMENT', e.amount, $currency::text, $method::text, $reason::text, $gateway::text, $gateway_id::text,
        coalesce($occurred_at::timestamptz, school_now())
    FROM jsonb_to_recordset($entries::text::jsonb) AS e (payment_id uuid, amount numeric), receipt
    ORDER BY e.payment_id
    RETURNING id
)
SELECT receipt.id AS receipt_id, ARRAY(SELECT entries.id FROM entries) AS transaction_ids FROM receipt

-- name: entry_charge
-- The charge that an entry is of.
SELECT t.payment_id FROM payment_transactions t WHERE t.id = $id::uuid

-- name: entry_facts
-- An entry of the ledger, whether it was taken back, and what of it was paid back.
SELECT t.id, t.payment_id, t.receipt_id, t.linked_id, t.kind, t.amount, t.currency, t.method, t.occurred_at,
    EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = t.id AND c.kind = 'CORRECTION') AS is_corrected,
    (
        SELECT coalesce(sum(r.amount), 0) FROM payment_transactions r
        WHERE r.payment_id = t.payment_id AND r.linked_id = t.id AND r.kind = 'REFUND'
            AND NOT EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = r.id AND c.kind = 'CORRECTION')
    ) AS refunded,
    school_now() AS now
FROM payment_transactions t WHERE t.id = $id::uuid

-- name: book_entry
-- One entry of the ledger that is no payment.
INSERT INTO payment_transactions (
    payment_id, receipt_id, linked_id, processed_by, kind, corrected_kind, amount, currency, method, reason, gateway, gateway_id, occurred_at
)
VALUES (
    $payment_id::uuid, $receipt_id::uuid, $linked_id::uuid, $user_id::uuid, $kind::text, $corrected_kind::text, $amount::numeric, $currency::text,
    $method::text, $reason::text, $gateway::text, $gateway_id::text, coalesce($occurred_at::timestamptz, school_now())
)
RETURNING id
