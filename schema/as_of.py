"""A student as of an earlier moment."""

from datetime import date as Date  # noqa: N812 - a field is called date
from datetime import datetime, time
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from execution.costs import COST, SIZED_BY
from execution.fields import edge, edge_with
from resolvers import academic_years, as_of, attendance, classes, students, subjects
from schema.attendance_summaries import AttendanceSummary
from schema.grading import FinalGrade
from schema.listings.attendance import AttendanceStatus
from schema.listings.students import MembershipEndReason, MembershipReason
from schema.payments import Balance
from schema.references import to_one
from schema.spans import days_in, for_each_day

__all__ = ["StudentAsOf", "as_of_edge"]

_FIRST = strawberry.argument(description="The first day.")
_LAST = strawberry.argument(description=f"The last day: the span is of {attendance.MAX_SPAN_DAYS} days at most.")


@strawberry.type(description="A student's time in a class, as it was known at the moment.")
class PastMembership:
    from_date: Date = strawberry.field(description="The first day in the class.")
    to_date: Date | None = strawberry.field(description="The last day in the class; null while it went on.")
    reason: MembershipReason = strawberry.field(description="Why the student came into the class.")
    end_reason: MembershipEndReason | None = strawberry.field(description="Why the time in the class ended; null while it went on.")
    note: str | None = strawberry.field(description="What the office had noted.")
    class_ = to_one(
        classes.class_by_id, "class_id", name="class", metadata={COST: 3}, description="The class; what it says of itself is of now."
    )
    academic_year = to_one(academic_years.academic_year_by_id, "academic_year_id", metadata={COST: 3}, description="The class's year.")


@strawberry.type(description="A mark as it was known at the moment.")
class PastAttendance:
    date: Date = strawberry.field(description="The day, where the school is.")
    status: AttendanceStatus = strawberry.field(description="Whether the student was there.")
    excused: bool = strawberry.field(description="Whether it was excused.")
    excuse_reason: str | None = strawberry.field(description="Why it was excused.")
    arrival_time: time | None = strawberry.field(description="When the student came, where the school is.")
    minutes_late: int | None = strawberry.field(description="How many minutes late.")
    minutes_present: int | None = strawberry.field(description="How many minutes the student was there.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null for a whole-day mark.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class the student was marked in.")
    attendance = to_one(attendance.attendance_by_id, "attendance_id", metadata={COST: 3}, description="The mark as it is now.")


@strawberry.type(
    description="What was known of a student at a moment: a record from when it was made, a changed value until its change."
    " What was entered in the minute before the moment may still have been under way."
)
class StudentAsOf:
    at: datetime = strawberry.field(description="The moment.")
    student = to_one(students.student_by_id, "student_id", metadata={COST: 3}, description="The student as of now.")
    class_membership: PastMembership | None = edge(
        as_of.class_as_of,
        "key",
        metadata={COST: 12},
        description="The class that the student was in on that day, as far as you may see it; null when in none.",
    )
    class_history: list[PastMembership] = edge(
        as_of.class_history_as_of,
        "key",
        metadata={COST: 12},
        description="The classes that the student had been in, and was known to be, earliest first.",
    )
    final_grades: list[FinalGrade] = edge(
        as_of.final_grades_as_of,
        "key",
        metadata={COST: 45, SIZED_BY: 40},
        description="The final grades that had been posted and counted, by semester and subject.",
    )
    balance: list[Balance] = edge(
        as_of.balance_as_of, "key", metadata={COST: 35, SIZED_BY: 2}, description="What the student owed, one entry a currency."
    )

    @edge_with(
        as_of.attendance_as_of,
        "key",
        metadata={COST: for_each_day(0.6, 10), SIZED_BY: days_in},
        description="The attendance that was known, latest day first.",
    )
    def attendance(self, info: Info, from_date: Annotated[Date, _FIRST], to_date: Annotated[Date, _LAST]) -> list[PastAttendance]:
        return attendance.span(from_date, to_date, longest=attendance.MAX_SPAN_DAYS)  # type: ignore[return-value]  # the loader's argument

    @edge_with(
        as_of.attendance_summary_as_of,
        "key",
        metadata={COST: for_each_day(1.2, 10)},
        description="The whole-day attendance that was known; null without marks.",
    )
    def attendance_summary(
        self, info: Info, from_date: Annotated[Date, _FIRST], to_date: Annotated[Date, _LAST]
    ) -> AttendanceSummary | None:
        return attendance.span(from_date, to_date, longest=attendance.MAX_SPAN_DAYS)  # type: ignore[return-value]  # the loader's argument


def as_of_edge() -> Any:
    """The field `asOf` of a student."""

    def prepare(
        self: Any, info: Info, at: Annotated[datetime, strawberry.argument(description="The moment, with its time zone.")]
    ) -> StudentAsOf | None:
        return as_of.moment(at)  # type: ignore[return-value]  # the loader's argument

    return edge_with(
        as_of.students_as_of, "id", description="What was known of the student at a moment; null when the student was not known yet."
    )(prepare)
