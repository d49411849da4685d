"""A charge run: who is charged what, worked out row by row with what stands against it, before anything is written."""

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
    """What each student is charged. `again`: also those who were charged the same already."""

    fee_category_id: UUID
    academic_year_id: UUID
    due_date: date
    amount: Decimal
    currency: str
    description: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Candidate:
    """A student who may be charged. `repeats` is a charge that stands and is the same: of the category, due that day or so described in the year."""

    student_id: UUID
    is_active: bool = True
    repeats: UUID | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One charge to be. `error` (ALREADY_CHARGED) keeps the run from being done; `warnings` (ALREADY_CHARGED, INACTIVE) do not."""

    student_id: UUID
    amount: Decimal
    error: str | None
    warnings: tuple[str, ...]
    repeats: UUID | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`hash` is another one as soon as any student, charge or term is."""

    terms: Terms
    rows: Sequence[Row]
    hash: str

    @property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.rows), Decimal(0))

    @property
    def failing(self) -> int:
        """How many rows stand in the way."""
        return sum(each.error is not None for each in self.rows)


def make_plan(terms: Terms, candidates: Sequence[Candidate]) -> Plan:
    """A row for each candidate, in their order.

    Nobody is charged the same twice by accident: a student with the same charge already is an error unless `again` says that it is meant.
    Source: bulk work is a plan first, and its application is refused when the data has changed (openSIS-Classic#30, #73).
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
        # 180 and 180.00 are one amount.
        [format(terms.amount.normalize(), "f"), terms.currency, terms.description, terms.again],
        sorted([str(each.student_id), each.error, list(each.warnings), str(each.repeats)] for each in rows),
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
