"""Totals of attendance: of a student, a class, or the whole school."""

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
from schema.roots import query_fields, root
from schema.spans import for_each_day, groups_in

__all__ = ["AttendanceGroup", "AttendanceSummary", "AttendanceSummaryQueries", "breakdown_edge", "summary_edge"]

# Reading one day of the whole school's attendance.
_SCHOOL = for_each_day(9, 50)


@strawberry.enum(description="The grouping of attendance.")
class AttendanceGrouping(Enum):
    DAY = strawberry.enum_value("day", description="Whole-day marks, by day.")
    WEEK = strawberry.enum_value("week", description="Whole-day marks, by week; weeks begin on Monday.")
    MONTH = strawberry.enum_value("month", description="Whole-day marks, by calendar month.")
    SUBJECT = strawberry.enum_value("subject", description="Subject marks, by subject.")


def _absences(row: Any) -> int:
    return int(row["excused_absences"] + row["unexcused_absences"])


@strawberry.type(
    description="Totals of the attendance that you may see: of whole-day marks, or of marks in a subject if grouped by subject."
)
class AttendanceSummary:
    days: int = strawberry.field(description="The number of marks; for one student, the number of days with a whole-day mark.")
    present: int = strawberry.field(description="The number of marks as present.")
    absent: int = strawberry.field(description="The number of marks as absent.")
    late: int = strawberry.field(description="The number of late arrivals.")
    left_early: int = strawberry.field(description="The number of early departures.")
    partial: int = strawberry.field(description="The number of partial attendances.")
    absences: int = computed(_absences, description="The number of absences, excused or not.")
    excused_absences: int = strawberry.field(description="The number of excused absences.")
    unexcused_absences: int = strawberry.field(description="The number of unexcused absences.")
    excused_late: int = strawberry.field(description="The number of excused late arrivals.")
    minutes_late: int = strawberry.field(description="The total minutes of lateness.")
    day_values: Decimal = strawberry.field(
        description="The sum of the days' values: 1 for a full day's minutes of presence, 0.5 for at least half of them, otherwise 0."
    )
    rate: Decimal | None = computed(
        lambda row: rate(row["day_values"], row["days"]),
        description="The sum of the days' values as a percentage of the days, to one decimal; null without days.",
    )


@strawberry.type(description="The attendance in a day, week, month or subject.")
class AttendanceGroup:
    start_date: date | None = strawberry.field(description="The first day of the group; null by subject.")
    end_date: date | None = strawberry.field(description="The last day of the group; null by subject.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null by day, week or month.")
    summary: AttendanceSummary = computed(lambda row: row, description="The totals.")


_FROM = strawberry.argument(description="The first day. Defaults to the beginning of the records.")
_TO = strawberry.argument(description="The last day. Defaults to the end of the records.")
_BY = strawberry.argument(description="The grouping.")
_FIRST = strawberry.argument(description="The first day.")
_LAST = strawberry.argument(description=f"The last day; the period must not be longer than {attendance.MAX_SPAN_DAYS} days.")


def summary_edge(loader: Loader, points: float, description: str) -> Any:
    """Declares a field with the attendance totals of the parent's `id` over a span. Each day costs these points."""

    def prepare(
        self: Any,
        info: Info,
        from_date: Annotated[date | None, _FROM] = strawberry.UNSET,
        to_date: Annotated[date | None, _TO] = strawberry.UNSET,
    ) -> AttendanceSummary | None:
        return attendance.span(from_date or None, to_date or None)  # type: ignore[return-value]  # the loader's argument

    return edge_with(loader, "id", metadata={COST: for_each_day(points, 5)}, description=description)(prepare)


def breakdown_edge(loader: Loader, points: float, description: str) -> Any:
    """Declares a field with the grouped attendance totals of the parent's `id`. Each day costs these points."""

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


@query_fields
class AttendanceSummaryQueries:
    @root(
        Capability.SIGNED_IN,
        metadata={COST: _SCHOOL},
        description="The whole-day attendance of all students whom you may see; null without marks. For the office, this is the"
        " whole school.",
    )
    async def attendance_summary(
        self, info: Info, from_date: Annotated[date, _FIRST], to_date: Annotated[date, _LAST]
    ) -> AttendanceSummary | None:
        asked = attendance.span(from_date, to_date, longest=attendance.MAX_SPAN_DAYS)
        return await attendance.school_summary(info.context, asked)  # type: ignore[return-value]  # rows stand for types

    @root(
        Capability.SIGNED_IN,
        metadata={COST: _SCHOOL, SIZED_BY: groups_in},
        description="The attendance of all students whom you may see, by day, week, month or subject.",
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
