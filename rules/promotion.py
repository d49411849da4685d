"""From one academic year into the next: who goes where, worked out row by row with everything that stands against it."""

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
    """A student whose time in a class goes on: `version` is that of the membership."""

    student_id: UUID
    membership_id: UUID
    version: int
    class_id: UUID
    grade_level: int
    section: str


@dataclass(frozen=True, slots=True)
class Target:
    """A class of the year to come. `capacity` None: no bound. `enrolled`: who is in it already."""

    class_id: UUID
    grade_level: int
    section: str
    capacity: int | None
    enrolled: int


@dataclass(frozen=True, slots=True)
class Override:
    """What is to become of one student instead of the usual. `class_id` None: the class of the same section."""

    action: str
    class_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What becomes of one student. `error` is a code when it cannot: NO_CLASS, CLASS_FULL, WRONG_CLASS."""

    student_id: UUID
    membership_id: UUID
    from_class_id: UUID
    action: str
    to_class_id: UUID | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """`hash` is another one as soon as any student, class or instruction is. `unknown` are students of overrides who are not in the year."""

    rows: Sequence[Row]
    unknown: Sequence[UUID]
    hash: str

    def count(self, action: str) -> int:
        return sum(row.action == action for row in self.rows)

    @property
    def failing(self) -> int:
        """How many rows stand in the way."""
        return sum(row.error is not None for row in self.rows) + len(self.unknown)


def make_plan(members: Sequence[Member], targets: Iterable[Target], overrides: Mapping[UUID, Override]) -> Plan:
    """Everyone goes up a grade level into the class of the same section; from the highest level of the year one graduates.

    `overrides` say otherwise for single students. A class takes no more than its capacity: who comes first in `members` has the place.
    The order of `targets` does not matter; that of `members` decides about last places, and is the order of the rows.
    Source: promotion never duplicates a student, and is a plan first (openSIS-Classic#313, #30).
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
