"""Tests the mutations of subjects, assessment types and fee categories."""

from decimal import Decimal
from uuid import uuid4

import pytest

CREATE = """mutation ($input: CreateSubjectInput!) {
  createSubject(input: $input) { subject { id code name credits version } userErrors { field code message } clientMutationId }
}"""
UPDATE = """mutation ($input: UpdateSubjectInput!) {
  updateSubject(input: $input) { subject { id code name credits isActive version } userErrors { field code } }
}"""


async def test_what_is_made_is_shown_and_the_audit_knows_who(writable):
    data = await writable.data(CREATE, input={"code": "LATIN", "name": "Latin", "credits": "1.5", "clientMutationId": "a"})
    made = data["createSubject"]
    assert made["userErrors"] == []
    assert made["clientMutationId"] == "a"
    assert made["subject"] | {"id": ""} == {"id": "", "code": "LATIN", "name": "Latin", "credits": "1.50", "version": 1}
    audit = await writable.database.fetchrow(
        "SELECT l.action, l.old_values, l.request_id, u.email FROM audit_logs l JOIN users u ON u.id = l.user_id"
        " JOIN subjects s ON s.id = l.record_id WHERE s.code = 'LATIN'"
    )
    assert (audit["action"], audit["old_values"], audit["email"]) == ("INSERT", None, "admin@demo.school")
    assert audit["request_id"]


async def test_every_broken_rule_is_told_at_once(writable):
    await writable.data(CREATE, input={"code": "GREEK", "name": "Greek"})
    data = await writable.data(CREATE, input={"code": "GREEK", "name": " ", "credits": "-1"})
    errors = {(each["field"], each["code"]) for each in data["createSubject"]["userErrors"]}
    assert errors == {("code", "TAKEN"), ("name", "INVALID"), ("credits", "INVALID")}
    assert data["createSubject"]["subject"] is None


async def test_a_stale_update_answers_conflict_with_the_object_as_it_is(writable):
    made = (await writable.data(CREATE, input={"code": "DUTCH", "name": "Dutch"}))["createSubject"]["subject"]
    first = await writable.data(UPDATE, input={"id": made["id"], "version": 1, "name": "Netherlandish"})
    assert first["updateSubject"]["subject"]["version"] == 2
    second = await writable.data(UPDATE, input={"id": made["id"], "version": 1, "credits": "3"})
    assert second["updateSubject"]["userErrors"] == [{"field": "version", "code": "CONFLICT"}]
    assert second["updateSubject"]["subject"] == {**first["updateSubject"]["subject"], "name": "Netherlandish", "credits": "1.00"}


async def test_an_update_changes_only_what_it_names_and_the_audit_keeps_the_old(writable):
    made = (await writable.data(CREATE, input={"code": "CZECH", "name": "Czech", "description": "Slavic"}))["createSubject"]["subject"]
    data = await writable.data(UPDATE, input={"id": made["id"], "version": 1, "isActive": False})
    assert data["updateSubject"]["subject"] | {"id": ""} == {
        "id": "", "code": "CZECH", "name": "Czech", "credits": "1.00", "isActive": False, "version": 2,
    }  # fmt: skip
    assert await writable.value(
        "SELECT old_values FROM audit_logs WHERE action = 'UPDATE' AND record_id = (SELECT id FROM subjects WHERE code = 'CZECH')"
    ) == {"is_active": True}
    assert await writable.value("SELECT description FROM subjects WHERE code = 'CZECH'") == "Slavic"


async def test_a_number_finer_than_is_kept_is_refused_and_not_rounded(writable):
    """Checks that it is reported with all other problems, and that a number that fits is accepted in any notation."""
    fine = await writable.data(CREATE, input={"code": "no code", "name": "", "credits": "1.005"})
    errors = [(each["field"], each["code"]) for each in fine["createSubject"]["userErrors"]]
    assert errors == [("credits", "INVALID"), ("code", "INVALID"), ("name", "INVALID")]
    assert "2 decimals" in fine["createSubject"]["userErrors"][0]["message"]
    made = (await writable.data(CREATE, input={"code": "LATVIAN", "name": "Latvian", "credits": "1.5000"}))["createSubject"]["subject"]
    assert made["credits"] == "1.50"
    data = await writable.data(UPDATE, input={"id": made["id"], "version": 1, "credits": "1.0" + "0" * 40 + "1", "name": ""})
    errors = [(each["field"], each["code"]) for each in data["updateSubject"]["userErrors"]]
    assert errors == [("credits", "INVALID"), ("name", "INVALID")]
    data = await writable.data(UPDATE, input={"id": made["id"], "version": 0, "credits": "1.005"})
    assert data["updateSubject"]["userErrors"] == [{"field": "version", "code": "CONFLICT"}]
    assert await writable.value("SELECT credits FROM subjects WHERE code = 'LATVIAN'") == Decimal("1.50")


@pytest.mark.parametrize(
    ("mutation", "given", "field"),
    [
        ("createAssessmentType", {"code": "FINE", "name": "Fine", "weight": "0.0005"}, "weight"),
        ("createFeeCategory", {"code": "FINE", "name": "Fine", "currency": "EUR", "defaultAmount": "10.0004"}, "defaultAmount"),
    ],
)
async def test_so_are_weights_and_amounts(writable, mutation, given, field):
    kind = f"{mutation[0].upper()}{mutation[1:]}Input"
    query = f"mutation ($input: {kind}!) {{ {mutation}(input: $input) {{ userErrors {{ field code }} }} }}"
    assert (await writable.data(query, input=given))[mutation]["userErrors"] == [{"field": field, "code": "INVALID"}]


async def test_an_update_breaks_no_rule_either(writable):
    made = (await writable.data(CREATE, input={"code": "IRISH", "name": "Irish"}))["createSubject"]["subject"]
    data = await writable.data(UPDATE, input={"id": made["id"], "version": 1, "code": "no code", "name": "", "credits": None})
    errors = {(each["field"], each["code"]) for each in data["updateSubject"]["userErrors"]}
    assert errors == {("code", "INVALID"), ("name", "INVALID"), ("credits", "REQUIRED")}


async def test_a_clients_own_id_makes_one_object_however_often_it_is_sent(writable):
    own = str(uuid4())
    given = {"code": "WELSH", "name": "Welsh", "clientId": own}
    answers = [(await writable.data(CREATE, input=given))["createSubject"] for _ in range(3)]
    assert answers[0]["subject"]["id"] == f"sub_{own.replace('-', '')}"
    assert answers == [answers[0]] * 3
    assert await writable.value("SELECT count(*) FROM audit_logs WHERE record_id = $1", own) == 1


async def test_a_clients_id_that_belongs_to_another_record_is_refused(writable):
    own = str(uuid4())
    await writable.data(CREATE, input={"code": "BASQUE", "name": "Basque", "clientId": own})
    data = await writable.data(CREATE, input={"code": "FRISIAN", "name": "Frisian", "clientId": own})
    assert [(each["field"], each["code"]) for each in data["createSubject"]["userErrors"]] == [("clientId", "TAKEN")]
    assert await writable.value("SELECT count(*) FROM subjects WHERE code = 'FRISIAN'") == 0


async def test_an_id_of_another_type_is_an_error_of_its_field(writable):
    teacher = await writable.id("tch", "SELECT id FROM teachers LIMIT 1")
    data = await writable.data(UPDATE, input={"id": teacher, "version": 1, "name": "X"})
    assert data["updateSubject"]["userErrors"] == [{"field": "id", "code": "INVALID_ID"}]
