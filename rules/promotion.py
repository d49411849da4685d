"""Plans the promotion of students into the next academic year, row by row with all errors, before anything is written."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

__all__ = ["ACTIONS", "Member", "Override", "Plan", "Row", "Target", "make_plan"]

ACTIONS = ("PROMOTE", "REPEAT", "GRADUATE", "LEAVE")


@dataclass(frozen=True, slots=True)
class Member:
    """A student with a current class membership. `version` is that of the membership."""

    student_id: UUID
    membership_id: UUID
    version: int
    class_id: UUID
    grade_level: int
    section: str


@dataclass(frozen=True, slots=True)
class Target:
    """A class of the next year. A `capacity` of None means no limit; `enrolled` is its current number of students."""

    class_id: UUID
    grade_level: int
    section: str
    capacity: int | None
    enrolled: int


@dataclass(frozen=True, slots=True)
class Override:
    """An exception for one student. Without a `class_id` the student joins the class of the same section."""

    action: str
    class_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """The planned action for one student. `error` is a code if it is impossible: NO_CLASS, CLASS_FULL, WRONG_CLASS."""

    student_id: UUID
    membership_id: UUID
    from_class_id: UUID
    action: str
    to_class_id: UUID | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned promotion. Its `hash` changes with any student, class or override. `unknown` are students of overrides who are not in the year."""

    rows: Sequence[Row]
    unknown: Sequence[UUID]
    hash: str

    def count(self, action: str) -> int:
        return sum(row.action == action for row in self.rows)

    @property
    def failing(self) -> int:
        """The number of rows with an error, plus the number of unknown students."""
        return sum(row.error is not None for row in self.rows) + len(self.unknown)


def make_plan(members: Sequence[Member], targets: Iterable[Target], overrides: Mapping[UUID, Override]) -> Plan:
    """Promotes every student by one grade level into the class of the same section; students of the highest level graduate.

    `overrides` are exceptions for single students. A class takes at most its capacity, in the order of `members`, which is also the order of
    the rows. The order of `targets` does not matter. Source: promotion never duplicates a student, and is planned first (openSIS-Classic#313, #30).
    """
    by_place = {(each.grade_level, each.section): each for each in targets}
    by_id = {each.class_id: each for each in by_place.values()}
    highest = max((each.grade_level for each in members), default=0)
    taken: Counter[UUID] = Counter({each.class_id: each.enrolled for each in by_place.values()})
    rows = []
    for member in members:
        override = overrides.get(member.student_id) or Override("GRADUATE" if member.grade_level == highest else "PROMOTE")
        level = member.grade_level + (override.action == "PROMOTE")
        target, error = None, None
        if override.action in ("PROMOTE", "REPEAT"):
            target = by_id.get(override.class_id) if override.class_id else by_place.get((level, member.section))
            if target is None:
                error = "WRONG_CLASS" if override.class_id else "NO_CLASS"
            else:
                taken[target.class_id] += 1
                if target.capacity is not None and taken[target.class_id] > target.capacity:
                    error = "CLASS_FULL"
        rows.append(
            Row(member.student_id, member.membership_id, member.class_id, override.action, target.class_id if target else None, error)
        )
    there = {member.student_id for member in members}
    unknown = sorted((each for each in overrides if each not in there), key=str)
    return Plan(rows, unknown, _hash(members, by_place.values(), rows, unknown))


def _hash(members: Sequence[Member], targets: Iterable[Target], rows: Sequence[Row], unknown: Sequence[UUID]) -> str:
    facts = [
        sorted([str(each.membership_id), each.version, str(each.class_id)] for each in members),
        sorted([str(each.class_id), each.capacity, each.enrolled] for each in targets),
        sorted([str(each.student_id), each.action, str(each.to_class_id), each.error] for each in rows),
        [str(each) for each in unknown],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()
