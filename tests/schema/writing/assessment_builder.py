"""Builds assessments and marks in a class, through the teacher's mutations."""

from datetime import date
from uuid import uuid4

from tests.schema.writing.class_builder import codes

__all__ = ["DAY", "RECORD", "TEACHER", "make_assessment", "marked", "open_window", "publish", "record", "run", "stranger"]

TEACHER = "teacher@demo.school"
DAY = "2026-03-10"
RECORD = """mutation ($input: RecordGradesInput!) { recordGrades(input: $input) {
  changes { change previousState previousScore student { id } grade { id state score percentage letter comment version } }
  assessment { id } userErrors { field code message } } }"""
_ASSESSMENT = "assessment { id title maxScore extraCredit weight assessmentDate isPublished version semester { id } }"


async def run(school, name, shown, viewer=TEACHER, /, **given):
    """Runs a mutation with this input and returns its payload."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {shown} userErrors {{ field code message }} }} }}"
    return (await school.data(query, viewer, input=given))[name]


async def make_assessment(school, room, viewer=TEACHER, /, **given):
    """Creates an assessment of the school's type EXAM and returns the payload."""
    kind = await school.id("aty", "SELECT id FROM assessment_types WHERE code = $1", given.pop("type", "EXAM"))
    values = {
        "classId": room.id, "subjectId": room.subject, "assessmentTypeId": kind, "assessmentDate": DAY, "title": "A test", "maxScore": "100",
    }  # fmt: skip
    return await run(school, "createAssessment", _ASSESSMENT, viewer, **values | given)


async def record(school, assessment, room, *entries, viewer=TEACHER, key=None):
    """Records marks of the class's students, in their order, and returns the payload. Marks are scores, states or entries; None is left out."""
    given = []
    for student, entry in zip(room.students, entries, strict=False):
        if entry is not None:
            said = entry if isinstance(entry, dict) else {"score": str(entry)} if not str(entry).isalpha() else {"state": entry}
            given.append({"studentId": student, **said})
    return (await school.data(RECORD, viewer, input={"assessmentId": assessment, "entries": given, "idempotencyKey": key or uuid4().hex}))[
        "recordGrades"
    ]


async def publish(school, assessment, viewer=TEACHER):
    assert codes(await run(school, "publishAssessment", "assessment { id }", viewer, id=assessment)) == []


async def marked(school, room, *marks, day=DAY, published=True, **given):
    """Creates an assessment with these marks and returns its id."""
    made = await make_assessment(school, room, assessmentDate=str(day), **given)
    assert codes(made) == []
    answer = await record(school, made["assessment"]["id"], room, *marks)
    assert codes(answer) == []
    if published:
        await publish(school, made["assessment"]["id"])
    return made["assessment"]["id"]


async def stranger(school, room):
    """Creates a teacher who teaches nothing in the class, and returns their e-mail address."""
    return await school.value(
        "SELECT u.email FROM teachers t JOIN users u ON u.id = t.user_id WHERE t.is_active AND u.email IS NOT NULL AND u.email <> $1"
        " AND NOT EXISTS (SELECT FROM class_subjects cs WHERE cs.teacher_id = t.id AND cs.class_id = $2) LIMIT 1",
        TEACHER,
        room.id[4:],
    )


async def open_window(school, semester, opens=date(2026, 3, 1)):
    """Lets final grades be posted from a day on."""
    await school.database.execute("UPDATE semesters SET posting_opens_at = $2::date WHERE id = $1", semester[4:], opens)
