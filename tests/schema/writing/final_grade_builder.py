"""Posts and reopens final grades of a class, and reads the averages and final grades that follow."""

from decimal import Decimal
from uuid import uuid4

from tests.schema.writing.assessment_builder import TEACHER, run

ADMIN = "admin@demo.school"
POSTED = "class { id } postings { number studentCount subject { id } }"
RESULT = "basis percentage rounded letter points isIncomplete explanation { steps { label value detail } policyVersion }"


async def post(school, room, viewer=TEACHER, key=None, **given):
    values = {"classId": room.id, "semesterId": room.semester, "subjectId": room.subject, "idempotencyKey": key or uuid4().hex}
    return await run(school, "postFinalGrades", POSTED, viewer, **values | given)


async def reopen(school, room, viewer=ADMIN, **given):
    values = {
        "classId": room.id,
        "semesterId": room.semester,
        "subjectId": room.subject,
        "until": "2026-03-20T12:00:00Z",
        "reason": "A typing slip",
    }
    return await run(school, "reopenGrades", "reopenedCount", viewer, **values | given)


async def average(school, room, n=0, viewer=ADMIN):
    query = f"query ($s: ID!, $j: ID!, $m: ID!) {{ student(id: $s) {{ subjectAverage(subjectId: $j, semesterId: $m) {{ {RESULT} }} }} }}"
    found = (await school.data(query, viewer, s=room.students[n], j=room.subject, m=room.semester))["student"]["subjectAverage"]
    return found and found | {"percentage": found["percentage"] and Decimal(found["percentage"])}


async def final_grades(school, room, viewer=ADMIN):
    """Returns the final grades posted in a class, latest first for each student."""
    query = (
        "query ($c: [ID!]) { finalGrades(first: 100, filter: {classIds: $c}) { nodes { id number isCurrent letter rounded percentage points credits"
        " isIncomplete student { id } postedBy { name } explanation { steps { label value detail } policyVersion } } } }"
    )
    nodes = (await school.data(query, viewer, c=[room.id]))["finalGrades"]["nodes"]
    return sorted(nodes, key=lambda each: (room.students.index(each["student"]["id"]), -each["number"]))


async def own_email(school, room, n):
    """Returns the e-mail address with which a student of the class can sign in."""
    email = f"{uuid4().hex}@demo.school"
    await school.database.execute(
        "UPDATE users SET email = $2 WHERE id = (SELECT user_id FROM students WHERE id = $1)", room.students[n][4:], email
    )
    return email
