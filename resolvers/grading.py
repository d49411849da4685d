"""Averages, reports and final grades: computed from the grades that the viewer may see, or read as they were posted."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from auth.visible_ids import Reach
from db.rows import Row
from db.sql_catalog import queries
from execution.errors import Refusal
from execution.loaders import Loader
from execution.time_slices import pause
from resolvers.context import Context
from resolvers.loaders import by_key, from_statement, lists_from_statement
from rules.grading import Grade, Mark, Policy, Step, average, gpa, grade, ranks, read_policy, steps

__all__ = [
    "Explanation",
    "FinalGrade",
    "GradingScale",
    "SemesterReport",
    "SubjectAverage",
    "bounds_of_scale",
    "explain_final_grade",
    "final_grade_by_id",
    "grading_scale_by_id",
    "marking_of_lesson",
    "reports_of_class",
    "semester_report",
    "subject_average",
]

POSTED, ALL, OF_CLASS, PUBLISHED = "POSTED", "ALL_GRADES", "CLASS_GRADES", "PUBLISHED_GRADES"
_NONE = Grade(None, None, None, None)

Arguments = tuple[tuple[str, Any], ...]


class GradingScale(Row):
    __slots__ = ()
    type_name = "GradingScale"
    tag = "gsc"


class FinalGrade(Row):
    __slots__ = ()
    type_name = "FinalGrade"
    tag = "fin"


grading_scale_by_id = by_key(queries.grading_scales, GradingScale)
bounds_of_scale = lists_from_statement(queries.bounds_of_scales, Row)
final_grade_by_id = by_key(queries.final_grades, FinalGrade)
# Keys are ids of lessons (class subjects).
marking_of_lesson = from_statement(queries.marking_of_lessons, Row)
_marks = lists_from_statement(queries.marks_of_students, Row)
_lessons = lists_from_statement(queries.lessons_of_students, Row)
_final_grades = lists_from_statement(queries.final_grades_of_students, Row)
_members = lists_from_statement(queries.members_in_semester, Row)
_class_grades = lists_from_statement(queries.class_standing, Row)


@dataclass(frozen=True, slots=True)
class Explanation:
    steps: list[Step]
    policy_version: str


@dataclass(frozen=True, slots=True)
class SubjectAverage:
    """A student's result in a subject and semester. `basis` is None if the viewer may see nothing of it."""

    subject_id: UUID
    subject_name: str
    credits: Decimal
    basis: str | None
    result: Grade
    is_incomplete: bool
    facts: Mapping[str, Any]
    policy: Policy
    final_grade_id: UUID | None = None

    @property
    def explanation(self) -> Explanation:
        return Explanation(steps(self.facts, self.result, self.policy), self.policy.version)


@dataclass(frozen=True, slots=True)
class SemesterReport:
    """A student's semester. `grade_point_average` is not rounded; it is None without points, or if a subject with credits is not visible."""

    student_id: UUID
    class_id: UUID
    semester_id: UUID
    subjects: list[SubjectAverage]
    grade_point_average: Decimal | None
    is_posted: bool
    rank: int | None = None
    ranked_student_count: int | None = None
    policy_versions: frozenset[str] = field(default_factory=frozenset)

    @property
    def explanation(self) -> Explanation:
        parts = [
            Step(each.subject_name, str(each.result.points), f"{each.credits.normalize():f} credits")
            for each in self.subjects
            if each.credits > 0 and each.result.points is not None
        ]
        value = None if self.grade_point_average is None else f"{self.grade_point_average.normalize():f}"
        parts.append(Step("Grade point average", value, "The sum of points times credits over the sum of credits"))
        if self.rank is not None:
            parts.append(
                Step("Rank", str(self.rank), f"Of {self.ranked_student_count} in the class whose grades are posted; equals share a rank")
            )
        return Explanation(parts, ", ".join(sorted(self.policy_versions)))


@dataclass(frozen=True, slots=True)
class _CurrentPolicy:
    policy: Policy
    today: date
    shows_rank: bool


async def _read_policy(context: Context, keys: Sequence[bool], _: None) -> list[_CurrentPolicy]:
    row = await context.fetch_one(queries.grading_policy, Row)
    assert row is not None
    return [_CurrentPolicy(read_policy(row["content"], row["version"]), row["today"], row["shows_rank"])] * len(keys)


_current_policy = Loader(_read_policy, "grading policy")


async def _read_current_semester(context: Context, keys: Sequence[bool], _: None) -> list[UUID]:
    row = await context.fetch_one(queries.current_semester, Row)
    if row is None:
        message = "No semester contains today's date, so there is no current one. Give `semesterId`."
        raise Refusal("NO_CURRENT_SEMESTER", message, argument="semesterId")
    return [row["id"]] * len(keys)


_current_semester = Loader(_read_current_semester, "current semester")


async def _in_semester(context: Context, arguments: Arguments) -> Arguments:
    """Returns the arguments with the id of the current semester if they name none. Raises a NO_CURRENT_SEMESTER refusal outside of all."""
    given = dict(arguments)
    if given["semester_id"] is None:
        given["semester_id"] = await context.loaders.of(_current_semester).load(True)
    return tuple(given.items())


# By version: the policy of a version never changes.
_policies: dict[str, Policy] = {}
_MOST_POLICIES = 100


def _policy_of(row: Any) -> Policy:
    """Returns the grading policy that a row was posted under."""
    version = row["policy_version"]
    found = _policies.get(version)
    if found is None:
        if len(_policies) >= _MOST_POLICIES:
            _policies.clear()
        found = _policies[version] = read_policy(row["policy"], version)
    return found


def explain_final_grade(row: FinalGrade) -> Explanation:
    """Explains a final grade by the policy it was posted under."""
    result = Grade(row["percentage"], row["rounded"], row["letter"], row["points"])
    return Explanation(steps(row["facts"], result, _policy_of(row)), row["policy_version"])


async def _averages(context: Context, students: Sequence[UUID], arguments: Arguments) -> list[SubjectAverage | None]:
    """Arguments: semester_id (None: the current one), subject_id. The value is None for a student without grades that the viewer may see."""
    arguments = await _in_semester(context, arguments)
    subject = dict(arguments)["subject_id"]
    of = (("semester_id", dict(arguments)["semester_id"]),)
    found, now, reach = await asyncio.gather(
        context.loaders.of(_marks, of).load_list(students), context.loaders.of(_current_policy).load(True), context.reach()
    )
    averages = []
    for student, rows in zip(students, found, strict=True):
        await pause()
        averages.append(_computed_average(student, [row for row in rows if row["subject_id"] == subject], now, reach))
    return averages


# Keys are students' ids.
subject_average = Loader(_averages, "subject averages")


async def _reports(context: Context, students: Sequence[UUID], arguments: Arguments) -> list[SemesterReport | None]:
    """Argument: semester_id (None: the current one). The value is None for a student whose class in that semester the viewer may not see."""
    arguments = await _in_semester(context, arguments)
    keys = list(students)
    lessons, marks, final, now, reach = await asyncio.gather(
        context.loaders.of(_lessons, arguments).load_list(keys),
        context.loaders.of(_marks, arguments).load_list(keys),
        context.loaders.of(_final_grades, arguments).load_list(keys),
        context.loaders.of(_current_policy).load(True),
        context.reach(),
    )
    standings: dict[UUID, _Standing] = {}
    if now.shows_rank:
        classes = sorted({rows[0]["class_id"] for rows, posted in zip(lessons, final, strict=True) if rows and posted}, key=str)
        rows_of = await context.loaders.of(_class_grades, arguments).load_list(classes)
        standings = {key: _Standing.of(rows) for key, rows in zip(classes, rows_of, strict=True)}
    semester = dict(arguments)["semester_id"]
    reports = []
    for student, place, given, posted in zip(students, lessons, marks, final, strict=True):
        await pause()
        reports.append(_report(student, semester, place, given, posted, now, reach, standings) if place else None)
    return reports


# Keys are students' ids.
semester_report = Loader(_reports, "semester reports")


async def _class_reports(context: Context, classes: Sequence[UUID], arguments: Arguments) -> list[list[SemesterReport]]:
    arguments = await _in_semester(context, arguments)
    members = await context.loaders.of(_members, arguments).load_list(classes)
    students = [row["student_id"] for rows in members for row in rows]
    found = dict(zip(students, await context.loaders.of(semester_report, arguments).load_list(students), strict=True))
    return [[report for row in rows if (report := found[row["student_id"]]) is not None] for rows in members]


# Keys are ids of classes: the reports of the students who were in the class last in the semester, by name.
reports_of_class = Loader(_class_reports, "semester reports per class")


@dataclass(frozen=True, slots=True)
class _Standing:
    """The ranks in a class; empty until all of its grades are posted. Nothing else about classmates leaves this module."""

    ranks: Mapping[UUID, int]

    @classmethod
    def of(cls, rows: Sequence[Any]) -> "_Standing":
        if not rows or rows[0]["not_posted"]:
            return cls({})
        results: defaultdict[UUID, list[tuple[Decimal | None, Decimal]]] = defaultdict(list)
        for row in rows:
            results[row["student_id"]].append((row["points"], row["credits"]))
        averages = {student: gpa(each) for student, each in results.items()}
        return cls(ranks({student: value for student, value in averages.items() if value is not None}))


def _report(
    student: UUID,
    semester: UUID,
    lessons: Sequence[Any],
    marks: Iterable[Any],
    final: Iterable[Any],
    now: _CurrentPolicy,
    reach: Reach,
    standings: Mapping[UUID, _Standing],
) -> SemesterReport:
    marks_of: defaultdict[UUID, list[Any]] = defaultdict(list)
    for row in marks:
        marks_of[row["subject_id"]].append(row)
    results = {row["subject_id"]: _posted_average(row) for row in final}
    for subject, rows in marks_of.items():
        live = _computed_average(student, rows, now, reach)
        if subject not in results and live is not None:
            results[subject] = live
    class_id = lessons[0]["class_id"]
    taught = [row for row in lessons if row["subject_id"] is not None]
    for row in taught:
        if row["subject_id"] not in results:
            basis = _basis(student, {(class_id, row["subject_id"])}, reach)
            empty = SubjectAverage(
                row["subject_id"], row["subject_name"], row["credits"], basis, _NONE, False, {"types": {}, "noted": []}, now.policy
            )
            results[row["subject_id"]] = empty
    subjects = sorted(results.values(), key=lambda each: (each.subject_name, str(each.subject_id)))
    in_reach = all(each.basis is not None for each in subjects if each.credits > 0)
    is_posted = bool(taught) and all(results[row["subject_id"]].basis == POSTED for row in taught)
    standing = standings.get(class_id)
    ranked = standing.ranks if standing is not None and is_posted else {}
    return SemesterReport(
        student,
        class_id,
        semester,
        subjects,
        gpa((each.result.points, each.credits) for each in subjects) if in_reach else None,
        is_posted,
        ranked.get(student),
        len(ranked) if student in ranked else None,
        frozenset(each.policy.version for each in subjects if each.basis is not None) or frozenset({now.policy.version}),
    )


def _posted_average(row: Any) -> SubjectAverage:
    result = Grade(row["percentage"], row["rounded"], row["letter"], row["points"])
    return SubjectAverage(
        row["subject_id"],
        row["subject_name"],
        row["credits"],
        POSTED,
        result,
        row["is_incomplete"],
        row["facts"],
        _policy_of(row),
        row["id"],
    )


def _computed_average(student: UUID, rows: Sequence[Any], now: _CurrentPolicy, reach: Reach) -> SubjectAverage | None:
    """Computes a student's average in one subject from the visible grades; returns None if there are none."""
    if not rows:
        return None
    marks = [Mark(row["kind"], row["state"], row["score"], row["maximum"], row["weight"], row["day"], row["title"]) for row in rows]
    found = average(marks, now.policy, now.today)
    first = rows[0]
    basis = _basis(student, {(row["class_id"], row["subject_id"]) for row in rows}, reach)
    result = grade(found.percentage, now.policy)
    return SubjectAverage(
        first["subject_id"], first["subject_name"], first["credits"], basis, result, found.is_incomplete, found.facts, now.policy
    )


def _basis(student: UUID, places: set[tuple[UUID, UUID]], reach: Reach) -> str | None:
    """Returns which of a student's grades the viewer may see in these classes and subjects, by the rule for grades in db/sql/visibility.sql."""
    if "grades" in reach.open:
        return ALL
    taught = set(zip(reach.taught_classes, reach.taught_subjects, strict=True)) if student in reach.taught_students else set()
    if places & taught or any(class_id in reach.homeroom_classes for class_id, _ in places):
        return OF_CLASS
    return PUBLISHED if student in reach.own_students else None
