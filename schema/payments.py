"""Charges and what students owe."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, payments, students, subjects, users
from schema.connections import connection, root_connection
from schema.listings.payments import PAYMENTS, TRANSACTIONS, PaymentMethod, PaymentStatus
from schema.listings.subjects import FEE_CATEGORIES
from schema.nodes import Node, node, root_node
from schema.references import to_one

__all__ = ["Balance", "FeeCategory", "Payment", "PaymentQueries"]


@node(subjects.FeeCategory, subjects.fee_category_by_id)
@strawberry.type(description="What is charged for.")
class FeeCategory(Node):
    code: str = strawberry.field(description="A short code, unique in the school.")
    name: str = strawberry.field(description="The name.")
    description: str | None = strawberry.field(description="What it pays for.")
    default_amount: Decimal | None = strawberry.field(description="What is usually charged.")
    currency: str = strawberry.field(description="ISO 4217 code of its currency.")
    is_active: bool = strawberry.field(description="Whether it is charged now.")
    created_at: datetime = strawberry.field(description="When the record was made.")
    updated_at: datetime = strawberry.field(description="When the record last changed.")
    version: int = strawberry.field(description="Counts the changes of the record; an update names the one it was made from.")
    payments = connection(PAYMENTS, "fee_category", cost=100, count_cost=100, description="Its charges that you may see, latest due first.")


@node(payments.Payment, payments.payment_by_id)
@strawberry.type(description="A charge: what a student owes. What is paid, waived, refunded and left follows from what moved on it.")
class Payment(Node):
    amount: Decimal = strawberry.field(description="What was charged.")
    currency: str = strawberry.field(description="ISO 4217 code of its currency.")
    description: str | None = strawberry.field(description="What for.")
    due_date: date = strawberry.field(description="The day it falls due, where the school is.")
    status: PaymentStatus = strawberry.field(description="How it stands.")
    is_overdue: bool = strawberry.field(description="Whether something is owed after the due date, by the school's clock now.")
    paid_total: Decimal = strawberry.field(description="What was paid in all.")
    refunded_total: Decimal = strawberry.field(description="What was paid back in all.")
    waived_total: Decimal = strawberry.field(description="What was let off in all.")
    balance: Decimal = strawberry.field(description="What is still owed.")
    payment_date: datetime | None = strawberry.field(description="When something last moved on it.")
    method: PaymentMethod | None = strawberry.field(description="How money last moved on it.")
    cancelled_at: datetime | None = strawberry.field(description="When the school took it back.")
    cancel_reason: str | None = strawberry.field(description="Why the school took it back.")
    created_at: datetime = strawberry.field(description="When it was charged.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="Counts the changes of the record.")
    student = to_one(students.student_by_id, "student_id", description="Who owes it.")
    fee_category = to_one(subjects.fee_category_by_id, "fee_category_id", description="What it is charged for.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The year it is charged for.")
    processed_by = to_one(users.user_by_id, "processed_by", description="Who entered what last moved on it.")
    transactions = connection(TRANSACTIONS, "payment", description="What moved on it, earliest first.")


@strawberry.type(description="What a student owes in one currency.")
class Balance:
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    charged: Decimal = strawberry.field(description="What was charged and stands.")
    waived: Decimal = strawberry.field(description="What was let off.")
    paid: Decimal = strawberry.field(description="What was paid.")
    refunded: Decimal = strawberry.field(description="What was paid back.")
    balance: Decimal = strawberry.field(description="What is still owed.")
    overdue: Decimal = strawberry.field(description="What of it is owed after its due date, by the school's clock now.")


@strawberry.type
class PaymentQueries:
    payment = root_node(Payment, description="The charge with this id.")
    fee_category = root_node(FeeCategory, description="The fee category with this id.")
    payments = root_connection(
        PAYMENTS, Capability.SIGNED_IN, cost=150, count_cost=250, description="The charges you may see, latest due first."
    )
    fee_categories = root_connection(FEE_CATEGORIES, Capability.SIGNED_IN, description="The fee categories, by name.")
