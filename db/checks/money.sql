-- check: charges_equal_their_ledger
-- A charge's totals of what was paid, refunded and waived are its ledger's.
SELECT p.id
FROM payments p LEFT JOIN (
    SELECT payment_id,
        sum(CASE WHEN kind = 'PAYMENT' THEN amount WHEN corrected_kind = 'PAYMENT' THEN -amount ELSE 0 END) AS paid,
        sum(CASE WHEN kind = 'REFUND' THEN amount WHEN corrected_kind = 'REFUND' THEN -amount ELSE 0 END) AS refunded,
        sum(CASE WHEN kind = 'WAIVER' THEN amount WHEN corrected_kind = 'WAIVER' THEN -amount ELSE 0 END) AS waived
    FROM payment_transactions GROUP BY payment_id
) AS ledger ON ledger.payment_id = p.id
WHERE (p.paid_total, p.refunded_total, p.waived_total)
    IS DISTINCT FROM (coalesce(ledger.paid, 0), coalesce(ledger.refunded, 0), coalesce(ledger.waived, 0))

-- check: charges_name_their_latest_movement
-- A charge names the latest entry of its ledger.
SELECT p.id
FROM payments p LEFT JOIN (
    SELECT DISTINCT ON (payment_id) payment_id, id FROM payment_transactions ORDER BY payment_id, occurred_at DESC, id DESC
) AS latest ON latest.payment_id = p.id
WHERE p.transaction_id IS DISTINCT FROM latest.id

-- check: receipt_numbers_are_gapless
-- The receipts of an academic year are numbered 1, 2, 3 … up to its counter.
SELECT academic_year_id
FROM (SELECT academic_year_id, count(*) AS receipts, max(number) AS latest FROM receipts GROUP BY 1) AS r
FULL JOIN receipt_counters c USING (academic_year_id)
WHERE coalesce(r.receipts, 0) <> coalesce(c.last_number, 0) OR coalesce(r.latest, 0) <> coalesce(c.last_number, 0)

-- check: receipt_numbers_begin_at_one
-- No receipt of an academic year has a number that is not counted: each from 1 to the last is there once.
SELECT r.id
FROM (SELECT id, number, row_number() OVER (PARTITION BY academic_year_id ORDER BY number, id) AS place FROM receipts) AS r WHERE r.number <> r.place

-- check: receipts_are_for_a_payment
-- Every receipt is for a payment, in one currency, of one moment, one method and one gateway's id.
SELECT r.id
FROM receipts r LEFT JOIN payment_transactions t ON t.receipt_id = r.id AND t.kind = 'PAYMENT'
GROUP BY r.id
HAVING count(t.id) = 0 OR count(DISTINCT (t.currency, t.method, t.occurred_at, t.gateway, t.gateway_id)) > 1

-- check: entries_are_in_their_charges_currency
-- An entry of the ledger is in the currency of its charge.
SELECT t.id
FROM payment_transactions t JOIN payments p ON p.id = t.payment_id WHERE t.currency <> p.currency

-- check: amounts_are_whole_units
-- Every amount is a whole number of its currency's smallest units.
-- The first condition is the cheap one: a whole number of the currency is right in any.
SELECT t.id
FROM payment_transactions t WHERE t.amount <> trunc(t.amount) AND scale(trim_scale(t.amount)) > currency_exponent(t.currency)
UNION ALL
SELECT p.id FROM payments p WHERE p.amount <> trunc(p.amount) AND scale(trim_scale(p.amount)) > currency_exponent(p.currency)

-- check: refunds_are_within_their_payment
-- What was paid back of a payment is no more than it, and nothing is paid back of one that was taken back.
SELECT paid.id
FROM payment_transactions paid
JOIN (
    SELECT r.linked_id, sum(r.amount) AS refunded FROM payment_transactions r
    WHERE r.kind = 'REFUND' AND NOT EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = r.id AND c.kind = 'CORRECTION')
    GROUP BY r.linked_id
) AS back ON back.linked_id = paid.id
WHERE back.refunded > CASE
    WHEN EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = paid.id AND c.kind = 'CORRECTION') THEN 0 ELSE paid.amount END

-- check: entries_lead_to_what_they_are_about
-- A refund leads to a payment, a correction to an entry of its kind and amount that it takes back; both of the same charge.
SELECT t.id
FROM payment_transactions t LEFT JOIN payment_transactions l ON l.id = t.linked_id
WHERE t.kind IN ('REFUND', 'CORRECTION') AND (
    l.id IS NULL OR l.payment_id <> t.payment_id OR (t.kind = 'REFUND' AND l.kind <> 'PAYMENT')
    OR (t.kind = 'CORRECTION' AND (l.kind, l.amount) IS DISTINCT FROM (t.corrected_kind, t.amount))
)

-- check: charges_are_not_paid_beyond_what_is_owed
-- What is paid and not paid back is no more than was charged and not let off; on a cancelled charge nothing is paid.
SELECT p.id
FROM payments p
WHERE p.paid_total - p.refunded_total > CASE WHEN p.cancelled_at IS NULL THEN p.amount - p.waived_total ELSE 0 END
    OR p.refunded_total NOT BETWEEN 0 AND p.paid_total OR p.waived_total NOT BETWEEN 0 AND p.amount

-- check: charges_stand_as_their_ledger_says
-- A charge's status is the function of its ledger, worked out anew from the entries.
SELECT p.id
FROM payments p LEFT JOIN (
    SELECT s.payment_id, sum(s.amount) FILTER (WHERE s.kind = 'PAYMENT') AS paid, sum(s.amount) FILTER (WHERE s.kind = 'REFUND') AS refunded,
        sum(s.amount) FILTER (WHERE s.kind = 'WAIVER') AS waived
    FROM payment_transactions s
    WHERE NOT EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = s.id AND c.kind = 'CORRECTION')
    GROUP BY s.payment_id
) AS entries ON entries.payment_id = p.id
CROSS JOIN LATERAL (
    SELECT coalesce(entries.paid, 0) AS paid, coalesce(entries.refunded, 0) AS refunded, coalesce(entries.waived, 0) AS waived
) AS l
WHERE p.status <> CASE
    WHEN p.cancelled_at IS NOT NULL THEN 'CANCELLED' WHEN p.amount = l.waived THEN 'WAIVED'
    WHEN l.paid = l.refunded THEN CASE WHEN l.refunded > 0 THEN 'REFUNDED' ELSE 'PENDING' END
    WHEN l.paid - l.refunded < p.amount - l.waived THEN 'PARTIAL' ELSE 'PAID' END

-- check: gateway_payments_are_booked_once
-- A gateway's payment is on one receipt alone, and once on each of its charges.
SELECT (array_agg(t.id ORDER BY t.id))[1]
FROM payment_transactions t WHERE t.gateway IS NOT NULL AND t.kind = 'PAYMENT'
GROUP BY t.gateway, t.gateway_id HAVING count(DISTINCT t.receipt_id) > 1 OR count(*) > count(DISTINCT t.payment_id)

-- check: idempotency_answers_lead_somewhere
-- What is kept beside an idempotency key leads to rows that are there.
SELECT k.user_id
FROM idempotency_keys k
WHERE k.answer IS NULL
    OR (k.answer ? 'receipt' AND NOT EXISTS (SELECT FROM receipts r WHERE r.id = (k.answer ->> 'receipt')::uuid))
    OR (k.answer ? 'payment' AND NOT EXISTS (SELECT FROM payments p WHERE p.id = (k.answer ->> 'payment')::uuid))
    OR EXISTS (
        SELECT FROM unnest(ARRAY[k.answer ->> 'transaction', k.answer ->> 'correction']) AS named (id)
        WHERE named.id IS NOT NULL AND NOT EXISTS (SELECT FROM payment_transactions t WHERE t.id = named.id::uuid)
    )
    OR EXISTS (
        SELECT FROM jsonb_array_elements_text(CASE WHEN jsonb_typeof(k.answer -> 'payments') = 'array' THEN k.answer -> 'payments' ELSE '[]' END) AS named (id)
        WHERE NOT EXISTS (SELECT FROM payments p WHERE p.id = named.id::uuid)
    )
