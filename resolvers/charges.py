"""Charges, their transactions, receipts and balances. Charges are the rows of the table `payments`."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key, lists_from_statement

__all__ = [
    "Balance",
    "Charge",
    "PaymentTransaction",
    "Receipt",
    "balances_of_student",
    "charge_by_id",
    "receipt_by_id",
    "transaction_by_id",
]


class Charge(Row):
    __slots__ = ()
    type_name = "Charge"
    tag = "chg"


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


charge_by_id = by_key(queries.payments, Charge)
transaction_by_id = by_key(queries.payment_transactions, PaymentTransaction)
receipt_by_id = by_key(queries.receipts, Receipt)
balances_of_student = lists_from_statement(queries.balances, Balance)
