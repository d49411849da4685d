"""Lists of charges, transactions and receipts."""

from datetime import date, datetime
from enum import Enum

import strawberry

from db.sql_catalog import queries
from resolvers.academic_years import AcademicYear
from resolvers.charges import Charge, PaymentTransaction, Receipt
from resolvers.classes import Class
from resolvers.students import Student
from resolvers.subjects import FeeCategory
from resolvers.users import User
from schema.connections import Listing, id_filter, optional, order_input

__all__ = ["CHARGES", "RECEIPTS", "TRANSACTIONS", "ChargeStatus", "PaymentMethod"]


@strawberry.enum(description="The state of a charge, which follows from its transactions. Whether it is overdue is stated separately.")
class ChargeStatus(Enum):
    PENDING = strawberry.enum_value("PENDING", description="Nothing is paid.")
    PARTIAL = strawberry.enum_value("PARTIAL", description="Paid in part.")
    PAID = strawberry.enum_value("PAID", description="Paid.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="Cancelled by the school.")
    REFUNDED = strawberry.enum_value("REFUNDED", description="Paid and fully refunded.")
    WAIVED = strawberry.enum_value("WAIVED", description="Fully waived.")


@strawberry.enum(description="The method of payment.")
class PaymentMethod(Enum):
    CASH = strawberry.enum_value("CASH", description="In cash.")
    CARD = strawberry.enum_value("CARD", description="By card, at the school.")
    BANK_TRANSFER = strawberry.enum_value("BANK_TRANSFER", description="By bank transfer.")
    CHECK = strawberry.enum_value("CHECK", description="By check.")
    ONLINE = strawberry.enum_value("ONLINE", description="Through a payment gateway.")


@strawberry.enum(description="The fields by which charges can be sorted.")
class ChargeOrderField(Enum):
    DUE_DATE = strawberry.enum_value("due_date", description="The due date.")
    LAST_TRANSACTION_AT = strawberry.enum_value(
        "last_transaction_at", description="When its last transaction happened; charges without transactions come earliest."
    )


@strawberry.input(description="Conditions for charges.")
class ChargeFilter:
    student_ids: list[strawberry.ID] | None = id_filter(Student, "Student", description="Of these students.")
    class_ids: list[strawberry.ID] | None = id_filter(Class, "Class", description="Of students now in one of these classes.")
    fee_category_ids: list[strawberry.ID] | None = id_filter(FeeCategory, "FeeCategory", description="Of these fee categories.")
    academic_year_ids: list[strawberry.ID] | None = id_filter(AcademicYear, "AcademicYear", description="Of these academic years.")
    statuses: list[ChargeStatus] | None = optional("With one of these statuses.")
    methods: list[PaymentMethod] | None = optional("Whose last payment used one of these methods.")
    is_overdue: bool | None = optional("Whether something is owed after the due date, in the school's time zone.")
    is_open: bool | None = optional("Whether something is still owed.")
    due_from: date | None = optional("Due on or after this date.")
    due_to: date | None = optional("Due on or before this date.")
    last_transaction_since: datetime | None = optional("Whose last transaction was at this moment or later.")
    last_transaction_before: datetime | None = optional("Whose last transaction was before this moment.")
    processed_by_ids: list[strawberry.ID] | None = id_filter(
        User, "User", description="Whose last transaction was entered by one of these users."
    )


CHARGES = Listing(
    queries.payments,
    Charge,
    order_input("Charge", ChargeOrderField),
    ChargeOrderField.DUE_DATE,
    ChargeFilter,
    descending=True,
)


@strawberry.enum(description="The fields by which transactions can be sorted.")
class PaymentTransactionOrderField(Enum):
    OCCURRED_AT = strawberry.enum_value("occurred_at", description="When it happened.")


TRANSACTIONS = Listing(
    queries.payment_transactions,
    PaymentTransaction,
    order_input("PaymentTransaction", PaymentTransactionOrderField),
    PaymentTransactionOrderField.OCCURRED_AT,
)


@strawberry.enum(description="The fields by which receipts can be sorted.")
class ReceiptOrderField(Enum):
    NUMBER = strawberry.enum_value("number", description="The receipt number.")


@strawberry.input(description="Conditions for receipts.")
class ReceiptFilter:
    academic_year_ids: list[strawberry.ID] | None = id_filter(AcademicYear, "AcademicYear", description="Of these academic years.")


RECEIPTS = Listing(
    queries.receipts,
    Receipt,
    order_input("Receipt", ReceiptOrderField),
    ReceiptOrderField.NUMBER,
    ReceiptFilter,
    descending=True,
)
