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
FROM payments p WHERE p.transaction_id IS DISTINCT FROM
    (SELECT t.id FROM payment_transactions t WHERE t.payment_id = p.id ORDER BY t.occurred_at DESC, t.id DESC LIMIT 1)

-- check: receipt_numbers_are_gapless
-- The receipts of an academic year are numbered 1, 2, 3 … up to its counter.
SELECT academic_year_id
FROM (SELECT academic_year_id, count(*) AS receipts, max(number) AS latest FROM receipts GROUP BY 1) AS r
FULL JOIN receipt_counters c USING (academic_year_id)
WHERE coalesce(r.receipts, 0) <> coalesce(c.last_number, 0) OR coalesce(r.latest, 0) <> coalesce(c.last_number, 0)
