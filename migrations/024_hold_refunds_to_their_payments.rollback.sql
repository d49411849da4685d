-- Takes back 024_hold_refunds_to_their_payments.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE OR REPLACE FUNCTION book_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    charge payments;
    corrected payment_transactions;
    moved text := coalesce(NEW.corrected_kind, NEW.kind);
    difference numeric := CASE WHEN NEW.kind = 'CORRECTION' THEN -NEW.amount ELSE NEW.amount END;
BEGIN
    SELECT * INTO charge FROM payments WHERE id = NEW.payment_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NEW;  -- the foreign key says so
    END IF;
    IF charge.currency <> NEW.currency THEN
        RAISE EXCEPTION 'the charge is in %, the entry in %', charge.currency, NEW.currency
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transactions_currency_check', TABLE = 'payment_transactions';
    END IF;
    IF charge.cancelled_at IS NOT NULL THEN
        RAISE EXCEPTION 'the charge is cancelled'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transactions_cancelled_check', TABLE = 'payment_transactions';
    END IF;
    IF NEW.linked_id IS NOT NULL THEN
        SELECT * INTO corrected FROM payment_transactions WHERE id = NEW.linked_id;
        IF corrected.payment_id <> NEW.payment_id
            OR (NEW.kind = 'CORRECTION' AND (corrected.kind <> NEW.corrected_kind OR corrected.amount <> NEW.amount))
        THEN
            RAISE EXCEPTION 'a contra-entry is of the same charge, kind and amount as the entry it takes back'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transactions_contra_check', TABLE = 'payment_transactions';
        END IF;
    END IF;
    UPDATE payments SET
        paid_total = paid_total + CASE WHEN moved = 'PAYMENT' THEN difference ELSE 0 END,
        refunded_total = refunded_total + CASE WHEN moved = 'REFUND' THEN difference ELSE 0 END,
        waived_total = waived_total + CASE WHEN moved = 'WAIVER' THEN difference ELSE 0 END,
        payment_date = NEW.occurred_at, method = coalesce(NEW.method, method),
        processed_by = NEW.processed_by, transaction_id = NEW.id
    WHERE id = NEW.payment_id;
    RETURN NEW;
END
$$;

ALTER TABLE payments DROP CONSTRAINT payments_cancel_reason_check;
ALTER TABLE payment_transactions DROP CONSTRAINT payment_transactions_reason_check;
ALTER TABLE payment_transactions DROP CONSTRAINT payment_transactions_refund_linked_check;
