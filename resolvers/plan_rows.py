"""Pages of the rows of a plan (of charges, of a promotion), which is made anew for each request."""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from execution.errors import Refusal
from resolvers.identifiers import read_id
from resolvers.students import Student

__all__ = ["MAX_PLAN_ROWS", "PlanRow", "page_of_rows"]

MAX_PLAN_ROWS = 500


class PlanRow(Protocol):
    """A row of a plan: one student, and why the row cannot be carried out (None: it can)."""

    @property
    def student_id(self) -> UUID: ...

    @property
    def error(self) -> str | None: ...


R = TypeVar("R", bound=PlanRow)


def page_of_rows(rows: Sequence[R], first: int, after: str | None, *, only_errors: bool) -> list[R]:
    """Returns at most `first` rows after the student with the global id `after`, of all rows or of those with an error.

    Raises a BAD_USER_INPUT refusal for a `first` out of range and an `after` that is not among these rows.
    """
    if not 0 <= first <= MAX_PLAN_ROWS:
        raise Refusal("BAD_USER_INPUT", f"`first` must be between 0 and {MAX_PLAN_ROWS}.", argument="first")
    chosen = [row for row in rows if row.error or not only_errors]
    if after is not None:
        last = read_id(after, Student.tag, Student.type_name, "after")
        position = next((n for n, row in enumerate(chosen) if row.student_id == last), None)
        if position is None:
            raise Refusal("BAD_USER_INPUT", "`after` is not a student of these rows.", argument="after")
        chosen = chosen[position + 1 :]
    return chosen[:first]
