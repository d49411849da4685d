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
from schema.charges import Balance
from schema.grading import FinalGrade
from schema.listings.attendance import AttendanceStatus
from schema.listings.students import MembershipEndReason, MembershipReason
from schema.references import to_one
from schema.spans import days_in, for_each_day

__all__ = ["StudentAsOf", "as_of_edge"]

_FIRST = strawberry.argument(description="The first day.")
_LAST = strawberry.argument(description=f"The last day; the period must not be longer than {attendance.MAX_SPAN_DAYS} days.")


@strawberry.type(description="A student's membership in a class, as it was recorded at the moment.")
class PastMembership:
    from_date: Date = strawberry.field(description="The first day in the class.")
    to_date: Date | None = strawberry.field(description="The last day in the class; null if it had not ended.")
    reason: MembershipReason = strawberry.field(description="Why the student came into the class.")
    end_reason: MembershipEndReason | None = strawberry.field(description="Why the membership ended; null if it had not ended.")
    note: str | None = strawberry.field(description="The office's note.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", metadata={COST: 3}, description="The class, with its current data.")
    academic_year = to_one(
        academic_years.academic_year_by_id, "academic_year_id", metadata={COST: 3}, description="The academic year of the class."
    )


@strawberry.type(description="An attendance mark, as it was recorded at the moment.")
class PastAttendance:
    date: Date = strawberry.field(description="The date, in the school's time zone.")
    status: AttendanceStatus = strawberry.field(description="Whether the student was present.")
    excused: bool = strawberry.field(description="Whether the absence or lateness was excused.")
    excuse_reason: str | None = strawberry.field(description="The reason for the excuse.")
    arrival_time: time | None = strawberry.field(description="When the student arrived, in the school's time.")
    minutes_late: int | None = strawberry.field(description="The minutes by which the student was late.")
    minutes_present: int | None = strawberry.field(description="The minutes of presence.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null for a whole-day mark.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The student's class at the time.")
    attendance = to_one(attendance.attendance_by_id, "attendance_id", metadata={COST: 3}, description="The mark as it is now.")


@strawberry.type(
    description="A student as recorded at a moment. Changes made in the last minute before the moment may not be included,"
    " since they may not have been committed yet."
)
class StudentAsOf:
    at: datetime = strawberry.field(description="The moment.")
    student = to_one(students.student_by_id, "student_id", metadata={COST: 3}, description="The student as of now.")
    class_membership: PastMembership | None = edge(
        as_of.class_as_of,
        "key",
        metadata={COST: 12},
        description="The student's class on that day; null if there was none or you may not see it.",
    )
    class_history: list[PastMembership] = edge(
        as_of.class_history_as_of,
        "key",
        metadata={COST: 12},
        description="The student's class memberships, as recorded at the moment, earliest first.",
    )
    final_grades: list[FinalGrade] = edge(
        as_of.final_grades_as_of,
        "key",
        metadata={COST: 45, SIZED_BY: 40},
        description="The final grades that were valid at the moment, by semester and subject.",
    )
    balances: list[Balance] = edge(
        as_of.balance_as_of, "key", metadata={COST: 35, SIZED_BY: 2}, description="What the student owed, one entry per currency."
    )

    @edge_with(
        as_of.attendance_as_of,
        "key",
        metadata={COST: for_each_day(0.6, 10), SIZED_BY: days_in},
        description="The recorded attendance, latest date first.",
    )
    def attendance(self, info: Info, from_date: Annotated[Date, _FIRST], to_date: Annotated[Date, _LAST]) -> list[PastAttendance]:
        return attendance.span(from_date, to_date, longest=attendance.MAX_SPAN_DAYS)  # type: ignore[return-value]  # the loader's argument

    @edge_with(
        as_of.attendance_summary_as_of,
        "key",
        metadata={COST: for_each_day(1.2, 10)},
        description="The recorded whole-day attendance; null without marks.",
    )
    def attendance_summary(
        self, info: Info, from_date: Annotated[Date, _FIRST], to_date: Annotated[Date, _LAST]
    ) -> AttendanceSummary | None:
        return attendance.span(from_date, to_date, longest=attendance.MAX_SPAN_DAYS)  # type: ignore[return-value]  # the loader's argument


def as_of_edge() -> Any:
    """Declares the field `asOf` of a student."""

    def prepare(
        self: Any, info: Info, at: Annotated[datetime, strawberry.argument(description="The moment, with its UTC offset.")]
    ) -> StudentAsOf | None:
        return as_of.moment(at)  # type: ignore[return-value]  # the loader's argument

    return edge_with(
        as_of.students_as_of, "id", description="The student as recorded at a moment; null if the student had not been created yet."
    )(prepare)
