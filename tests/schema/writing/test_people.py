"""Tests the mutations of people and their links."""

from uuid import uuid4

ERRORS = "userErrors { field code }"
CREATE_STUDENT = f"""mutation ($input: CreateStudentInput!) {{ createStudent(input: $input) {{
  student {{ id name version studentNumber enrollmentDate class {{ id currentEnrollment }} contact {{ email }}
    classHistory {{ nodes {{ fromDate toDate reason }} }} }} {ERRORS} }} }}"""


def student(**given):
    number = uuid4().hex[:8]
    return {"firstName": "Ida", "lastName": "Lund", "studentNumber": number, **given}


async def make_student(school, **given):
    data = (await school.data(CREATE_STUDENT, input=student(**given)))["createStudent"]
    assert data["userErrors"] == []
    return data["student"]


async def a_class(school, n=0):
    return await school.id(
        "cls",
        "SELECT id FROM classes WHERE is_active AND current_enrollment + 3 < coalesce(capacity, 999) ORDER BY id OFFSET $1 LIMIT 1",
        n,
    )


async def test_a_student_is_made_with_an_account_and_a_class(writable):
    into = await a_class(writable)
    before = await writable.data("query ($id: ID!) { class(id: $id) { currentEnrollment } }", id=into)
    made = await make_student(writable, classId=into, email="ida@home.example")
    assert made["name"] == "Ida Lund"
    assert made["enrollmentDate"] == "2026-03-18"
    assert made["class"] == {"id": into, "currentEnrollment": before["class"]["currentEnrollment"] + 1}
    assert made["classHistory"]["nodes"] == [{"fromDate": "2026-03-18", "toDate": None, "reason": "ENROLLED"}]
    user = await writable.database.fetchrow("SELECT role, password_hash, is_active FROM users WHERE email = 'ida@home.example'")
    assert tuple(user) == ("STUDENT", None, True)


async def test_all_errors_of_the_person_and_the_record_come_at_once(writable):
    taken = await writable.value("SELECT student_number FROM students LIMIT 1")
    given = student(studentNumber=taken, firstName="", email="no address", birthDate="2030-01-01")
    data = (await writable.data(CREATE_STUDENT, input=given))["createStudent"]
    assert {(each["field"], each["code"]) for each in data["userErrors"]} == {
        ("firstName", "INVALID"), ("email", "INVALID"), ("studentNumber", "TAKEN"), ("birthDate", "INVALID"),
    }  # fmt: skip
    assert await writable.value("SELECT count(*) FROM users WHERE email = 'no address'") == 0


async def test_what_a_trigger_fills_is_asked_of_nobody(writable):
    row = await writable.database.fetchrow("SELECT user_id, employee_number FROM teachers ORDER BY id LIMIT 1")
    given = {"userId": f"usr_{row['user_id'].hex}", "employeeNumber": row["employee_number"], "joiningDate": "2026-01-01"}
    query = f"mutation ($input: CreateTeacherInput!) {{ createTeacher(input: $input) {{ {ERRORS} }} }}"
    errors = (await writable.data(query, input=given))["createTeacher"]["userErrors"]
    assert sorted((each["field"], each["code"]) for each in errors) == [("employeeNumber", "TAKEN"), ("userId", "TAKEN")]


async def test_a_student_sent_twice_with_the_phones_own_id_is_there_once(writable):
    given = student(clientId=str(uuid4()), email="twice@home.example", classId=await a_class(writable))
    first = (await writable.data(CREATE_STUDENT, input=given))["createStudent"]
    second = (await writable.data(CREATE_STUDENT, input=given))["createStudent"]
    assert first == second
    assert first["userErrors"] == []
    assert await writable.value("SELECT count(*) FROM users WHERE email = 'twice@home.example'") == 1
    other = (
        await writable.data(CREATE_STUDENT, input=given | {"lastName": "Lind", "email": "other@home.example", "studentNumber": "other"})
    )["createStudent"]
    assert [(each["field"], each["code"]) for each in other["userErrors"]] == [("clientId", "TAKEN")]
    assert await writable.value("SELECT count(*) FROM users WHERE email = 'other@home.example'") == 0


async def test_an_update_of_a_person_from_a_stale_version_changes_nothing(writable):
    made = await make_student(writable)
    update = f"mutation ($input: UpdateStudentInput!) {{ updateStudent(input: $input) {{ student {{ name version contact {{ phone }} }} {ERRORS} }} }}"
    first = await writable.data(update, input={"id": made["id"], "version": 1, "phone": "040 123"})
    assert first["updateStudent"] == {"student": {"name": "Ida Lund", "version": 2, "contact": {"phone": "040 123"}}, "userErrors": []}
    stale = await writable.data(update, input={"id": made["id"], "version": 1, "firstName": "Eda"})
    assert stale["updateStudent"] == {**first["updateStudent"], "userErrors": [{"field": "version", "code": "CONFLICT"}]}


async def test_a_changed_account_makes_the_persons_record_stale(writable):
    made = await make_student(writable)
    user = await writable.id("usr", "SELECT user_id FROM students WHERE student_number = $1", made["studentNumber"])
    data = await writable.data(
        f"mutation ($input: UpdateUserInput!) {{ updateUser(input: $input) {{ user {{ name student {{ name version }} }} {ERRORS} }} }}",
        input={"id": user, "version": 1, "lastName": "Berg"},
    )
    assert data["updateUser"] == {"user": {"name": "Ida Berg", "student": {"name": "Ida Berg", "version": 2}}, "userErrors": []}


MOVE = f"""mutation ($input: MoveStudentInput!) {{ moveStudent(input: $input) {{
  student {{ class {{ id }} classHistory {{ nodes {{ fromDate toDate reason endReason class {{ id }} }} }} }} {ERRORS} }} }}"""


async def test_a_move_keeps_the_history_gapless(writable):
    one, two = await a_class(writable, 0), await a_class(writable, 1)
    made = await make_student(writable, classId=one, enrollmentDate="2026-03-02")
    data = (await writable.data(MOVE, input={"id": made["id"], "classId": two, "on": "2026-03-16"}))["moveStudent"]
    assert data == {
        "student": {
            "class": {"id": two},
            "classHistory": {
                "nodes": [
                    {"fromDate": "2026-03-16", "toDate": None, "reason": "MOVED", "endReason": None, "class": {"id": two}},
                    {"fromDate": "2026-03-02", "toDate": "2026-03-15", "reason": "ENROLLED", "endReason": "MOVED", "class": {"id": one}},
                ]
            },
        },
        "userErrors": [],
    }


async def test_a_move_is_refused_for_a_clear_reason(writable):
    one, two = await a_class(writable, 0), await a_class(writable, 1)
    made = await make_student(writable, classId=one, enrollmentDate="2026-03-02")

    async def codes(**given):
        data = await writable.data(MOVE, input={"id": made["id"], "classId": two, **given})
        return [(each["field"], each["code"]) for each in data["moveStudent"]["userErrors"]]

    assert await codes(classId=one) == [("classId", "NO_CHANGE")]
    assert await codes(on="2026-03-01") == [("on", "TOO_EARLY")]
    assert await codes(on="2026-03-19") == [("on", "IN_FUTURE")]
    assert await codes(version=7) == [("version", "CONFLICT")]
    last_year = await writable.id(
        "cls", "SELECT c.id FROM classes c JOIN academic_years y ON y.id = c.academic_year_id WHERE NOT y.is_current LIMIT 1"
    )
    assert await codes(classId=last_year) == [("classId", "NOT_ACTIVE"), ("on", "OUTSIDE_YEAR")]
    await writable.database.execute("UPDATE classes SET capacity = greatest(current_enrollment, 1) WHERE id = $1", two[4:])
    assert await codes() == [("classId", "CLASS_FULL")]
    await writable.database.execute("UPDATE classes SET capacity = 40 WHERE id = $1", two[4:])
    await writable.database.execute(
        "INSERT INTO attendance (student_id, class_id, date, status) VALUES ($1, $2, '2026-03-17', 'PRESENT')", made["id"][4:], one[4:]
    )
    assert await codes(on="2026-03-17") == [("on", "HAS_MARKS")]
    assert await codes(on="2026-03-18") == []


async def test_who_leaves_and_comes_back_is_one_student_with_two_enrolments(writable):
    one = await a_class(writable)
    made = await make_student(writable, classId=one, enrollmentDate="2026-02-02", email="gone@home.example")
    left = await writable.data(
        f"mutation ($input: DeactivateStudentInput!) {{ deactivateStudent(input: $input) {{ student {{ isActive version class {{ id }} }} {ERRORS} }} }}",
        input={"id": made["id"], "version": 1, "on": "2026-03-06"},
    )
    assert left["deactivateStudent"] == {"student": {"isActive": False, "version": 2, "class": None}, "userErrors": []}
    assert await writable.value("SELECT is_active FROM users WHERE email = 'gone@home.example'") is False
    back = await writable.data(
        f"mutation ($input: ReenrollStudentInput!) {{ reenrollStudent(input: $input) {{ student {{ isActive class {{ id }}"
        f" classHistory {{ nodes {{ fromDate toDate reason endReason }} }} }} {ERRORS} }} }}",
        input={"id": made["id"], "version": 2, "classId": one},
    )
    assert back["reenrollStudent"]["userErrors"] == []
    assert back["reenrollStudent"]["student"] == {
        "isActive": True,
        "class": {"id": one},
        "classHistory": {
            "nodes": [
                {"fromDate": "2026-03-18", "toDate": None, "reason": "RETURNED", "endReason": None},
                {"fromDate": "2026-02-02", "toDate": "2026-03-06", "reason": "ENROLLED", "endReason": "LEFT"},
            ]
        },
    }


async def test_a_guardian_sees_a_child_from_the_link_on_and_no_longer_after_it(writable):
    made = await make_student(writable)
    guardian = await writable.id(
        "gua", "SELECT g.id FROM guardians g JOIN users u ON u.id = g.user_id WHERE u.email = 'guardian@demo.school'"
    )
    sees = "query ($id: ID!) { student(id: $id) { name } }"
    assert (await writable.data(sees, "guardian@demo.school", id=made["id"])) == {"student": None}
    link = (
        f"mutation ($input: LinkGuardianInput!) {{ linkGuardian(input: $input) {{ guardianship {{ relationship isPrimary }} {ERRORS} }} }}"
    )
    given = {"guardianId": guardian, "studentId": made["id"], "relationship": "FATHER", "isPrimary": True}
    for relationship in ("FATHER", "OTHER"):
        data = await writable.data(link, input=given | {"relationship": relationship})
        assert data["linkGuardian"] == {"guardianship": {"relationship": relationship, "isPrimary": True}, "userErrors": []}
    assert (await writable.data(sees, "guardian@demo.school", id=made["id"])) == {"student": {"name": "Ida Lund"}}
    unlink = f"mutation ($input: UnlinkGuardianInput!) {{ unlinkGuardian(input: $input) {{ student {{ id }} {ERRORS} }} }}"
    pair = {"guardianId": guardian, "studentId": made["id"]}
    assert (await writable.data(unlink, input=pair))["unlinkGuardian"]["userErrors"] == []
    assert (await writable.data(sees, "guardian@demo.school", id=made["id"])) == {"student": None}
    assert (await writable.data(unlink, input=pair))["unlinkGuardian"]["userErrors"] == [{"field": "studentId", "code": "NOT_FOUND"}]


async def test_a_teacher_with_lessons_is_not_let_go(writable):
    teacher = await writable.id("tea", "SELECT t.id FROM teachers t JOIN users u ON u.id = t.user_id WHERE u.email = 'teacher@demo.school'")
    deactivate = f"mutation ($input: DeactivateTeacherInput!) {{ deactivateTeacher(input: $input) {{ teacher {{ isActive }} {ERRORS} }} }}"
    data = await writable.data(deactivate, input={"id": teacher, "version": 1})
    assert data["deactivateTeacher"]["userErrors"] == [{"field": "id", "code": "IN_USE"}]
    assert await writable.value("SELECT is_active FROM teachers WHERE id = $1", teacher[4:]) is True
    create = f"mutation ($input: CreateTeacherInput!) {{ createTeacher(input: $input) {{ teacher {{ id version }} {ERRORS} }} }}"
    made = await writable.data(
        create, input={"firstName": "Eva", "lastName": "Lind", "employeeNumber": "E-new", "joiningDate": "2026-02-01"}
    )
    given = {"id": made["createTeacher"]["teacher"]["id"], "version": 1}
    assert (await writable.data(deactivate, input=given))["deactivateTeacher"] == {"teacher": {"isActive": False}, "userErrors": []}


async def test_the_last_administrator_stays_one(writable):
    admin = await writable.id("usr", "SELECT id FROM users WHERE email = 'admin@demo.school'")
    version = await writable.value("SELECT version FROM users WHERE email = 'admin@demo.school'")
    update = f"mutation ($input: UpdateUserInput!) {{ updateUser(input: $input) {{ user {{ role }} {ERRORS} }} }}"
    data = await writable.data(update, input={"id": admin, "version": version, "role": "BURSAR"})
    assert data["updateUser"]["userErrors"] == [{"field": "role", "code": "LAST_ADMINISTRATOR"}]
    deactivate = f"mutation ($input: DeactivateUserInput!) {{ deactivateUser(input: $input) {{ user {{ role }} {ERRORS} }} }}"
    data = await writable.data(deactivate, input={"id": admin, "version": version})
    assert data["deactivateUser"]["userErrors"] == [{"field": "id", "code": "NOT_ALLOWED"}]


async def test_a_deactivated_account_is_out_from_the_next_request(writable):
    create = f"mutation ($input: CreateUserInput!) {{ createUser(input: $input) {{ user {{ id version }} {ERRORS} }} }}"
    given = {"role": "BURSAR", "firstName": "Bo", "lastName": "Ek", "email": "bo@demo.school"}
    made = (await writable.data(create, input=given))["createUser"]["user"]
    viewer = await writable.viewer("bo@demo.school")
    deactivate = f"mutation ($input: DeactivateUserInput!) {{ deactivateUser(input: $input) {{ user {{ isActive }} {ERRORS} }} }}"
    data = await writable.data(deactivate, input=made)
    assert data["deactivateUser"] == {"user": {"isActive": False}, "userErrors": []}
    own = f"mutation ($input: UpdateOwnContactInput!) {{ updateOwnContact(input: $input) {{ {ERRORS} }} }}"
    answer = await writable.ask(own, viewer, input={"phone": "123"})
    assert answer.codes == ["UNAUTHENTICATED"]
    assert await writable.value("SELECT phone FROM users WHERE email = 'bo@demo.school'") is None


async def test_everybody_changes_their_own_contact(writable):
    own = f"mutation ($input: UpdateOwnContactInput!) {{ updateOwnContact(input: $input) {{ user {{ contact {{ phone address }} }} {ERRORS} }} }}"
    for email in ("admin@demo.school", "bursar@demo.school", "teacher@demo.school", "student@demo.school", "guardian@demo.school"):
        data = await writable.data(own, email, input={"phone": "555 1", "address": "1 Elm St"})
        assert data["updateOwnContact"] == {"user": {"contact": {"phone": "555 1", "address": "1 Elm St"}}, "userErrors": []}
