"""Promotion into the next academic year, for administrators: planned, then applied."""

from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from execution.errors import Refusal
from execution.fields import computed
from resolvers import academic_years, classes, students
from resolvers.plan_rows import MAX_PLAN_ROWS, page_of_rows
from resolvers.writing.promotion import apply_promotion, preview_promotion
from rules.promotion import Plan
from schema.inputs import IdempotentInput, node_id, optional, read_input, required
from schema.mutations import mutation, payload_value
from schema.references import to_one
from schema.roots import mutation_fields, query_fields, root

__all__ = ["PromotionMutations", "PromotionQueries"]


@strawberry.enum(description="What happens to a student at the end of an academic year.")
class PromotionAction(Enum):
    PROMOTE = strawberry.enum_value("PROMOTE", description="Moves up a grade level.")
    REPEAT = strawberry.enum_value("REPEAT", description="Stays in the grade level.")
    GRADUATE = strawberry.enum_value("GRADUATE", description="Graduates.")
    LEAVE = strawberry.enum_value("LEAVE", description="Leaves the school.")


@strawberry.type(description="The planned promotion of a student.")
class PromotionRow:
    action: PromotionAction = strawberry.field(description="The action.")
    error: str | None = strawberry.field(
        description="Why the row cannot be applied: `NO_CLASS`, `CLASS_FULL` or `WRONG_CLASS`; null if it can."
    )
    student = to_one(students.student_by_id, "student_id", description="The student.")
    from_class = to_one(classes.class_by_id, "from_class_id", description="The class in the academic year that ends.")
    to_class = to_one(
        classes.class_by_id, "to_class_id", description="The class in the new academic year; null for students who graduate or leave."
    )


@strawberry.type(description="The plan of a promotion. Nothing is written before it is applied.")
class PromotionPreview:
    hash: str = computed(lambda plan: plan.hash, description="A fingerprint of this plan, required by `applyPromotion`.")
    promoted_count: int = computed(lambda plan: plan.count("PROMOTE"), description="The number of students who move up a grade level.")
    repeated_count: int = computed(lambda plan: plan.count("REPEAT"), description="The number of students who repeat their grade level.")
    graduated_count: int = computed(lambda plan: plan.count("GRADUATE"), description="The number of students who graduate.")
    left_count: int = computed(lambda plan: plan.count("LEAVE"), description="The number of students who leave.")
    error_count: int = computed(
        lambda plan: plan.failing, description="The number of rows and exceptions with an error. It must be 0 to apply the plan."
    )

    @strawberry.field(metadata={SIZED_BY: "first"}, description="The rows, by class and name.")
    def rows(
        self: Any,
        first: Annotated[int, strawberry.argument(description=f"How many rows to return, at most {MAX_PLAN_ROWS}.")] = 100,
        after: Annotated[strawberry.ID | None, strawberry.argument(description="Return only rows after this student.")] = None,
        only_errors: Annotated[bool, strawberry.argument(description="Whether to return only rows with an error.")] = False,
    ) -> list[PromotionRow]:
        return page_of_rows(self.rows, first, after, only_errors=only_errors)  # type: ignore[return-value]  # rows stand for types


@strawberry.input(description="An exception for one student.")
class PromotionOverrideInput:
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    action: PromotionAction = required("The action.")
    class_id: strawberry.ID | None = node_id(
        classes.Class, "The class in the new academic year. Defaults to the class of the same section.", optional=True
    )


@strawberry.input(description="The academic years, and exceptions for students.")
class PreviewPromotionInput:
    from_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year that ends.")
    to_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year that begins.")
    overrides: list[PromotionOverrideInput] | None = optional("Exceptions for students, at most 500.")


@strawberry.input(description="The plan to apply.")
class ApplyPromotionInput(IdempotentInput):
    from_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year that ends.")
    to_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The academic year that begins.")
    overrides: list[PromotionOverrideInput] | None = optional("The exceptions, as in the plan.")
    hash: str = required("The plan's `hash`.")


@query_fields
class PromotionQueries:
    @root(
        Capability.MANAGE_SCHOOL,
        metadata={COST: 500},
        description="Plans the promotion of every student at the end of an academic year: up a grade level into the class of the"
        " same section, or graduation from the highest level. Nothing is written.",
    )
    async def preview_promotion(
        self, info: Info, input: Annotated[PreviewPromotionInput, strawberry.argument(description="The academic years.")]
    ) -> PromotionPreview | None:
        given, errors = read_input(input)
        if errors:
            raise Refusal("BAD_USER_INPUT", " ".join(each.message for each in errors), argument=errors[0].field)
        plan: Plan = await preview_promotion(info.context, given)
        return plan  # type: ignore[return-value]  # it has what the type's fields read


@mutation_fields
class PromotionMutations:
    apply_promotion = mutation(
        Capability.MANAGE_SCHOOL,
        ApplyPromotionInput,
        apply_promotion,
        revokes_access=True,
        scope="applyPromotion",
        description="Applies a plan completely or not at all. Rejected if anything has changed since the plan.",
        promoted_count=payload_value(int | None, "The number of students who moved up a grade level."),
        repeated_count=payload_value(int | None, "The number of students who repeat their grade level."),
        graduated_count=payload_value(int | None, "The number of students who graduate."),
        left_count=payload_value(int | None, "The number of students who left."),
    )
