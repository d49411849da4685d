"""Tests that each scalar has one notation, and that any other is a clear error, in variables and in the document."""

import json

import pytest
from graphql import parse, validate

from execution.errors import ErrorWriter
from tests.graphql_school import SCHEMA

WRONG = {
    "Decimal": ["1_0", "١.٥", " 1 ", "1e3", "1E999999999", "NaN", "", "+1", True, 1e300, [], {}, "1" * 101],
    "Date": ["20260318", "2026-W12-3", "2026-3-18", "2026-02-30", "２０２６-03-18", "2026-03-18T00:00:00Z", " 2026-03-18", 20260318, "", "infinity"],
    "DateTime": ["2026-03-18 10:15:00Z", "20260318T101500Z", "2026-03-18T10:15:00", "2026-03-18T24:00:00Z", "2026-03-18T10:15:00+1", "now", 1],
    "Time": ["1015", "T10:15", "24:00", "10:15:60", "10", "١٠:١٥", 10, ""],
    "UUID": ["01890a5dac96774bbcceb302099a8057", "{01890a5d-ac96-774b-bcce-b302099a8057}", "urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", 1],
}  # fmt: skip
FIELDS = {
    "Decimal": 'createSubject(input: {code: "", name: "", credits: $value}) { userErrors { field } }',
    "Date": 'createHoliday(input: {academicYearId: "x", name: "", startDate: $value, endDate: $value}) { userErrors { field } }',
    "DateTime": 'updateSemester(input: {id: "x", version: 1, postingOpensAt: $value}) { userErrors { field } }',
    "Time": 'createPeriod(input: {name: "", startTime: $value, endTime: $value}) { userErrors { field } }',
    "UUID": 'createSubject(input: {code: "", name: "", clientId: $value}) { userErrors { field } }',
}  # fmt: skip
RIGHT = {
    "Decimal": ["0", "-12.50", "007", 3, 2.5], "Date": ["2026-03-18", "0001-01-01", "9999-12-31"], "Time": ["10:15", "10:15:00", "23:59:59.999999"],
    "DateTime": ["2026-03-18T10:15:00Z", "2026-03-18T10:15:00.5+01:00", "2026-03-18T10:15-03:30"], "UUID": ["01890A5D-ac96-774b-bcce-b302099a8057"],
}  # fmt: skip


def refused(document):
    """Returns whether a document is refused with errors that are the client's fault."""
    errors = validate(SCHEMA._schema, parse(document))
    written = [ErrorWriter().write(each, "test", code="GRAPHQL_VALIDATION_FAILED") for each in errors]
    return {each["extensions"]["code"] for each in written} == {"GRAPHQL_VALIDATION_FAILED"}


@pytest.mark.parametrize(("scalar", "value"), [(scalar, value) for scalar, values in WRONG.items() for value in values], ids=repr)
async def test_another_notation_is_bad_input(writable, scalar, value):
    needs = "!" if scalar in ("Date", "Time") else ""
    answer = await writable.ask(f"mutation ($value: {scalar}{needs}) {{ {FIELDS[scalar]} }}", value=value)
    assert answer.codes == ["BAD_USER_INPUT"]
    if isinstance(value, list | dict):
        return
    literal = json.dumps(value, ensure_ascii=False)
    assert refused(f"mutation {{ {FIELDS[scalar].replace('$value', literal)} }}")


@pytest.mark.parametrize(("scalar", "value"), [(scalar, value) for scalar, values in RIGHT.items() for value in values], ids=repr)
async def test_the_one_notation_is_taken(writable, scalar, value):
    needs = "!" if scalar in ("Date", "Time") else ""
    answer = await writable.ask(f"mutation ($value: {scalar}{needs}) {{ {FIELDS[scalar]} }}", value=value)
    assert answer.errors == []


@pytest.mark.parametrize("digits", ["9" * 400, "9" * 5000, "1e5000", "1e999999999"])
def test_a_number_too_long_to_be_read_is_refused_in_a_document(digits):
    assert refused(f"mutation {{ {FIELDS['Decimal'].replace('$value', digits)} }}")
