-- What is owed: charges. Paid, waived, refunded, balance and status follow from the ledger.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

CREATE TABLE payments (
    id uuid PRIMARY KEY DEFAULT uuidv7(),
    student_id uuid NOT NULL,
    fee_category_id uuid NOT NULL,
    academic_year_id uuid NOT NULL,
    processed_by uuid,
    created_by uuid,
    due_date date NOT NULL,
    amount numeric(14, 3) NOT NULL,
    currency text NOT NULL,
    description text,
    paid_total numeric(14, 3) NOT NULL DEFAULT 0,
    refunded_total numeric(14, 3) NOT NULL DEFAULT 0,
    waived_total numeric(14, 3) NOT NULL DEFAULT 0,
    cancelled_at timestamptz,
    cancel_reason text,
    payment_date timestamptz,
    method text,
    transaction_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1,
    balance numeric(14, 3) NOT NULL GENERATED ALWAYS AS (
        CASE WHEN cancelled_at IS NULL THEN amount - waived_total - (paid_total - refunded_total) ELSE 0 END
    ) STORED,
    -- A function of the ledger: due = amount - waivers, net = payments - refunds.
    status text NOT NULL GENERATED ALWAYS AS (
        CASE
            WHEN cancelled_at IS NOT NULL THEN 'CANCELLED'
            WHEN amount = waived_total THEN 'WAIVED'
            WHEN paid_total = refunded_total AND refunded_total > 0 THEN 'REFUNDED'
            WHEN paid_total = refunded_total THEN 'PENDING'
            WHEN paid_total - refunded_total < amount - waived_total THEN 'PARTIAL'
            ELSE 'PAID'
        END
    ) STORED,
    CONSTRAINT payments_student_id_fkey FOREIGN KEY (student_id) REFERENCES students (id),
    CONSTRAINT payments_fee_category_id_fkey FOREIGN KEY (fee_category_id) REFERENCES fee_categories (id),
    CONSTRAINT payments_academic_year_id_fkey FOREIGN KEY (academic_year_id) REFERENCES academic_years (id),
    CONSTRAINT payments_processed_by_fkey FOREIGN KEY (processed_by) REFERENCES users (id),
    CONSTRAINT payments_created_by_fkey FOREIGN KEY (created_by) REFERENCES users (id),
    CONSTRAINT payments_amount_check CHECK (amount > 0 AND scale(trim_scale(amount)) <= currency_exponent(currency)),
    CONSTRAINT payments_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT payments_description_check CHECK (length(description) <= 300),
    CONSTRAINT payments_method_check CHECK (method IN ('CASH', 'CARD', 'BANK_TRANSFER', 'CHECK', 'ONLINE')),
    CONSTRAINT payments_cancelled_check CHECK (cancelled_at IS NULL OR (cancel_reason IS NOT NULL AND paid_total = refunded_total)),
    CONSTRAINT payments_refunds_check CHECK (refunded_total BETWEEN 0 AND paid_total),
    CONSTRAINT payments_waivers_check CHECK (waived_total BETWEEN 0 AND amount),
    CONSTRAINT payments_within_owed_check CHECK (paid_total - refunded_total <= amount - waived_total)
);

CREATE FUNCTION refuse_changed_charge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a charge keeps its student, amount and currency: cancel it and make another'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'payments_unchanged_check', TABLE = 'payments';
END
$$;

CREATE TRIGGER payments_unchanged BEFORE UPDATE ON payments
    FOR EACH ROW WHEN ((OLD.student_id, OLD.amount, OLD.currency) IS DISTINCT FROM (NEW.student_id, NEW.amount, NEW.currency))
    EXECUTE FUNCTION refuse_changed_charge();
CREATE TRIGGER payments_no_delete BEFORE DELETE ON payments FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER payments_touch BEFORE UPDATE ON payments FOR EACH ROW EXECUTE FUNCTION touch_row();
