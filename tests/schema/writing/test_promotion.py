"""Tests promotion into the next year: a plan lists every row and error, and is applied if nothing has changed since."""

from uuid import uuid4

import pytest_asyncio

from tests.schema.writing.class_builder import codes
from tests.writable_school import writable_school

PLAN = """query ($input: PreviewPromotionInput!, $onlyErrors: Boolean! = false) { previewPromotion(input: $input) {
  hash promotedCount repeatedCount graduatedCount leftCount errorCount
  rows(first: 500, onlyErrors: $onlyErrors) { action error student { id } fromClass { gradeLevel section } toClass { id gradeLevel section } } } }"""
APPLY = """mutation ($input: ApplyPromotionInput!) { applyPromotion(input: $input) { promotedCount repeatedCount graduatedCount leftCount userErrors { field code } } }"""


@pytest_asyncio.fixture(loop_scope="session")
async def summer(databases):
    """Yields the demo school in the summer holidays, with the next year and a class for each level and section except the first."""
    async with writable_school(databases, "2026-08-05 09:00+02") as school:
        year = await school.database.fetchval(
            "INSERT INTO academic_years (name, start_date, end_date) SELECT '2026/27', end_date + 20, end_date + 320 FROM academic_years"
            " WHERE is_current RETURNING id"
        )
        await school.database.execute(
            "INSERT INTO classes (academic_year_id, name, grade_level, section) SELECT $1, 'n' || c.name, c.grade_level, c.section"
            " FROM classes c JOIN academic_years y ON y.id = c.academic_year_id WHERE y.is_current",
            year,
        )
        await school.database.execute("UPDATE academic_years SET end_date = '2026-07-31' WHERE is_current AND end_date > '2026-07-31'")
        years = {
            "fromAcademicYearId": await school.id("year", "SELECT id FROM academic_years WHERE is_current"),
            "toAcademicYearId": f"year_{year.hex}",
        }
        yield school, years


async def plan_of(school, years, **given):
    return (await school.data(PLAN, input=years | given))["previewPromotion"]


async def apply(school, years, **given):
    return (await school.data(APPLY, input=years | {"idempotencyKey": uuid4().hex, **given}))["applyPromotion"]


async def test_the_plan_tells_every_row_and_applying_does_it_without_a_gap(summer):
    school, years = summer
    [repeats, leaves] = [
        f"stu_{row['id'].hex}"
        for row in await school.database.fetch(
            "SELECT s.id FROM students s JOIN classes c ON c.id = s.class_id WHERE s.is_active AND c.grade_level = 2 ORDER BY s.id LIMIT 2"
        )
    ]
    overrides = [{"studentId": repeats, "action": "REPEAT"}, {"studentId": leaves, "action": "LEAVE"}]
    plan = await plan_of(school, years, overrides=overrides)
    active = await school.value("SELECT count(*) FROM students WHERE is_active AND class_id IS NOT NULL")
    assert len(plan["rows"]) == active == sum(plan[name] for name in ("promotedCount", "repeatedCount", "graduatedCount", "leftCount"))
    assert (plan["repeatedCount"], plan["leftCount"], plan["errorCount"]) == (1, 1, 0)
    highest = max(row["fromClass"]["gradeLevel"] for row in plan["rows"])
    for row in plan["rows"]:
        step = {"PROMOTE": 1, "REPEAT": 0}.get(row["action"])
        if step is None:
            assert row["toClass"] is None
            assert row["action"] == "LEAVE" or row["fromClass"]["gradeLevel"] == highest
        else:
            assert row["toClass"]["gradeLevel"] == row["fromClass"]["gradeLevel"] + step
            assert row["toClass"]["section"] == row["fromClass"]["section"]
    done = await apply(school, years, overrides=overrides, hash=plan["hash"])
    assert done == {name: plan[name] for name in ("promotedCount", "repeatedCount", "graduatedCount", "leftCount")} | {"userErrors": []}
    assert await school.value(
        "SELECT count(*) FROM (SELECT from_date, reason, lag(to_date) OVER (PARTITION BY student_id ORDER BY from_date) AS before"
        " FROM student_class_history) AS h WHERE before IS NOT NULL AND reason <> 'RETURNED' AND from_date <> before + 1"
    ) == 0  # fmt: skip
    assert await school.value("SELECT count(*) FROM students WHERE is_active AND class_id IS NOT NULL") == plan["promotedCount"] + 1
    assert await school.value("SELECT is_active FROM students WHERE id = $1", leaves[4:]) is False
    assert await school.value(
        "SELECT count(*) FROM classes c WHERE c.current_enrollment <> (SELECT count(*) FROM students s WHERE s.class_id = c.id AND s.is_active)"
    ) == 0  # fmt: skip


async def test_a_plan_that_is_another_by_now_is_not_applied(summer):
    school, years = summer
    plan = await plan_of(school, years)
    await school.database.execute("UPDATE classes SET capacity = 90 WHERE academic_year_id = $1", years["toAcademicYearId"][5:])
    audit = await school.value("SELECT count(*) FROM audit_logs")
    assert codes(await apply(school, years, hash=plan["hash"])) == [("hash", "PLAN_CHANGED")]
    assert await school.value("SELECT count(*) FROM audit_logs") == audit


async def test_rows_that_cannot_be_stop_it_all(summer):
    school, years = summer
    await school.database.execute(
        "UPDATE classes SET capacity = 1 WHERE academic_year_id = $1 AND grade_level = 3 AND section = 'A'", years["toAcademicYearId"][5:]
    )
    await school.database.execute(
        "UPDATE classes SET is_active = false WHERE academic_year_id = $1 AND grade_level = 4 AND section = 'A'",
        years["toAcademicYearId"][5:],
    )
    outsider = await school.id("stu", "SELECT id FROM students WHERE NOT is_active LIMIT 1")
    overrides = [{"studentId": outsider, "action": "LEAVE"}]
    plan = (await school.data(PLAN, input=years | {"overrides": overrides}, onlyErrors=True))["previewPromotion"]
    assert {row["error"] for row in plan["rows"]} == {"CLASS_FULL", "NO_CLASS"}
    assert plan["errorCount"] == len(plan["rows"]) + 1
    done = await apply(school, years, overrides=overrides, hash=plan["hash"])
    assert {code for _, code in codes(done)} == {"CLASS_FULL", "NO_CLASS", "NOT_IN_YEAR"}
    assert await school.value("SELECT count(*) FROM student_class_history WHERE academic_year_id = $1", years["toAcademicYearId"][5:]) == 0


async def test_a_year_that_goes_on_ends_nobody(writable):
    year = await writable.database.fetchval(
        "INSERT INTO academic_years (name, start_date, end_date) SELECT 'next', end_date + 1, end_date + 300 FROM academic_years"
        " WHERE is_current RETURNING id"
    )
    years = {
        "fromAcademicYearId": await writable.id("year", "SELECT id FROM academic_years WHERE is_current"),
        "toAcademicYearId": f"year_{year.hex}",
    }
    plan = await plan_of(writable, years)
    assert plan["errorCount"] > 0
    assert ("fromAcademicYearId", "YEAR_NOT_OVER") in codes(await apply(writable, years, hash=plan["hash"]))
    backwards = {"fromAcademicYearId": years["toAcademicYearId"], "toAcademicYearId": years["fromAcademicYearId"]}
    assert codes(await apply(writable, backwards, hash="x")) == [("toAcademicYearId", "NOT_LATER")]
    assert (await writable.ask(PLAN, input=backwards)).codes == ["BAD_USER_INPUT"]


async def test_nobody_but_an_administrator_sees_a_plan(writable):
    year = await writable.id("year", "SELECT id FROM academic_years WHERE is_current")
    for who in ("bursar", "teacher", "student", "guardian"):
        given = {"fromAcademicYearId": year, "toAcademicYearId": year}
        assert (await writable.ask(PLAN, f"{who}@demo.school", input=given)).codes == ["FORBIDDEN"]
