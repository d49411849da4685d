-- The format of this file: README.md in this folder.

-- page: gateway_events
-- The events that payment gateways reported, and what was done with each.
SELECT e.id, e.gateway, e.event_id, e.event_type, e.gateway_id, e.state, e.problem, e.received_at, e.updated_at, e.version,
    (e.facts ->> 'amount')::numeric AS amount, e.facts ->> 'currency' AS currency
FROM gateway_events e
WHERE @visible(gateway_events e)
-- key: e.id
-- order received_at timestamptz: e.received_at
-- filter states: e.state = ANY($states::text[])
-- by id uuid: e.id

-- name: take_gateway_event
-- Takes an event in: its id, or no row when it was taken in before. Waits for a request that takes in another event of the same payment and is
-- not done: of a payment and its refund that come at once, the later one sees what became of the earlier.
WITH alone AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended($gateway::text || ' ' || $payment::text, 0)))
INSERT INTO gateway_events (gateway, event_id, event_type, gateway_id, facts, problem, received_at)
SELECT $gateway::text, $event_id::text, $event_type::text, $gateway_id::text, $facts::text::jsonb, 'Not looked at yet.', school_now() FROM alone
ON CONFLICT (gateway, event_id) DO NOTHING
RETURNING id

-- name: hold_gateway_payment
-- Holds the payment that an event is about until the transaction ends, as receiving an event of it does. It is called before the event's row is locked.
WITH event AS (SELECT e.gateway, e.facts ->> 'payment' AS payment FROM gateway_events e WHERE e.id = $id::uuid)
SELECT pg_advisory_xact_lock(hashtextextended(event.gateway || ' ' || event.payment, 0)) FROM event

-- name: failed_refunds
-- Refunds of a gateway's payment that could not be booked, locked until the transaction ends.
SELECT e.id, e.facts FROM gateway_events e
WHERE e.gateway = $gateway::text AND e.facts ->> 'payment' = $payment::text AND e.facts ->> 'kind' = 'REFUND' AND e.state = 'FAILED'
ORDER BY e.received_at, e.id FOR UPDATE

-- name: lock_gateway_event
-- An event, locked until the transaction ends.
SELECT e.id, e.state, e.facts FROM gateway_events e WHERE e.id = $id::uuid FOR UPDATE

-- name: settle_gateway_event
-- Sets the state of an event. Setting it to BOOKED waits for another event of the same payment, and fails if that one was booked.
UPDATE gateway_events SET state = $state::text, problem = $problem::text WHERE id = $id::uuid

-- name: gateway_charges
-- The charges on which a gateway's payment was entered.
SELECT DISTINCT t.payment_id AS id FROM payment_transactions t
WHERE t.gateway = $gateway::text AND t.gateway_id = $gateway_id::text AND t.kind = 'PAYMENT'

-- name: gateway_payment
-- The entries of a gateway's payment, latest due first, with the amount of each that was neither refunded nor corrected, and the amount that the
-- gateway has refunded according to the books: what it reported, and what was entered by hand as an ONLINE refund before it reported.
SELECT t.id, t.payment_id, t.amount, t.currency,
    CASE WHEN EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = t.id AND c.kind = 'CORRECTION') THEN 0
        ELSE t.amount - (
            SELECT coalesce(sum(r.amount), 0) FROM payment_transactions r
            WHERE r.payment_id = t.payment_id AND r.linked_id = t.id AND r.kind = 'REFUND'
                AND NOT EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = r.id AND c.kind = 'CORRECTION')
        ) END AS remaining,
    (
        SELECT coalesce(sum(r.amount), 0) FROM payment_transactions r
        WHERE r.payment_id = t.payment_id AND r.linked_id = t.id AND r.kind = 'REFUND' AND (r.gateway = t.gateway OR r.method = 'ONLINE')
            AND NOT EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = r.id AND c.kind = 'CORRECTION')
    ) AS reported
FROM payment_transactions t JOIN payments p ON p.id = t.payment_id
WHERE t.gateway = $gateway::text AND t.gateway_id = $gateway_id::text AND t.kind = 'PAYMENT'
ORDER BY p.due_date DESC, t.id DESC

-- table: gateway_events
-- What payment gateways reported. Of an event only ids, amounts and times are stored, not the payer; the path exists once the event is booked.
gateway event_id event_type state received_at
-- personal finance student: gateway_id, facts (JSON), problem (free text); gateway_id -> payment_transactions[gateway_id].payment_id -> payments.student_id -> students.user_id; 10 years after received_at
