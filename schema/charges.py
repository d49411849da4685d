"""Charges and balances."""

from datetime import date, datetime
from decimal import Decimal

import strawberry

from auth.capabilities import Capability
from resolvers import academic_years, charges, students, subjects, users
from schema.connections import connection, root_connection
from schema.listings.charges import CHARGES, TRANSACTIONS, ChargeStatus, PaymentMethod
from schema.listings.subjects import FEE_CATEGORIES
from schema.nodes import Node, node, root_node
from schema.record_fields import created_at_field, updated_at_field, version_field
from schema.references import to_one
from schema.roots import query_fields

__all__ = ["Balance", "Charge", "ChargeQueries", "FeeCategory"]


@node(subjects.FeeCategory, subjects.fee_category_by_id)
@strawberry.type(description="A category of fees.")
class FeeCategory(Node):
    code: str = strawberry.field(description="A short code, unique in the school.")
    name: str = strawberry.field(description="The name.")
    description: str | None = strawberry.field(description="The description.")
    default_amount: Decimal | None = strawberry.field(description="The default amount.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    is_active: bool = strawberry.field(description="Whether it is in use.")
    created_at: datetime = created_at_field()
    updated_at: datetime = updated_at_field()
    version: int = version_field()
    charges = connection(
        CHARGES,
        "fee_category",
        cost=100,
        count_cost=100,
        description="The charges of the category, as far as you may see them, latest due date first.",
    )


@node(charges.Charge, charges.charge_by_id)
@strawberry.type(description="A charge to a student. The amounts paid, waived, refunded and still owed follow from its transactions.")
class Charge(Node):
    amount: Decimal = strawberry.field(description="The amount charged.")
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    description: str | None = strawberry.field(description="The description.")
    due_date: date = strawberry.field(description="The due date, in the school's time zone.")
    status: ChargeStatus = strawberry.field(description="The state.")
    is_overdue: bool = strawberry.field(description="Whether something is still owed after the due date, in the school's time zone.")
    paid_total: Decimal = strawberry.field(description="The total paid.")
    refunded_total: Decimal = strawberry.field(description="The total refunded.")
    waived_total: Decimal = strawberry.field(description="The total waived.")
    balance: Decimal = strawberry.field(description="The amount still owed.")
    last_transaction_at: datetime | None = strawberry.field(description="When its last transaction happened.")
    method: PaymentMethod | None = strawberry.field(description="The method of the last payment or refund.")
    cancelled_at: datetime | None = strawberry.field(description="When it was cancelled.")
    cancel_reason: str | None = strawberry.field(description="Why it was cancelled.")
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    version: int = strawberry.field(description="The version of the record, which increases with every change.")
    student = to_one(students.student_by_id, "student_id", description="The student who owes it.")
    fee_category = to_one(subjects.fee_category_by_id, "fee_category_id", description="The fee category.")
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", description="The academic year.")
    processed_by = to_one(users.user_by_id, "processed_by", description="Who entered its last transaction.")
    transactions = connection(TRANSACTIONS, "payment", description="The transactions, earliest first.")


@strawberry.type(description="What a student owes in one currency.")
class Balance:
    currency: str = strawberry.field(description="ISO 4217 code of the currency.")
    charged: Decimal = strawberry.field(description="The total of charges that are not cancelled.")
    waived: Decimal = strawberry.field(description="The total waived.")
    paid: Decimal = strawberry.field(description="The total paid.")
    refunded: Decimal = strawberry.field(description="The total refunded.")
    balance: Decimal = strawberry.field(description="The amount still owed.")
    overdue: Decimal = strawberry.field(description="The overdue part of it, in the school's time zone.")


@query_fields
class ChargeQueries:
    charge = root_node(Charge, description="The charge with this id.")
    fee_category = root_node(FeeCategory, description="The fee category with this id.")
    charges = root_connection(
        CHARGES, Capability.SIGNED_IN, cost=150, count_cost=250, description="The charges you may see, latest due date first."
    )
    fee_categories = root_connection(FEE_CATEGORIES, Capability.SIGNED_IN, description="The fee categories, by name.")
