"""Plans a charge run: one charge for each student, with errors and warnings, before anything is written."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

__all__ = ["Candidate", "Plan", "Row", "Terms", "make_plan"]


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of each student's charge. `again` allows charging students who already have the same charge."""

    fee_category_id: UUID
    academic_year_id: UUID
    due_date: date
    amount: Decimal
    currency: str
    description: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A student to charge. `repeats` is an existing charge that is considered the same.

    It has the same category, and the same due date or, within the academic year, the same description.
    """

    student_id: UUID
    is_active: bool = True
    repeats: UUID | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A planned charge. An `error` (ALREADY_CHARGED) prevents the run; `warnings` (ALREADY_CHARGED, INACTIVE) do not."""

    student_id: UUID
    amount: Decimal
    error: str | None
    warnings: tuple[str, ...]
    repeats: UUID | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned charge run. Its `hash` changes with any student, charge or term."""

    terms: Terms
    rows: Sequence[Row]
    hash: str

    @property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.rows), Decimal(0))

    @property
    def failing(self) -> int:
        """The number of rows with an error."""
        return sum(each.error is not None for each in self.rows)


def make_plan(terms: Terms, candidates: Sequence[Candidate]) -> Plan:
    """Returns a plan with one row for each candidate, in their order.

    A student who already has the same charge is an error, unless `again` is set, so that nobody is charged twice by accident.
    Source: bulk changes are planned first, and applying a plan is refused if the data has changed (openSIS-Classic#30, #73).
    """
    rows = []
    for each in candidates:
        warnings = []
        if each.repeats is not None and terms.again:
            warnings.append("ALREADY_CHARGED")
        if not each.is_active:
            warnings.append("INACTIVE")
        error = "ALREADY_CHARGED" if each.repeats is not None and not terms.again else None
        rows.append(Row(each.student_id, terms.amount, error, tuple(warnings), each.repeats))
    return Plan(terms, rows, _hash(terms, rows))


def _hash(terms: Terms, rows: Sequence[Row]) -> str:
    facts = [
        [str(terms.fee_category_id), str(terms.academic_year_id), terms.due_date.isoformat()],
        # 180 and 180.00 are the same amount.
        [format(terms.amount.normalize(), "f"), terms.currency, terms.description, terms.again],
        sorted([str(each.student_id), each.error, list(each.warnings), str(each.repeats)] for each in rows),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
