-- The format of this file: README.md in this folder.

-- page: payments
-- Charges: what is owed, by the day it falls due.
SELECT p.id, p.student_id, p.fee_category_id, p.academic_year_id, p.processed_by, p.created_by, p.due_date, p.currency, p.description,
    round(p.amount, currency_exponent(p.currency)) AS amount, round(p.paid_total, currency_exponent(p.currency)) AS paid_total,
    round(p.refunded_total, currency_exponent(p.currency)) AS refunded_total, round(p.waived_total, currency_exponent(p.currency)) AS waived_total,
    p.cancelled_at, p.cancel_reason, p.payment_date AS last_transaction_at, p.method, p.transaction_id,
    round(p.balance, currency_exponent(p.currency)) AS balance, p.status, p.created_at, p.updated_at, p.version,
    (p.due_date < school_today() AND p.balance > 0) AS is_overdue
FROM payments p
WHERE @visible(payments p)
-- key: p.id
-- order due_date date: p.due_date
-- order last_transaction_at timestamptz: coalesce(p.payment_date, '-infinity')
-- filter student_ids: p.student_id = ANY($student_ids::uuid[])
-- filter class_ids: p.student_id IN (SELECT s.id FROM students s WHERE s.class_id = ANY($class_ids::uuid[]))
-- filter fee_category_ids: p.fee_category_id = ANY($fee_category_ids::uuid[])
-- filter academic_year_ids: p.academic_year_id = ANY($academic_year_ids::uuid[])
-- filter statuses: p.status = ANY($statuses::text[])
-- filter methods: p.method = ANY($methods::text[])
-- flag is_overdue: p.status IN ('PENDING', 'PARTIAL', 'REFUNDED') AND p.due_date < school_today() ELSE p.status NOT IN ('PENDING', 'PARTIAL', 'REFUNDED') OR p.due_date >= (SELECT school_today())
-- flag is_open: p.status IN ('PENDING', 'PARTIAL', 'REFUNDED')
-- filter due_from: p.due_date >= $due_from
-- filter due_to: p.due_date <= $due_to
-- filter last_transaction_since: p.payment_date >= $last_transaction_since
-- filter last_transaction_before: p.payment_date < $last_transaction_before
-- filter processed_by_ids: p.processed_by = ANY($processed_by_ids::uuid[])
-- ids processed_by_ids: users
-- per student: p.student_id = $parent
-- per fee_category: p.fee_category_id = $parent
-- by id uuid: p.id
-- by transaction uuid: p.transaction_id

-- name: balances
-- What students owe in all, a row a currency: charges that stand, less waivers, less what was paid and not paid back.
SELECT p.student_id AS key, p.currency,
    round(coalesce(sum(p.amount) FILTER (WHERE p.cancelled_at IS NULL), 0), currency_exponent(p.currency)) AS charged,
    round(coalesce(sum(p.waived_total) FILTER (WHERE p.cancelled_at IS NULL), 0), currency_exponent(p.currency)) AS waived,
    round(sum(p.paid_total), currency_exponent(p.currency)) AS paid,
    round(sum(p.refunded_total), currency_exponent(p.currency)) AS refunded,
    round(sum(p.balance), currency_exponent(p.currency)) AS balance,
    round(coalesce(sum(p.balance) FILTER (WHERE p.due_date < school_today()), 0), currency_exponent(p.currency)) AS overdue
FROM payments p
WHERE p.student_id = ANY($keys::uuid[]) AND @visible(payments p)
GROUP BY p.student_id, p.currency
ORDER BY p.student_id, p.currency

-- page: payment_transactions
-- What moved: payments, refunds, waivers, corrections, by when.
SELECT t.id, t.payment_id, t.receipt_id, t.linked_id, t.processed_by, t.kind, t.corrected_kind,
    round(t.amount, currency_exponent(t.currency)) AS amount, t.currency, t.method, t.reason,
    t.occurred_at, t.created_at
FROM payment_transactions t
JOIN payments p ON p.id = t.payment_id
WHERE @visible(payments p)
-- key: t.id
-- order occurred_at timestamptz: t.occurred_at
-- per payment: t.payment_id = $parent
-- per receipt: t.receipt_id = $parent
-- by id uuid: t.id

-- page: receipts
-- Receipts, by number; what they are for as far as the viewer sees it.
SELECT c.id, c.academic_year_id, c.number, c.issued_at, c.issued_by, c.created_at,
    (
        SELECT round(sum(t.amount), currency_exponent(min(t.currency))) FROM payment_transactions t JOIN payments p ON p.id = t.payment_id
        WHERE t.receipt_id = c.id AND t.kind = 'PAYMENT' AND (@visible(payments p))
    ) AS amount,
    (SELECT min(t.currency) FROM payment_transactions t WHERE t.receipt_id = c.id) AS currency
FROM receipts c
WHERE EXISTS (SELECT FROM payment_transactions t JOIN payments p ON p.id = t.payment_id WHERE t.receipt_id = c.id AND @visible(payments p))
-- key: c.id
-- order number integer: c.number
-- filter academic_year_ids: c.academic_year_id = ANY($academic_year_ids::uuid[])
-- by id uuid: c.id

-- table: payments
-- Charges of students.
fee_category_id academic_year_id
-- personal finance student: due_date, amount, currency, description (free text), paid_total, refunded_total, waived_total, cancelled_at, cancel_reason (free text), payment_date, method, transaction_id, balance, status; student_id -> students.user_id; 10 years after due_date
-- personal technical staff: created_by; created_by; while the record exists
-- personal technical staff: processed_by; processed_by; while the record exists

-- table: payment_transactions
-- Entries of the ledger.
-- personal finance student: receipt_id, linked_id, kind, corrected_kind, amount, currency, method, reason (free text), gateway, gateway_id, occurred_at; payment_id -> payments.student_id -> students.user_id; 10 years after occurred_at
-- personal technical staff: processed_by; processed_by; while the record exists

-- table: receipts
-- Receipts. What they are for is in the ledger's entries.
academic_year_id
-- personal finance student: number, issued_at; id -> payment_transactions[receipt_id].payment_id -> payments.student_id -> students.user_id; 10 years after issued_at
-- personal technical staff: issued_by; issued_by; while the record exists

-- table: receipt_counters
-- The last number of a year's receipts.
academic_year_id last_number
-- personal: none – it is a counter
