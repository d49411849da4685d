"""What attendance comes to: of a student, of a class, of the school."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, SIZED_BY
from execution.fields import computed, edge_with
from execution.loaders import Loader
from resolvers import attendance, subjects
from rules.attendance import rate
from schema.references import to_one
from schema.roots import root
from schema.spans import for_each_day, groups_in

__all__ = ["AttendanceGroup", "AttendanceSummary", "AttendanceSummaryQueries", "breakdown_edge", "summary_edge"]

# Reading all of the school's attendance of a day.
_SCHOOL = for_each_day(9, 50)


@strawberry.enum(description="By what attendance is grouped.")
class AttendanceGrouping(Enum):
    DAY = strawberry.enum_value("day", description="Whole-day marks, by day.")
    WEEK = strawberry.enum_value("week", description="Whole-day marks, by week, from Monday on.")
    MONTH = strawberry.enum_value("month", description="Whole-day marks, by calendar month.")
    SUBJECT = strawberry.enum_value("subject", description="Subject marks, by subject.")


def _absences(row: Any) -> int:
    return int(row["excused_absences"] + row["unexcused_absences"])


@strawberry.type(
    description="Attendance counted, as far as you may see it: whole-day marks, or of a group by subject those of the subject."
)
class AttendanceSummary:
    days: int = strawberry.field(description="Marks: for one student, days with a whole-day mark.")
    present: int = strawberry.field(description="Marked present.")
    absent: int = strawberry.field(description="Marked absent.")
    late: int = strawberry.field(description="Come late.")
    left_early: int = strawberry.field(description="Left early.")
    partial: int = strawberry.field(description="Partly attended.")
    absences: int = computed(_absences, description="All absences: the excused and the unexcused.")
    excused_absences: int = strawberry.field(description="Absences that are excused.")
    unexcused_absences: int = strawberry.field(description="Absences that are not excused.")
    excused_late: int = strawberry.field(description="Come late with an excuse.")
    minutes_late: int = strawberry.field(description="Minutes late in all.")
    day_values: Decimal = strawberry.field(
        description="The sum of the days' values: 1 from a full day's minutes of presence on, 0.5 from half of them on, else 0."
    )
    rate: Decimal | None = computed(
        lambda row: rate(row["day_values"], row["days"]),
        description="The days' values in per cent of the days, to one decimal; null without days.",
    )


@strawberry.type(description="A part of attendance: of a day, week or month, or of a subject.")
class AttendanceGroup:
    start_date: date | None = strawberry.field(description="The first day of the group; null by subject.")
    end_date: date | None = strawberry.field(description="The last day of the group; null by subject.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null by day, week or month.")
    summary: AttendanceSummary = computed(lambda row: row, description="What it comes to.")


_FROM = strawberry.argument(description="The first day; not given: from the beginning.")
_TO = strawberry.argument(description="The last day; not given: to the end.")
_BY = strawberry.argument(description="By what it is grouped.")
_FIRST = strawberry.argument(description="The first day.")
_LAST = strawberry.argument(description=f"The last day: the span is of {attendance.MAX_SPAN_DAYS} days at most.")


def summary_edge(loader: Loader, points: float, description: str) -> Any:
    """A field that sums up the attendance of the parent's `id` over a span. A day of it costs these points."""

    def prepare(
        self: Any,
        info: Info,
        from_date: Annotated[date | None, _FROM] = strawberry.UNSET,
        to_date: Annotated[date | None, _TO] = strawberry.UNSET,
    ) -> AttendanceSummary | None:
        return attendance.span(from_date or None, to_date or None)  # type: ignore[return-value]  # the loader's argument

    return edge_with(loader, "id", metadata={COST: for_each_day(points, 5)}, description=description)(prepare)


def breakdown_edge(loader: Loader, points: float, description: str) -> Any:
    """A field that breaks the attendance of the parent's `id` down. A day of it costs these points."""

    def prepare(
        self: Any,
        info: Info,
        by: Annotated[AttendanceGrouping, _BY],
        from_date: Annotated[date, _FIRST],
        to_date: Annotated[date, _LAST],
    ) -> list[AttendanceGroup]:
        return attendance.span(from_date, to_date, str(by.value), longest=attendance.MAX_SPAN_DAYS)  # type: ignore[return-value]  # the loader's argument

    metadata = {COST: for_each_day(points, 5), SIZED_BY: groups_in}
    return edge_with(loader, "id", metadata=metadata, description=description)(prepare)


@strawberry.type
class AttendanceSummaryQueries:
    @root(
        Capability.SIGNED_IN,
        metadata={COST: _SCHOOL},
        description="The attendance of everybody whom you may see, over whole days; null without marks. For the office: the school's.",
    )
    async def attendance_summary(
        self, info: Info, from_date: Annotated[date, _FIRST], to_date: Annotated[date, _LAST]
    ) -> AttendanceSummary | None:
        asked = attendance.span(from_date, to_date, longest=attendance.MAX_SPAN_DAYS)
        return await attendance.school_summary(info.context, asked)  # type: ignore[return-value]  # rows stand for types

    @root(
        Capability.SIGNED_IN,
        metadata={COST: _SCHOOL, SIZED_BY: groups_in},
        description="The attendance of everybody whom you may see, by day, week, month or subject.",
    )
    async def attendance_breakdown(
        self,
        info: Info,
        by: Annotated[AttendanceGrouping, _BY],
        from_date: Annotated[date, _FIRST],
        to_date: Annotated[date, _LAST],
    ) -> list[AttendanceGroup]:
        asked = attendance.span(from_date, to_date, str(by.value), longest=attendance.MAX_SPAN_DAYS)
        return await attendance.school_breakdown(info.context, asked)  # type: ignore[return-value]  # rows stand for types
