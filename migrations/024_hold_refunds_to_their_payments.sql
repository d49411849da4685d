-- A refund pays back one payment, never more than it; the latest movement of a charge is the latest, whichever was entered last.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE payment_transactions ADD CONSTRAINT payment_transactions_refund_linked_check
    CHECK (kind <> 'REFUND' OR linked_id IS NOT NULL) NOT VALID;
ALTER TABLE payment_transactions VALIDATE CONSTRAINT payment_transactions_refund_linked_check;
ALTER TABLE payment_transactions ADD CONSTRAINT payment_transactions_reason_check CHECK (length(reason) <= 300) NOT VALID;
ALTER TABLE payment_transactions VALIDATE CONSTRAINT payment_transactions_reason_check;
ALTER TABLE payments ADD CONSTRAINT payments_cancel_reason_check CHECK (length(cancel_reason) BETWEEN 1 AND 300) NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT payments_cancel_reason_check;

-- Every entry moves its charge's totals in the same transaction. The charge's row is locked first, so that entries of one charge come one
-- after the other, and what is read after that is what the others left; the CHECKs of payments refuse what would be overpaid.
CREATE OR REPLACE FUNCTION book_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    charge payments;
    corrected payment_transactions;
    refunded numeric;
    moved text := coalesce(NEW.corrected_kind, NEW.kind);
    difference numeric := CASE WHEN NEW.kind = 'CORRECTION' THEN -NEW.amount ELSE NEW.amount END;
    is_latest boolean;
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
        IF moved IN ('PAYMENT', 'REFUND') THEN
            -- What of the payment was paid back and not taken back since, this entry included.
            SELECT coalesce(sum(r.amount), 0) INTO refunded FROM payment_transactions r
            WHERE r.payment_id = NEW.payment_id AND r.linked_id = NEW.linked_id AND r.kind = 'REFUND'
                AND NOT EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = r.id AND c.kind = 'CORRECTION');
        END IF;
        IF NEW.kind = 'REFUND' AND (corrected.kind <> 'PAYMENT'
            OR EXISTS (SELECT FROM payment_transactions c WHERE c.linked_id = NEW.linked_id AND c.kind = 'CORRECTION'))
        THEN
            RAISE EXCEPTION 'what is paid back is a payment that stands'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transactions_refund_check', TABLE = 'payment_transactions';
        END IF;
        IF NEW.kind = 'REFUND' AND refunded > corrected.amount THEN
            RAISE EXCEPTION 'more would be paid back than was paid by this entry'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transactions_refunds_check', TABLE = 'payment_transactions';
        END IF;
        IF NEW.corrected_kind = 'PAYMENT' AND refunded > 0 THEN
            RAISE EXCEPTION 'some of the payment was paid back'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'payment_transactions_has_refunds_check', TABLE = 'payment_transactions';
        END IF;
    END IF;
    -- A bank transfer of last week may be entered after a payment of today.
    is_latest := charge.transaction_id IS NULL OR (NEW.occurred_at, NEW.id) > (charge.payment_date, charge.transaction_id);
    UPDATE payments SET
        paid_total = paid_total + CASE WHEN moved = 'PAYMENT' THEN difference ELSE 0 END,
        refunded_total = refunded_total + CASE WHEN moved = 'REFUND' THEN difference ELSE 0 END,
        waived_total = waived_total + CASE WHEN moved = 'WAIVER' THEN difference ELSE 0 END,
        payment_date = CASE WHEN is_latest THEN NEW.occurred_at ELSE payment_date END,
        method = CASE WHEN is_latest THEN coalesce(NEW.method, method) ELSE coalesce(method, NEW.method) END,
        processed_by = CASE WHEN is_latest THEN NEW.processed_by ELSE processed_by END,
        transaction_id = CASE WHEN is_latest THEN NEW.id ELSE transaction_id END
    WHERE id = NEW.payment_id;
    RETURN NEW;
END
$$;
