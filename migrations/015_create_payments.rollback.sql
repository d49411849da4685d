-- Takes back 015_create_payments.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

DROP TABLE payments;
DROP FUNCTION refuse_changed_charge();
