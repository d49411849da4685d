-- What moved: the append-only ledger, receipts, and the counter that leaves no gaps.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE receipt_counters (
    academic_year_id uuid PRIMARY KEY,
    last_number integer NOT NULL DEFAULT 0,
    CONSTRAINT receipt_counters_academic_year_id_fkey FOREIGN KEY (academic_year_id) REFERENCES academic_years (id),
    CONSTRAINT receipt_counters_last_number_check CHECK (last_number >= 0)
);

-- One receipt for one payment, over however many charges.
CREATE TABLE receipts (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    academic_year_id uuid NOT NULL,
    number integer NOT NULL,
    issued_at timestamptz NOT NULL DEFAULT now(),
    issued_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT receipts_academic_year_id_number_key UNIQUE (academic_year_id, number),
    CONSTRAINT receipts_academic_year_id_fkey FOREIGN KEY (academic_year_id) REFERENCES academic_years (id),
    CONSTRAINT receipts_issued_by_fkey FOREIGN KEY (issued_by) REFERENCES users (id),
    CONSTRAINT receipts_number_check CHECK (number > 0)
);

CREATE TABLE payment_transactions (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    payment_id uuid NOT NULL,
    receipt_id uuid,
    -- The entry that this one is about: a correction's, a refund's.
    linked_id uuid,
    processed_by uuid,
    kind text NOT NULL,
    -- What a correction takes back.
    corrected_kind text,
    amount numeric(14, 3) NOT NULL,
    currency text NOT NULL,
    method text,
    reason text,
    gateway text,
    gateway_id text,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT payment_transactions_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payments (id),
    CONSTRAINT payment_transactions_receipt_id_fkey FOREIGN KEY (receipt_id) REFERENCES receipts (id),
    CONSTRAINT payment_transactions_linked_id_fkey FOREIGN KEY (linked_id) REFERENCES payment_transactions (id),
    CONSTRAINT payment_transactions_processed_by_fkey FOREIGN KEY (processed_by) REFERENCES users (id),
    CONSTRAINT payment_transactions_kind_check CHECK (kind IN ('PAYMENT', 'REFUND', 'WAIVER', 'CORRECTION')),
    CONSTRAINT payment_transactions_corrected_kind_check
        CHECK ((kind = 'CORRECTION') = (corrected_kind IS NOT NULL) AND corrected_kind IN ('PAYMENT', 'REFUND', 'WAIVER')),
    CONSTRAINT payment_transactions_linked_check CHECK (kind <> 'CORRECTION' OR linked_id IS NOT NULL),
    CONSTRAINT payment_transactions_amount_check CHECK (amount > 0 AND scale(trim_scale(amount)) <= currency_exponent(currency)),
    CONSTRAINT payment_transactions_method_check CHECK (method IN ('CASH', 'CARD', 'BANK_TRANSFER', 'CHECK', 'ONLINE')),
    CONSTRAINT payment_transactions_payment_method_check CHECK (kind <> 'PAYMENT' OR (method IS NOT NULL AND receipt_id IS NOT NULL)),
    CONSTRAINT payment_transactions_gateway_check CHECK ((gateway IS NULL) = (gateway_id IS NULL))
);

-- A correction takes an entry back once.
CREATE UNIQUE INDEX payment_transactions_corrected_once_key ON payment_transactions (linked_id) WHERE kind = 'CORRECTION';
-- A gateway's news counts once for each charge it pays.
CREATE UNIQUE INDEX payment_transactions_gateway_key ON payment_transactions (gateway, gateway_id, payment_id) WHERE gateway IS NOT NULL;

-- Every entry moves its charge's totals in the same transaction. The charge's row is locked by the update, so that entries of one charge
-- come one after the other; the CHECKs of payments then refuse what would be overpaid or refunded twice.
CREATE FUNCTION book_transaction() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER payment_transactions_book AFTER INSERT ON payment_transactions FOR EACH ROW EXECUTE FUNCTION book_transaction();
CREATE TRIGGER payment_transactions_append_only BEFORE UPDATE OR DELETE ON payment_transactions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipts_append_only BEFORE UPDATE OR DELETE ON receipts FOR EACH ROW EXECUTE FUNCTION refuse_change();

ALTER TABLE payments ADD CONSTRAINT payments_transaction_id_fkey
    FOREIGN KEY (transaction_id) REFERENCES payment_transactions (id) NOT VALID;
ALTER TABLE payments VALIDATE CONSTRAINT payments_transaction_id_fkey;
