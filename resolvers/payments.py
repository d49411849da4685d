"""Charges, what moved on them, receipts, balances."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key, lists_from_statement

__all__ = [
    "Balance",
    "Payment",
    "PaymentTransaction",
    "Receipt",
    "balances_of_student",
    "payment_by_id",
    "receipt_by_id",
    "transaction_by_id",
]


class Payment(Row):
    __slots__ = ()
    type_name = "Payment"
    tag = "pay"


class PaymentTransaction(Row):
    __slots__ = ()
    type_name = "PaymentTransaction"
    tag = "txn"


class Receipt(Row):
    __slots__ = ()
    type_name = "Receipt"
    tag = "rct"


class Balance(Row):
    __slots__ = ()
    type_name = "Balance"


payment_by_id = by_key(queries.payments, Payment)
transaction_by_id = by_key(queries.payment_transactions, PaymentTransaction)
receipt_by_id = by_key(queries.receipts, Receipt)
balances_of_student = lists_from_statement(queries.balances, Balance)
