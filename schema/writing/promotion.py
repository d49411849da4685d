"""Promotion into the next academic year, by administrators: a plan, then its application."""

from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from execution.errors import Refusal
from execution.fields import computed
from resolvers import academic_years, classes, students
from resolvers.identifiers import read_id
from resolvers.writing.promotion import apply_promotion, plan_promotion
from rules.promotion import Plan, Row
from schema.inputs import IdempotentInput, may, must, node_id, read_input
from schema.mutations import mutation, payload_value
from schema.references import to_one
from schema.roots import root

__all__ = ["PromotionMutations", "PromotionQueries"]

_CAP = 500


@strawberry.enum(description="What becomes of a student when the year is over.")
class PromotionAction(Enum):
    PROMOTE = strawberry.enum_value("PROMOTE", description="Goes up a grade level.")
    REPEAT = strawberry.enum_value("REPEAT", description="Stays in the grade level.")
    GRADUATE = strawberry.enum_value("GRADUATE", description="Has finished school.")
    LEAVE = strawberry.enum_value("LEAVE", description="Leaves the school.")


@strawberry.type(description="What becomes of one student.")
class PromotionRow:
    action: PromotionAction = strawberry.field(description="What becomes of them.")
    error: str | None = strawberry.field(description="Why it cannot be: `NO_CLASS`, `CLASS_FULL`, `WRONG_CLASS`; null when it can.")
    student = to_one(students.student_by_id, "student_id", description="The student.")
    from_class = to_one(classes.class_by_id, "from_class_id", description="The class of the year that ends.")
    to_class = to_one(classes.class_by_id, "to_class_id", description="The class of the year to come; null for who goes.")


@strawberry.type(description="What would become of everyone. Nothing is written until it is applied.")
class PromotionPlan:
    hash: str = computed(lambda plan: plan.hash, description="Says that you saw this plan: `applyPromotion` asks for it.")
    promoted: int = computed(lambda plan: plan.count("PROMOTE"), description="How many go up a grade level.")
    repeated: int = computed(lambda plan: plan.count("REPEAT"), description="How many stay in their grade level.")
    graduated: int = computed(lambda plan: plan.count("GRADUATE"), description="How many have finished school.")
    left: int = computed(lambda plan: plan.count("LEAVE"), description="How many leave.")
    failing: int = computed(
        lambda plan: plan.failing, description="How many rows and instructions cannot be: the plan is applied when it is 0."
    )

    @strawberry.field(metadata={SIZED_BY: "first"}, description="The rows, by class and name.")
    def rows(
        self: Any,
        first: Annotated[int, strawberry.argument(description=f"How many, at most {_CAP}.")] = 100,
        after: Annotated[strawberry.ID | None, strawberry.argument(description="Only what comes after this student.")] = None,
        only_errors: Annotated[bool, strawberry.argument(description="Only the rows that cannot be.")] = False,
    ) -> list[PromotionRow]:
        if not 0 <= first <= _CAP:
            raise Refusal("BAD_USER_INPUT", f"`first` must be between 0 and {_CAP}.", argument="first")
        rows: list[Row] = [row for row in self.rows if row.error or not only_errors]
        if after is not None:
            last = read_id(after, students.Student.tag, students.Student.type_name, "after")
            place = next((n for n, row in enumerate(rows) if row.student_id == last), None)
            if place is None:
                raise Refusal("BAD_USER_INPUT", "`after` is not a student of these rows.", argument="after")
            rows = rows[place + 1 :]
        return rows[:first]  # type: ignore[return-value]  # rows stand for types


@strawberry.input(description="What is to become of one student, instead of the usual.")
class PromotionOverrideInput:
    student_id: strawberry.ID = node_id(students.Student, "The student.")
    action: PromotionAction = must("What becomes of them.")
    class_id: strawberry.ID | None = node_id(
        classes.Class, "The class of the year to come; the one of the same section when left out.", optional=True
    )


@strawberry.input(description="Which year ends, which one begins, and for whom it is not the usual.")
class PlanPromotionInput:
    from_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year that ends.")
    to_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year that begins.")
    overrides: list[PromotionOverrideInput] | None = may("For whom it is not the usual, at most 500.")


@strawberry.input(description="A plan that you saw.")
class ApplyPromotionInput(IdempotentInput):
    from_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year that ends.")
    to_academic_year_id: strawberry.ID = node_id(academic_years.AcademicYear, "The year that begins.")
    overrides: list[PromotionOverrideInput] | None = may("As in the plan.")
    hash: str = must("The plan's `hash`.")


@strawberry.type
class PromotionQueries:
    @root(
        Capability.MANAGE_SCHOOL,
        metadata={COST: 500},
        description="What would become of everyone when the year is over: up a grade level into the class of the same section; from the highest"
        " level one graduates. Nothing is written.",
    )
    async def plan_promotion(
        self, info: Info, input: Annotated[PlanPromotionInput, strawberry.argument(description="Which years.")]
    ) -> PromotionPlan | None:
        given, errors = read_input(input)
        if errors:
            raise Refusal("BAD_USER_INPUT", " ".join(each.message for each in errors), argument=errors[0].field)
        plan: Plan = await plan_promotion(info.context, given)
        return plan  # type: ignore[return-value]  # it has what the type's fields read


@strawberry.type
class PromotionMutations:
    apply_promotion = mutation(
        Capability.MANAGE_SCHOOL,
        ApplyPromotionInput,
        apply_promotion,
        revokes_access=True,
        scope="applyPromotion",
        description="Does what a plan says, all of it or nothing; refused when anything has changed since you saw it.",
        promoted=payload_value(int | None, "How many went up a grade level."),
        repeated=payload_value(int | None, "How many stayed in their grade level."),
        graduated=payload_value(int | None, "How many have finished school."),
        left=payload_value(int | None, "How many left."),
    )
