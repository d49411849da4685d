"""Tests edges that are loaded together with their row: one statement reads a student with user and class, and never a row that is not visible."""

from tests.graphql_school import cost

ONE = "query ($id: ID!) { student(id: $id) { id user { id name } class { id name } } }"
STUDENT = "SELECT s.id FROM students s JOIN users u ON u.id = s.user_id WHERE u.email = 'student@demo.school'"


async def test_a_student_with_user_and_class_is_one_statement(demo):
    answer = await demo.ask(ONE, id=await demo.id("stu", STUDENT))
    assert answer.data["student"]["user"]["name"]
    assert answer.data["student"]["class"]["name"]
    assert answer.statements == cost(1, 3)


async def test_a_row_that_the_viewer_may_not_see_does_not_ride_along(demo):
    """Checks a teacher, who may see no other users (docs/access.md), although the student's own row has the name."""
    student = await demo.id("stu", "SELECT s.id FROM students s WHERE s.class_id = (SELECT c.id FROM classes c JOIN teachers t ON t.id = c.teacher_id JOIN users u ON u.id = t.user_id WHERE u.email = 'teacher@demo.school' AND c.is_active LIMIT 1) LIMIT 1")  # fmt: skip
    answer = await demo.ask(ONE, "teacher@demo.school", id=student)
    assert answer.data["student"]["user"] is None
    assert answer.data["student"]["class"]["name"]
    assert not answer.errors
    assert answer.statements == cost(2, 4), "one of them is the reach"


async def test_what_rode_along_leads_on(demo):
    answer = await demo.ask(
        "query ($id: ID!) { student(id: $id) { class { teacher { name } } user { student { studentNumber } role } studentNumber } }",
        id=await demo.id("stu", STUDENT),
    )
    student = answer.data["student"]
    assert student["user"] == {"student": {"studentNumber": student["studentNumber"]}, "role": "STUDENT"}
    assert student["class"]["teacher"]["name"]


async def test_many_rows_are_fetched_once_each_instead(demo):
    """Checks that a class is not fetched and built 20 times with 20 students."""
    ids = [await demo.id("stu", "SELECT id FROM students ORDER BY id LIMIT 1 OFFSET $1", n) for n in range(20)]
    aliases = " ".join(
        f's{n}: student(id: "{each}") {{ class {{ name students(last: 1) {{ nodes {{ id }} }} }} }}' for n, each in enumerate(ids)
    )
    answer = await demo.ask(f"{{ {aliases} }}")
    assert answer.statements == 3
