-- Takes back 016_create_payment_transactions.
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE payments DROP CONSTRAINT payments_transaction_id_fkey;
DROP TABLE payment_transactions;
DROP FUNCTION book_transaction();
DROP TABLE receipts;
DROP TABLE receipt_counters;
