"""Builds a class with students, a subject and its teacher in the demo school."""

from dataclasses import dataclass
from uuid import uuid4

from tests.graphql_school import School

__all__ = ["Classroom", "codes", "make_classroom", "make_colleague"]


@dataclass
class Classroom:
    """Describes a class with three students since 2 February 2026. Its teacher is teacher@demo.school, who also teaches `subject` there."""

    id: str
    students: list[str]
    subject: str
    semester: str


async def make_classroom(school: School, size: int = 3) -> Classroom:
    async def run(name, fields, /, **given):
        kind = f"{name[0].upper()}{name[1:]}Input"
        data = await school.data(
            f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {fields} userErrors {{ field code message }} }} }}", input=given
        )
        assert data[name]["userErrors"] == []
        return data[name]

    year = await school.id("year", "SELECT id FROM academic_years WHERE is_current")
    semester = await school.id("sem", "SELECT id FROM semesters WHERE '2026-03-18' BETWEEN start_date AND end_date")
    teacher = await school.id("tea", "SELECT t.id FROM teachers t JOIN users u ON u.id = t.user_id WHERE u.email = 'teacher@demo.school'")
    name = uuid4().hex[:8]
    made = await run("createClass", "class { id }", academicYearId=year, name=name, gradeLevel=12, section=name, teacherId=teacher)
    room = made["class"]["id"]
    subject = (await run("createSubject", "subject { id }", code=f"S-{name}".upper(), name=f"Subject {name}"))["subject"]["id"]
    await run("createClassSubject", "classSubject { id }", classId=room, subjectId=subject, semesterId=semester, teacherId=teacher)
    students = []
    for n in range(size):
        given = {"firstName": f"S{n}", "lastName": "Test", "studentNumber": f"{name}-{n}", "classId": room, "enrollmentDate": "2026-02-02"}
        students.append((await run("createStudent", "student { id }", **given))["student"]["id"])
    return Classroom(room, students, subject, semester)


async def make_colleague(school: School, room: Classroom) -> str:
    """Creates another teacher of a class, with an account and their own subject; returns their e-mail address."""
    name = uuid4().hex[:8]
    email = f"{name}@demo.school"
    async with school.database.transaction() as connection:
        user = await connection.fetchval(
            "INSERT INTO users (role, first_name, last_name, email) VALUES ('TEACHER', 'Co', 'League', $1) RETURNING id", email
        )
        teacher = await connection.fetchval(
            "INSERT INTO teachers (user_id, employee_number, joining_date) VALUES ($1, $2, '2025-08-01') RETURNING id", user, name
        )
        subject = await connection.fetchval("INSERT INTO subjects (code, name) VALUES ($1, $1) RETURNING id", name.upper())
        await connection.execute(
            "INSERT INTO class_subjects (class_id, subject_id, semester_id, teacher_id) VALUES ($1, $2, $3, $4)",
            room.id[4:], subject, room.semester[4:], teacher,
        )  # fmt: skip
    return email


def codes(payload):
    return [(each["field"], each["code"]) for each in payload["userErrors"]]
