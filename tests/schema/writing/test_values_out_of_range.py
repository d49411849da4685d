"""Tests values out of range: each is an error of its field, none is an error of PostgreSQL, and nothing is written."""

import pytest

from tests.schema.writing.class_builder import codes

SUBJECT = "mutation ($input: CreateSubjectInput!) { createSubject(input: $input) { subject { id } userErrors { field code message } } }"
CLASS = "mutation ($input: CreateClassInput!) { createClass(input: $input) { class { id } userErrors { field code message } } }"


@pytest.mark.parametrize("number", ["NaN", "sNaN", "-NaN", "Infinity", "-Infinity"])
async def test_what_is_not_a_number_is_none(writable, number):
    for kind, field, more in (
        ("Subject", "credits", {}), ("AssessmentType", "weight", {}), ("FeeCategory", "defaultAmount", {"currency": "EUR"}),
    ):  # fmt: skip
        query = f"mutation ($input: Create{kind}Input!) {{ create{kind}(input: $input) {{ userErrors {{ field code }} }} }}"
        answer = await writable.ask(query, input={"code": "NAN", "name": "Nothing", field: number, **more})
        assert answer.codes == ["BAD_USER_INPUT"]
        assert field in answer.errors[0]["message"]
    assert await writable.value("SELECT count(*) FROM subjects WHERE code = 'NAN'") == 0


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "a\udfffb"])
async def test_characters_that_are_none_are_an_error_of_their_field(writable, text):
    given = {"code": "TEXT", "name": text, "description": text, "credits": "-1"}
    answer = (await writable.data(SUBJECT, input=given))["createSubject"]
    assert codes(answer) == [("name", "INVALID"), ("description", "INVALID")]


async def test_every_value_out_of_range_is_told_by_its_field_with_whatever_else_is_wrong(writable):
    year = await writable.id("year", "SELECT id FROM academic_years WHERE is_current")
    given = {"academicYearId": year, "name": "", "gradeLevel": 2**31 - 1, "section": "x" * 11, "capacity": 32768, "room": "r" * 61}
    answer = (await writable.data(CLASS, input=given))["createClass"]
    assert sorted(codes(answer)) == [
        ("capacity", "OUT_OF_RANGE"), ("gradeLevel", "OUT_OF_RANGE"), ("name", "INVALID"), ("room", "INVALID"), ("section", "INVALID"),
    ]  # fmt: skip
    assert not any("smallint" in each["message"] for each in answer["userErrors"])
    answer = (await writable.data(SUBJECT, input={"code": "no code", "name": "x", "credits": "123.4"}))["createSubject"]
    assert sorted(codes(answer)) == [("code", "INVALID"), ("credits", "OUT_OF_RANGE")]


async def test_an_update_out_of_range_changes_nothing(writable):
    row = await writable.database.fetchrow("SELECT id, version, capacity FROM classes ORDER BY id LIMIT 1")
    update = "mutation ($input: UpdateClassInput!) { updateClass(input: $input) { userErrors { field code } } }"
    given = {"id": f"cls_{row['id'].hex}", "version": row["version"], "capacity": 99999, "name": None, "section": "y"}
    assert sorted(codes((await writable.data(update, input=given))["updateClass"])) == [("capacity", "OUT_OF_RANGE"), ("name", "REQUIRED")]
    assert await writable.database.fetchrow("SELECT id, version, capacity FROM classes ORDER BY id LIMIT 1") == row


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_a_moment_that_cannot_be_read_back_is_not_kept(writable, moment):
    row = await writable.database.fetchrow("SELECT id, version FROM semesters ORDER BY id LIMIT 1")
    update = "mutation ($input: UpdateSemesterInput!) { updateSemester(input: $input) { userErrors { field code } } }"
    given = {"id": f"sem_{row['id'].hex}", "version": row["version"], "postingOpensAt": moment}
    assert codes((await writable.data(update, input=given))["updateSemester"]) == [("postingOpensAt", "INVALID")]
    assert (await writable.data("{ semesters(first: 9) { nodes { postingOpensAt } } }"))["semesters"]["nodes"]


async def test_a_moment_without_its_offset_is_none(writable):
    row = await writable.database.fetchrow("SELECT id, version, posting_opens_at FROM semesters ORDER BY id LIMIT 1")
    update = "mutation ($input: UpdateSemesterInput!) { updateSemester(input: $input) { userErrors { field code } } }"
    given = {"id": f"sem_{row['id'].hex}", "version": row["version"], "postingOpensAt": "2026-03-18T10:15:00"}
    answer = await writable.ask(update, input=given)
    assert answer.codes == ["BAD_USER_INPUT"]
    assert "postingOpensAt" in answer.errors[0]["message"]
    assert await writable.database.fetchrow("SELECT id, version, posting_opens_at FROM semesters ORDER BY id LIMIT 1") == row


async def test_a_time_of_the_schools_clock_has_no_time_zone(writable):
    create = "mutation ($input: CreatePeriodInput!) { createPeriod(input: $input) { userErrors { field code } } }"
    given = {"name": "Dawn", "startTime": "04:00:00+02:00", "endTime": "05:00:00Z"}
    assert codes((await writable.data(create, input=given))["createPeriod"]) == [("startTime", "INVALID"), ("endTime", "INVALID")]


async def test_free_texts_have_an_end(writable):
    answer = (await writable.data(SUBJECT, input={"code": "LONG", "name": "x", "description": "d" * 2001}))["createSubject"]
    assert codes(answer) == [("description", "INVALID")]
    create = "mutation ($input: CreateFeeCategoryInput!) { createFeeCategory(input: $input) { userErrors { field code } } }"
    given = {"code": "LONG", "name": "x", "currency": "EUR", "description": "d" * 2001}
    assert codes((await writable.data(create, input=given))["createFeeCategory"]) == [("description", "INVALID")]
