"""Tests the mutations of grading scales: lower bounds are unique and include 0, one scale is the default, every change has a version."""

import pytest

from tests.schema.writing.assessment_builder import run
from tests.schema.writing.class_builder import codes

ADMIN = "admin@demo.school"
SHOWN = "gradingScale { id name isDefault version bounds { lowerBound letter points } } warnings"
PASS = [{"lowerBound": "0", "letter": "fail", "points": "0"}, {"lowerBound": "50", "letter": "pass", "points": "1"}]


async def create(school, name, bounds=PASS, **given):
    return await run(school, "createGradingScale", SHOWN, ADMIN, name=name, bounds=bounds, **given)


async def update(school, scale, **given):
    return await run(school, "updateGradingScale", SHOWN, ADMIN, id=scale["id"], version=scale["version"], **given)


async def defaults(school):
    data = await school.data("{ gradingScales(first: 50) { nodes { name isDefault } } }")
    return [each["name"] for each in data["gradingScales"]["nodes"] if each["isDefault"]]


async def test_a_scale_is_made_and_every_mark_has_a_letter(writable):
    made = await create(writable, "Pass or fail")
    assert codes(made) == []
    assert [(each["lowerBound"], each["letter"]) for each in made["gradingScale"]["bounds"]] == [("50.000", "pass"), ("0.000", "fail")]
    assert made["warnings"] == []


async def test_everything_that_is_wrong_with_bounds_is_told_at_once_and_nothing_is_written(writable):
    bounds = [
        {"lowerBound": "10", "letter": "", "points": "-1"},
        {"lowerBound": "10", "letter": "B", "points": "1.005"},
        {"lowerBound": "1000", "letter": "x" * 11, "points": "100"},
        {"lowerBound": "20.0001", "letter": "C", "points": "1"},
    ]
    before = await writable.value("SELECT (SELECT count(*) FROM grading_scales) + (SELECT count(*) FROM audit_logs)")
    wrong = await create(writable, "", bounds)
    assert set(codes(wrong)) == {
        ("bounds", "INVALID"), ("bounds.0.lowerBound", "TWICE"), ("bounds.1.lowerBound", "TWICE"), ("bounds.0.letter", "INVALID"),
        ("bounds.0.points", "INVALID"), ("bounds.1.points", "INVALID"), ("bounds.2.lowerBound", "INVALID"), ("bounds.2.letter", "INVALID"),
        ("bounds.2.points", "INVALID"), ("bounds.3.lowerBound", "INVALID"), ("name", "INVALID"),
    }  # fmt: skip
    assert await writable.value("SELECT (SELECT count(*) FROM grading_scales) + (SELECT count(*) FROM audit_logs)") == before


async def test_a_higher_bound_worth_fewer_points_is_allowed_and_said(writable):
    made = await create(writable, "Upside down", [PASS[0] | {"points": "5"}, PASS[1]])
    assert codes(made) == []
    assert len(made["warnings"]) == 1


async def test_one_scale_is_the_default_and_moving_it_says_so(writable):
    [old] = await defaults(writable)
    made = (await create(writable, "New default", isDefault=True))["gradingScale"]
    assert await defaults(writable) == ["New default"]
    back = await writable.data("query { gradingScales(first: 50) { nodes { id name version isDefault } } }")
    was = next(each for each in back["gradingScales"]["nodes"] if each["name"] == old)
    assert codes(await update(writable, was, isDefault=True)) == []
    assert await defaults(writable) == [old]
    assert made["isDefault"]


async def test_bounds_are_replaced_whole_and_count_as_a_change(writable):
    scale = (await create(writable, "Thirds"))["gradingScale"]
    bounds = [*PASS, {"lowerBound": "75.5", "letter": "well", "points": "2"}]
    changed = await update(writable, scale, bounds=bounds)
    assert codes(changed) == []
    assert [each["letter"] for each in changed["gradingScale"]["bounds"]] == ["well", "pass", "fail"]
    assert changed["gradingScale"]["version"] == scale["version"] + 1
    stale = await update(writable, scale, name="Late")
    assert codes(stale) == [("version", "CONFLICT")]
    assert stale["gradingScale"]["name"] == "Thirds"


async def test_a_change_is_told_what_is_wrong_with_bounds_and_scale_at_once(writable):
    scale = (await create(writable, "All at once"))["gradingScale"]
    taken = (await create(writable, "Taken"))["gradingScale"]["name"]
    bounds = [PASS[1] | {"letter": ""}]
    wrong = [("bounds", "INVALID"), ("bounds.0.letter", "INVALID")]
    assert codes(await update(writable, scale, bounds=bounds, name="")) == [*wrong, ("name", "INVALID")]
    assert codes(await update(writable, scale, bounds=bounds, name=taken)) == [*wrong, ("name", "TAKEN")]
    assert codes(await update(writable, scale, bounds=bounds)) == wrong
    stale = await update(writable, scale | {"version": 7}, bounds=bounds)
    assert codes(stale) == [*wrong, ("version", "CONFLICT")]
    assert stale["gradingScale"]["name"] == "All at once"
    assert await writable.value("SELECT version FROM grading_scales WHERE id = $1::uuid", scale["id"].split("_")[1]) == 1


@pytest.mark.parametrize("bounds", [[], PASS[1:]])
async def test_a_change_cannot_take_the_bound_at_zero_away(writable, bounds):
    scale = (await create(writable, f"Zero {len(bounds)}"))["gradingScale"]
    assert ("bounds", "INVALID") in codes(await update(writable, scale, bounds=bounds))
    letters = await writable.value(
        "SELECT array_agg(letter ORDER BY lower_bound) FROM grading_scale_bounds WHERE scale_id = $1::uuid", scale["id"].split("_")[1]
    )
    assert letters == ["fail", "pass"]
