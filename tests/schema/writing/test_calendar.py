"""Tests the mutations of the school's settings, calendar and lessons."""

import asyncpg
import pytest

from db.errors import constraint_error

ERRORS = "userErrors { field code }"


async def run(school, name, fields, /, **given):
    kind = f"{name[0].upper()}{name[1:]}Input"
    data = await school.data(f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {fields} {ERRORS} }} }}", input=given)
    return data[name]


def codes(payload):
    return [(each["field"], each["code"]) for each in payload["userErrors"]]


async def test_years_do_not_overlap_and_semesters_lie_inside_their_year(writable):
    made = await run(
        writable, "createAcademicYear", "academicYear { id name version }", name="2030/31", startDate="2030-08-01", endDate="2031-07-31"
    )
    year = made["academicYear"]
    overlapping = await run(
        writable, "createAcademicYear", "academicYear { id }", name="2030/31", startDate="2031-07-31", endDate="2032-07-31"
    )
    assert codes(overlapping) == [("name", "TAKEN"), ("startDate", "OVERLAP")]
    backwards = await run(writable, "createAcademicYear", "academicYear { id }", name="x", startDate="2033-08-01", endDate="2033-07-31")
    assert codes(backwards) == [("endDate", "INVALID")]
    semester = {"academicYearId": year["id"], "name": "Autumn", "startDate": "2030-08-01", "endDate": "2031-01-31"}
    assert codes(await run(writable, "createSemester", "semester { id }", **semester)) == []
    twice = await run(writable, "createSemester", "semester { id }", **semester | {"startDate": "2031-01-31", "endDate": "2031-02-28"})
    assert codes(twice) == [("startDate", "OVERLAP")]
    outside = await run(writable, "createSemester", "semester { id }", **semester | {"startDate": "2031-02-01", "endDate": "2031-08-01"})
    assert codes(outside) == [("startDate", "OUTSIDE_YEAR")]
    shrunk = await run(writable, "updateAcademicYear", "academicYear { id }", id=year["id"], version=year["version"], endDate="2030-12-31")
    assert codes(shrunk) == [("startDate", "OUTSIDE_YEAR")]


async def test_one_year_is_the_current_one(writable):
    made = await run(
        writable,
        "createAcademicYear",
        "academicYear { id isCurrent }",
        name="2040/41",
        startDate="2040-08-01",
        endDate="2041-07-31",
        isCurrent=True,
    )
    assert made["academicYear"]["isCurrent"] is True
    assert await writable.value("SELECT array_agg(name) FROM academic_years WHERE is_current") == ["2040/41"]
    before = await writable.database.fetchrow("SELECT id, version FROM academic_years WHERE name = '2025/26'")
    back = await run(
        writable,
        "updateAcademicYear",
        "academicYear { isCurrent }",
        id=f"year_{before['id'].hex}",
        version=before["version"],
        isCurrent=True,
    )
    assert back == {"academicYear": {"isCurrent": True}, "userErrors": []}
    assert await writable.value("SELECT array_agg(name) FROM academic_years WHERE is_current") == ["2025/26"]


async def test_periods_do_not_overlap(writable):
    first = await run(writable, "createPeriod", "period { id name startTime }", name="7th", startTime="14:00:00", endTime="14:45:00")
    assert first["period"]["startTime"] == "14:00:00"
    overlapping = await run(writable, "createPeriod", "period { id }", name="8th", startTime="14:44:00", endTime="15:30:00")
    assert codes(overlapping) == [("startTime", "OVERLAP")]
    assert codes(await run(writable, "createPeriod", "period { id }", name="8th", startTime="14:45:00", endTime="15:30:00")) == []
    assert codes(await run(writable, "createPeriod", "period { id }", name="8th", startTime="18:00:00", endTime="17:00:00")) == [
        ("endTime", "INVALID"), ("name", "TAKEN"),
    ]  # fmt: skip
    data = await writable.data("{ periods { nodes { name } } }", "student@demo.school")
    assert [each["name"] for each in data["periods"]["nodes"]] == ["1st", "2nd", "3rd", "4th", "5th", "6th", "7th", "8th"]


async def test_a_holiday_comes_and_goes(writable):
    year = await writable.id("year", "SELECT id FROM academic_years WHERE is_current")
    made = await run(
        writable,
        "createHoliday",
        "holiday { id version }",
        academicYearId=year,
        name="Snow",
        startDate="2026-03-19",
        endDate="2026-03-20",
    )
    changed = await run(writable, "updateHoliday", "holiday { endDate version }", **made["holiday"], endDate="2026-03-19")
    assert changed == {"holiday": {"endDate": "2026-03-19", "version": 2}, "userErrors": []}
    gone = await run(writable, "deleteHoliday", "deletedId", id=made["holiday"]["id"])
    assert gone == {"deletedId": made["holiday"]["id"], "userErrors": []}
    assert codes(await run(writable, "deleteHoliday", "deletedId", id=made["holiday"]["id"])) == [("id", "NOT_FOUND")]
    old = await writable.value("SELECT old_values FROM audit_logs WHERE action = 'DELETE' AND record_id = $1", made["holiday"]["id"][4:])
    assert old["name"] == "Snow"


async def test_the_schools_settings_are_checked_all_at_once(writable):
    version = (await writable.data("{ school { version } }"))["school"]["version"]
    broken = await run(writable, "updateSchool", "school { name }", version=version, name="", currency="euro", roundingDecimals=9)
    assert codes(broken) == [("currency", "INVALID"), ("name", "INVALID"), ("roundingDecimals", "INVALID")]
    assert codes(await run(writable, "updateSchool", "school { name }", version=version, timeZone="Mars/Olympus")) == [
        ("timeZone", "INVALID")
    ]
    moved = await run(writable, "updateSchool", "school { timeZone today roundingMode }", version=version, timeZone="Pacific/Auckland")
    assert moved["school"] == {"timeZone": "Pacific/Auckland", "today": "2026-03-18", "roundingMode": "HALF_UP"}
    back = await run(writable, "updateSchool", "school { timeZone }", version=version + 1, timeZone="Europe/Berlin")
    assert codes(back) == []


async def test_school_days_are_a_set(writable):
    version = (await writable.data("{ school { version } }"))["school"]["version"]
    made = await run(writable, "updateSchool", "school { schoolDays }", version=version, schoolDays=[6, 1, 2, 2, 3, 1, 4, 5])
    assert made == {"school": {"schoolDays": [1, 2, 3, 4, 5, 6]}, "userErrors": []}
    for wrong in ([], [0, 1], [7, 8, 7]):
        assert codes(await run(writable, "updateSchool", "school { name }", version=version + 1, schoolDays=wrong)) == [
            ("schoolDays", "INVALID")
        ]
    assert codes(await run(writable, "updateSchool", "school { name }", version=version + 1, schoolDays=[1, 2, 3, 4, 5])) == []


async def test_a_lesson_that_was_assessed_stays(writable):
    lesson = await writable.id(
        "csu",
        "SELECT cs.id FROM class_subjects cs JOIN assessments a ON (a.class_id, a.subject_id, a.semester_id) = (cs.class_id, cs.subject_id, cs.semester_id)"
        " LIMIT 1",
    )
    assert codes(await run(writable, "removeClassSubject", "deletedId", id=lesson)) == [("id", "IN_USE")]
    subject = await run(writable, "createSubject", "subject { id }", code="CHESS", name="Chess")
    of = await writable.database.fetchrow(
        "SELECT c.id AS class_id, m.id AS semester_id FROM classes c JOIN semesters m USING (academic_year_id) WHERE c.is_active LIMIT 1"
    )
    given = {
        "classId": f"cls_{of['class_id'].hex}",
        "semesterId": f"sem_{of['semester_id'].hex}",
        "subjectId": subject["subject"]["id"],
    }
    made = await run(writable, "createClassSubject", "classSubject { id version teacher { id } }", **given)
    assert codes(await run(writable, "createClassSubject", "classSubject { id }", **given)) == [("subjectId", "TAKEN")]
    teacher = await writable.id("tea", "SELECT id FROM teachers WHERE is_active LIMIT 1")
    lesson = made["classSubject"]
    given_to = await run(writable, "updateClassSubject", "classSubject { teacher { id } }", id=lesson["id"], version=1, teacherId=teacher)
    assert given_to["classSubject"] == {"teacher": {"id": teacher}}
    assert codes(await run(writable, "removeClassSubject", "deletedId", id=lesson["id"])) == []


async def test_a_class_is_made_changed_and_put_away(writable):
    year = await writable.id("year", "SELECT id FROM academic_years WHERE is_current")
    made = await run(writable, "createClass", "class { id version name }", academicYearId=year, name="13z", gradeLevel=13, section="Z")
    assert made["class"]["name"] == "13z"
    again = await run(writable, "createClass", "class { id }", academicYearId=year, name="", gradeLevel=13, section="Z", capacity=0)
    assert codes(again) == [("capacity", "INVALID"), ("name", "INVALID"), ("section", "TAKEN")]
    away = await run(writable, "updateClass", "class { isActive room }", id=made["class"]["id"], version=1, isActive=False, room="R1")
    assert away == {"class": {"isActive": False, "room": "R1"}, "userErrors": []}


async def test_what_a_teacher_can_teach_is_noted_once(writable):
    teacher = await writable.id("tea", "SELECT id FROM teachers WHERE is_active ORDER BY id LIMIT 1")
    subject = (await run(writable, "createSubject", "subject { id }", code="GO", name="Go"))["subject"]["id"]
    assert codes(await run(writable, "addTeacherSubject", "teacher { id }", teacherId=teacher, subjectId=subject)) == []
    assert codes(await run(writable, "addTeacherSubject", "teacher { id }", teacherId=teacher, subjectId=subject)) == [
        ("subjectId", "TAKEN")
    ]
    assert codes(await run(writable, "removeTeacherSubject", "teacher { id }", teacherId=teacher, subjectId=subject)) == []
    assert codes(await run(writable, "removeTeacherSubject", "teacher { id }", teacherId=teacher, subjectId=subject)) == [
        ("subjectId", "NOT_FOUND")
    ]


async def test_a_year_is_not_made_shorter_than_what_lies_in_it(writable):
    """Checks that class memberships and registers count as well as semesters and holidays, which alone would still fit."""
    update = "academicYear { startDate }"
    begun = await run(writable, "createAcademicYear", "academicYear { id }", name="2051", startDate="2051-01-01", endDate="2051-12-31")
    assert codes(begun) == []
    year = begun["academicYear"]
    made = await run(writable, "createClass", "class { id }", academicYearId=year["id"], name="Z", gradeLevel=1, section="Z")
    assert codes(made) == []
    room = made["class"]["id"]
    student = await writable.value("SELECT id FROM students WHERE NOT is_active LIMIT 1")
    assert codes(await run(writable, "updateAcademicYear", update, id=year["id"], version=1, startDate="2051-01-02")) == []
    await writable.database.execute("INSERT INTO registers (class_id, date) VALUES ($1::uuid, '2051-01-10')", room[4:])
    later = {"id": year["id"], "version": 2, "startDate": "2051-02-01"}
    assert codes(await run(writable, "updateAcademicYear", update, **later)) == [("startDate", "OUTSIDE_YEAR")]
    await writable.database.execute("DELETE FROM registers WHERE class_id = $1::uuid", room[4:])
    await writable.database.execute(
        "INSERT INTO student_class_history (student_id, class_id, from_date, reason) VALUES ($1, $2::uuid, '2051-01-20', 'RETURNED')",
        student,
        room[4:],
    )
    assert codes(await run(writable, "updateAcademicYear", update, **later)) == [("startDate", "OUTSIDE_YEAR")]
    assert codes(await run(writable, "updateAcademicYear", update, **later | {"startDate": "2051-01-20"})) == []


async def test_a_school_is_set_up_once_also_by_two_at_once(writable):
    async with writable.database.transaction() as connection:
        await connection.execute("DELETE FROM school_settings")
        with pytest.raises(asyncpg.UniqueViolationError) as caught:
            await connection.execute("INSERT INTO school_settings (name) VALUES ('One'), ('Two')")
    assert constraint_error(caught.value).code == "CONFLICT"
