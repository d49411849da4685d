"""Point-in-time reads: rows as they were at an earlier moment, from their creation times and the changes in the audit log."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from db.query_compiler import Query
from db.rows import Row
from db.sql_catalog import queries
from execution.errors import Refusal
from execution.loaders import Loader
from execution.time_slices import pause, sliced
from resolvers.attendance import Span
from resolvers.context import Context
from resolvers.grading import FinalGrade
from rules.attendance import day_value

__all__ = [
    "Moment",
    "PastAttendance",
    "PastBalance",
    "PastMembership",
    "PastStudent",
    "attendance_as_of",
    "attendance_summary_as_of",
    "balance_as_of",
    "class_as_of",
    "class_history_as_of",
    "final_grades_as_of",
    "moment",
    "students_as_of",
]


class Moment(NamedTuple):
    """A student and a moment (with time zone)."""

    student_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class PastStudent:
    """A student as of a moment; `key` is the key of the loaders of its fields."""

    key: Moment
    student_id: UUID
    at: datetime


class PastMembership(Row):
    __slots__ = ()
    type_name = "PastMembership"


class PastAttendance(Row):
    __slots__ = ()
    type_name = "PastAttendance"


class PastBalance(Row):
    __slots__ = ()
    type_name = "Balance"


def moment(at: datetime) -> datetime:
    """Returns the moment. Raises a BAD_USER_INPUT refusal if it is in the future."""
    if at > datetime.now(UTC):
        problem = "`at` must not be in the future."
        raise Refusal("BAD_USER_INPUT", problem, problems=[{"argument": "at", "message": problem}])
    return at


async def _students(context: Context, keys: Sequence[UUID], at: datetime) -> list[PastStudent | None]:
    """Keys are ids of students that the viewer may see. The value is None for a student who was not in the database yet."""
    statement = queries.students.by("id", context.unrestricted_nouns, _KNOWN_SINCE)
    known = {row["id"] for row in await context.rows(statement, Row, {"keys": keys}) if row["created_at"] <= at}
    # Thirty moments of 500 students may come at once.
    await pause()
    return [PastStudent(Moment(key, at), key, at) if key in known else None for key in keys]


_KNOWN_SINCE = frozenset({"id", "created_at"})
students_as_of = Loader(_students, "students as of")


async def _rows(context: Context, query: Query, row: type[Row], keys: Sequence[Moment], **values: Any) -> dict[Moment, list[Any]]:
    """Runs one statement for each distinct moment, usually one in all."""
    ids: defaultdict[datetime, list[UUID]] = defaultdict(list)
    for key in keys:
        ids[key.at].append(key.student_id)
    found: defaultdict[Moment, list[Any]] = defaultdict(list)
    for at, students in ids.items():
        async for some in sliced(await context.fetch(query, row, keys=students, at=at, **values), 1_000):
            for each in some:
                found[Moment(each["key"], at)].append(each)
    return found


async def _class_history(context: Context, keys: Sequence[Moment], _: None) -> list[list[PastMembership]]:
    found = await _rows(context, queries.class_history_as_of, PastMembership, keys)
    return [found[key] for key in keys]


class_history_as_of = Loader(_class_history, "class history as of")


async def _class(context: Context, keys: Sequence[Moment], _: None) -> list[PastMembership | None]:
    histories = await context.loaders.of(class_history_as_of).load_list(keys)
    return [next((each for each in history if each["is_current"]), None) for history in histories]


# The membership on the moment's day, as it was known then.
class_as_of = Loader(_class, "class as of")


async def _attendance(context: Context, keys: Sequence[Moment], span: Span) -> list[list[PastAttendance]]:
    values = {"from_date": span.from_date, "to_date": span.to_date}
    found = await _rows(context, queries.attendance_as_of, PastAttendance, keys, **values)
    return [found[key] for key in keys]


# The argument is a `Span` with both ends.
attendance_as_of = Loader(_attendance, "attendance as of")


async def _summaries(context: Context, keys: Sequence[Moment], span: Span) -> list[dict[str, Any] | None]:
    marks = await context.loaders.of(attendance_as_of, span).load_list(keys)
    summaries: list[dict[str, Any] | None] = []
    for each in marks:
        await pause()
        summaries.append(_summary([mark for mark in each if mark["subject_id"] is None]))
    return summaries


attendance_summary_as_of = Loader(_summaries, "attendance summary as of")


class _Counted(dict[str, Any]):
    """Totals whose values are attributes, as in a row."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def _summary(marks: list[PastAttendance]) -> _Counted | None:
    """Computes the totals of `attendance_totals` from whole-day marks of the past; returns None without marks."""
    if not marks:
        return None

    def count(status: str, *, excused: bool | None = None) -> int:
        return sum(mark["status"] == status and excused in (None, mark["excused"]) for mark in marks)

    return _Counted(
        days=len(marks),
        present=count("PRESENT"),
        absent=count("ABSENT"),
        late=count("LATE"),
        left_early=count("LEFT_EARLY"),
        partial=count("PARTIAL"),
        excused_absences=count("ABSENT", excused=True),
        unexcused_absences=count("ABSENT", excused=False),
        excused_late=count("LATE", excused=True),
        minutes_late=sum(mark["minutes_late"] or 0 for mark in marks),
        day_values=sum((day_value(mark["status"], mark["minutes_present"], mark["full_day_minutes"]) for mark in marks), Decimal(0)),
    )


async def _balances(context: Context, keys: Sequence[Moment], _: None) -> list[list[PastBalance]]:
    found = await _rows(context, queries.balances_as_of, PastBalance, keys)
    return [found[key] for key in keys]


balance_as_of = Loader(_balances, "balances as of")


async def _final_grades(context: Context, keys: Sequence[Moment], _: None) -> list[list[FinalGrade]]:
    found = await _rows(context, queries.final_grades_as_of, FinalGrade, keys)
    return [found[key] for key in keys]


# Final grades never change, so these are the rows that were valid at the moment.
final_grades_as_of = Loader(_final_grades, "final grades as of")
