"""Attendance marks and their totals."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from db.query_compiler import Statement
from db.query_templates import QueryVariant
from db.result_columns import PARENT_KEY
from db.rows import Row
from db.sql_catalog import queries
from execution.errors import Refusal
from execution.loaders import Loader
from resolvers.context import Context
from resolvers.loaders import by_key, lists_from_statement

__all__ = [
    "Attendance",
    "AttendanceSummary",
    "OverruledMark",
    "Span",
    "attendance_by_id",
    "breakdowns_per_class",
    "breakdowns_per_student",
    "overruled_marks",
    "school_breakdown",
    "school_summary",
    "span",
    "summaries_per_class",
    "summaries_per_student",
]

# The longest span for grouped totals, in days: a school year and its holidays.
MAX_SPAN_DAYS = 400


class Attendance(Row):
    __slots__ = ()
    type_name = "Attendance"
    tag = "att"


class AttendanceSummary(Row):
    __slots__ = ()
    type_name = "AttendanceSummary"


class OverruledMark(Row):
    __slots__ = ()
    type_name = "OverruledMark"


attendance_by_id = by_key(queries.attendance, Attendance)
# Keys are ids of attendance marks.
overruled_marks = lists_from_statement(queries.overruled_marks, OverruledMark)


@dataclass(frozen=True, slots=True)
class Span:
    """Attendance from one day to another, both inclusive (None: open-ended), grouped by day, week, month or subject (None: not grouped)."""

    from_date: date | None
    to_date: date | None
    by: str | None = None

    def statement(self, context: Context, per: str | None) -> tuple[Statement, dict[str, Any]]:
        values = {name: day for name, day in (("from_date", self.from_date), ("to_date", self.to_date)) if day is not None}
        # Days are counted by whole-day marks; marks in a subject are counted only per subject.
        filters = queries.attendance_totals.filter_keys([("whole_day", self.by != "subject"), *values.items()])
        return queries.attendance_totals.totals(QueryVariant(filters=filters, per=per, group=self.by), context.unrestricted_nouns), values


def span(from_date: date | None, to_date: date | None, by: str | None = None, *, longest: int | None = None) -> Span:
    """Makes a Span of arguments. Raises a BAD_USER_INPUT refusal if it ends before it begins or is longer than `longest` days."""
    problem = None
    if from_date is not None and to_date is not None and to_date < from_date:
        problem = "`toDate` must not be before `fromDate`."
    elif longest is not None and from_date is not None and to_date is not None and (to_date - from_date).days >= longest:
        problem = f"The period from `fromDate` to `toDate` must not be longer than {longest} days."
    if problem:
        raise Refusal("BAD_USER_INPUT", problem, problems=[{"argument": "toDate", "message": problem}])
    return Span(from_date, to_date, by)


def _summaries(per: str) -> Loader:
    """Makes a loader of totals: keys are ids of parents, the argument is a Span. The value is None without marks that the viewer may see."""

    async def batch(context: Context, parents: Sequence[UUID], asked: Span) -> list[AttendanceSummary | None]:
        statement, values = asked.statement(context, per)
        found = {each[PARENT_KEY]: each for each in await context.rows(statement, AttendanceSummary, {"parents": parents, **values})}
        return [found[parent] if found[parent]["days"] else None for parent in parents]

    return Loader(batch, f"attendance summaries per {per}")


def _breakdowns(per: str) -> Loader:
    """Makes a loader of grouped totals: keys are ids of parents, the argument is a Span with `by`. The value is a list in order."""

    async def batch(context: Context, parents: Sequence[UUID], asked: Span) -> list[list[AttendanceSummary]]:
        statement, values = asked.statement(context, per)
        found: defaultdict[UUID, list[AttendanceSummary]] = defaultdict(list)
        for each in await context.rows(statement, AttendanceSummary, {"parents": parents, **values}):
            found[each[PARENT_KEY]].append(each)
        return [found[parent] for parent in parents]

    return Loader(batch, f"attendance breakdowns per {per}")


summaries_per_student, summaries_per_class = _summaries("student"), _summaries("class")
breakdowns_per_student, breakdowns_per_class = _breakdowns("student"), _breakdowns("class")


async def school_summary(context: Context, asked: Span) -> AttendanceSummary | None:
    """Returns the totals of all attendance that the viewer may see, or None if there is none."""
    [found] = await school_breakdown(context, asked)
    return found if found["days"] else None


async def school_breakdown(context: Context, asked: Span) -> list[AttendanceSummary]:
    """Returns the same totals, grouped by the span's `by`."""
    statement, values = asked.statement(context, None)
    return await context.rows(statement, AttendanceSummary, values)
