"""What clients see. `make_schema` puts the nouns together."""

from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.academic_years import CalendarQueries
from schema.assessments import AssessmentQueries
from schema.attendance import AttendanceQueries
from schema.attendance_summaries import AttendanceSummaryQueries
from schema.audit import AuditQueries
from schema.books import BooksCheckQueries
from schema.classes import ClassQueries
from schema.gateway_events import GatewayEventMutations, GatewayEventQueries
from schema.grade_reopenings import GradeReopeningQueries
from schema.grades import GradeQueries
from schema.grading import GradingQueries
from schema.guardians import GuardianQueries
from schema.health import HealthQueries
from schema.nodes import NodeQueries, node_types
from schema.password_resets import PasswordResetMutations
from schema.payment_transactions import ReceiptQueries
from schema.payments import PaymentQueries
from schema.registers import RegisterQueries
from schema.roots import merge
from schema.scalars import SCALARS
from schema.search import SearchQueries
from schema.service_tokens import ServiceTokenMutations, ServiceTokenQueries
from schema.sessions import SessionMutations
from schema.sign_in import SignInMutations
from schema.students import StudentQueries
from schema.subjects import SubjectQueries
from schema.teachers import TeacherQueries
from schema.users import UserQueries
from schema.viewer import ViewerQueries
from schema.writing.attendance import AttendanceMutations
from schema.writing.calendar import CalendarMutations
from schema.writing.charges import ChargeMutations, ChargeQueries
from schema.writing.classes import ClassMutations
from schema.writing.final_grades import PostingMutations
from schema.writing.grades import GradeMutations
from schema.writing.payments import LedgerMutations
from schema.writing.people import PeopleMutations
from schema.writing.promotion import PromotionMutations, PromotionQueries
from schema.writing.reference_data import CatalogueMutations
from schema.writing.students import StudentMutations

__all__ = ["make_schema"]

Query = merge(
    "Query",
    [
        ViewerQueries,
        NodeQueries,
        SearchQueries,
        StudentQueries,
        GuardianQueries,
        TeacherQueries,
        UserQueries,
        ClassQueries,
        SubjectQueries,
        CalendarQueries,
        AttendanceQueries,
        AttendanceSummaryQueries,
        RegisterQueries,
        AssessmentQueries,
        GradeQueries,
        GradingQueries,
        GradeReopeningQueries,
        PaymentQueries,
        ReceiptQueries,
        AuditQueries,
        BooksCheckQueries,
        ServiceTokenQueries,
        HealthQueries,
        PromotionQueries,
        ChargeQueries,
        GatewayEventQueries,
    ],
    "Everything that can be read.",
)

Mutation = merge(
    "Mutation",
    [
        SignInMutations,
        SessionMutations,
        PasswordResetMutations,
        ServiceTokenMutations,
        CatalogueMutations,
        CalendarMutations,
        ClassMutations,
        PeopleMutations,
        StudentMutations,
        AttendanceMutations,
        GradeMutations,
        PostingMutations,
        PromotionMutations,
        ChargeMutations,
        LedgerMutations,
        GatewayEventMutations,
    ],
    "Everything that can be changed.",
)


def make_schema(execution_context_class: Any = None) -> strawberry.Schema:
    """The schema, run by graphql-core's executor or by the one given."""
    return strawberry.Schema(
        Query,
        Mutation,
        types=node_types(),
        config=StrawberryConfig(auto_camel_case=True, batching_config=None, scalar_map=SCALARS),
        execution_context_class=execution_context_class,
    )
