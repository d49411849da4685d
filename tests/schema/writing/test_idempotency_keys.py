"""Tests that a mutation sent twice with the same idempotency key is done once."""

import asyncio
from dataclasses import fields
from uuid import uuid4

import pytest
from graphql import get_named_type

from resolvers.idempotency_keys import _INPUT_NAMED_SCOPES, FIRST_ARGUMENT_NAMES
from tests.graphql_school import SCHEMA
from tests.schema.writing.charge_builder import FIELDS, act, books, entry, money, pay
from tests.schema.writing.class_builder import codes

NONE = "0" * 32
# The fields of each input as they were called when a key of it was first stored: keys are compared by these names.
FIRST_NAMES = {
    "applyPromotion": "from_academic_year_id hash overrides overrides.action overrides.class_id overrides.student_id to_academic_year_id",
    "cancelCharge": "payment_id reason",
    "correctAttendance": "arrival_time client_id date excuse_reason excused minutes_late minutes_present status student_id subject_id",
    "correctPayment": "reason replacement replacement.amount replacement.method replacement.occurred_at replacement.payment_id transaction_id",
    "createAnnouncement": "body class_id published_at title",
    "createCharges": "academic_year_id allow_again amount class_id description due_date everyone fee_category_id grade_level hash student_ids",
    "dismissGatewayEvent": "id reason",
    "postFinalGrades": "class_id leave_out_not_recorded semester_id subject_id",
    "recordGrades": "assessment_id entries entries.client_id entries.comment entries.score entries.state entries.student_id entries.version",
    "recordPayment": "allocations allocations.amount allocations.payment_id amount currency method note occurred_at",
    "refundPayment": "amount method occurred_at reason transaction_id",
    "retryGatewayEvent": "id",
    "submitRegister": "class_id date entries entries.arrival_time entries.client_id entries.excuse_reason entries.excused entries.minutes_late entries.minutes_present entries.status entries.student_id subject_id",
    "updateCharge": "description due_date id version",
    "waiveCharge": "amount payment_id reason",
}


async def test_the_same_key_and_arguments_answer_the_saved_object_read_anew(writable, one):
    key = uuid4().hex
    first = await pay(writable, (one, "40"), key=key)
    before = await books(writable)
    assert await pay(writable, (one, "40"), key=key) == first
    assert await books(writable) == before
    await act(writable, "refundPayment", id=await entry(writable, one), reason="Left")
    again = await pay(writable, (one, "40"), key=key)
    assert (again["receipt"]["id"], again["charges"][0]["status"]) == (first["receipt"]["id"], "REFUNDED")


async def test_the_same_key_with_other_arguments_is_refused(writable, one):
    key = uuid4().hex
    await pay(writable, (one, "40"), key=key)
    before = await books(writable)
    assert codes(await pay(writable, (one, "41"), key=key)) == [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]
    assert await books(writable) == before


async def test_arguments_are_the_same_by_value_however_they_are_written(writable, one):
    key = uuid4().hex
    first = await pay(writable, (one, "40"), key=key)
    assert await pay(writable, (one, "40.00"), amount="040.000", key=key) == first
    moments = ("2026-03-17T10:00:00+01:00", "2026-03-17T09:00:00Z", "2026-03-17T09:00:01Z")
    key = uuid4().hex
    answers = [await pay(writable, (one, "5.5"), key=key, occurredAt=each) for each in moments]
    assert answers[0] == answers[1]
    assert [codes(each) for each in answers] == [[], [], [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]]


async def test_keys_are_per_user_and_per_mutation(writable, one):
    key = uuid4().hex
    assert codes(await pay(writable, (one, "40"), key=key)) == []
    assert codes(await pay(writable, (one, "40"), key=key, viewer="admin@demo.school")) == []
    assert codes(await act(writable, "waiveCharge", key=key, id=one, amount="5", reason="Hardship")) == []
    assert await money(writable, one) == ("PARTIAL", 15)


async def test_user_errors_are_not_saved_under_a_key(writable, one):
    key = uuid4().hex
    assert codes(await pay(writable, (one, "400"), key=key)) == [("allocations.0.amount", "OVERPAID")]
    assert codes(await pay(writable, (one, "40"), key=key)) == []


async def test_keys_are_kept_thirty_days(writable, one):
    from db.sql_catalog import queries

    key, old = uuid4().hex, uuid4().hex
    await pay(writable, (one, "1"), key=key)
    await pay(writable, (one, "1"), key=old)
    ages = "UPDATE idempotency_keys SET created_at = now() - make_interval(days => $2::int, secs => 5) WHERE key = $1"
    await writable.database.execute(ages, key, 29)
    await writable.database.execute(ages, old, 30)
    await writable.database.execute(queries.delete_old_idempotency_keys.statement().sql)
    assert await writable.value("SELECT array_agg(DISTINCT key) FROM idempotency_keys WHERE key = ANY($1)", [key, old]) == [key]


async def _as_the_version_before_kept_it(school, key):
    """Leaves of a key only what v0.0 would have written: the row whose scope is named after the input type."""
    await school.database.execute("DELETE FROM idempotency_keys WHERE key = $1 AND mutation <> 'RecordPayment'", key)


async def test_a_key_used_before_the_upgrade_books_nothing_after_it(writable, one):
    key = uuid4().hex
    first = await pay(writable, (one, "40"), key=key)
    await _as_the_version_before_kept_it(writable, key)
    before = await money(writable, one)
    assert await pay(writable, (one, "40"), key=key) == first
    assert await money(writable, one) == before
    assert codes(await pay(writable, (one, "41"), key=key)) == [("idempotencyKey", "IDEMPOTENCY_KEY_REUSED")]
    assert await writable.value("SELECT count(*) FROM idempotency_keys WHERE key = $1 AND answer IS NOT NULL", key) == 2


async def test_a_worker_of_the_version_before_finds_what_this_one_did(writable, one):
    key = uuid4().hex
    await pay(writable, (one, "40"), key=key)
    answers = await writable.database.fetch("SELECT mutation, answer FROM idempotency_keys WHERE key = $1 ORDER BY 1", key)
    assert [row["mutation"] for row in answers] == ["RecordPayment", "recordPayment"]
    assert answers[0]["answer"] == answers[1]["answer"] is not None


async def test_a_call_waits_for_a_worker_of_the_version_before_that_has_the_key(writable, one):
    key = uuid4().hex
    first = await pay(writable, (one, "40"), key=key)
    kept = await writable.database.fetchrow("DELETE FROM idempotency_keys WHERE key = $1 AND mutation = 'RecordPayment' RETURNING *", key)
    await writable.database.execute("DELETE FROM idempotency_keys WHERE key = $1", key)
    before = await money(writable, one)
    async with writable.database.transaction() as old_worker:
        await old_worker.execute(
            "INSERT INTO idempotency_keys (user_id, mutation, key, arguments_hash, answer) VALUES ($1, 'RecordPayment', $2, $3, $4)",
            kept["user_id"],
            key,
            kept["arguments_hash"],
            kept["answer"],
        )
        waiting = asyncio.create_task(pay(writable, (one, "40"), key=key))
        while not await writable.value("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"):
            await asyncio.sleep(0.01)
        assert not waiting.done()
    assert await waiting == first
    assert await money(writable, one) == before


def test_every_mutation_with_a_key_has_a_scope_that_never_changes():
    """Renaming a field or an input keeps its scope. A new mutation is added to FIRST_NAMES under its first name, and to no other scope."""
    mutations = SCHEMA._schema.mutation_type.fields
    names = {name for name, field in mutations.items() if "idempotencyKey" in get_named_type(field.args["input"].type).fields}
    missing = sorted(names - FIRST_NAMES.keys())
    assert not missing, f"list the fields of the inputs of {', '.join(missing)} in FIRST_NAMES"
    assert names == FIRST_NAMES.keys()
    assert names >= _INPUT_NAMED_SCOPES
    assert len(_INPUT_NAMED_SCOPES) == 14, "only mutations that had keys before v0.1 have a second scope"
    assert set(FIELDS) - {"updateCharge"} <= names


def stored_names(class_, names, prefix=""):
    """Yields the names under which an input's fields are compared, those of inputs in it after a dot."""
    for field in fields(class_):
        stored = prefix + names.get(field.name, field.name)
        yield stored
        inner = field.type
        while hasattr(inner, "of_type"):
            inner = inner.of_type
        if hasattr(inner, "__strawberry_definition__"):
            yield from stored_names(inner, names, f"{stored}.")


@pytest.mark.parametrize("scope", sorted(FIRST_NAMES))
def test_renaming_a_field_of_an_input_forgets_no_key(scope):
    input_type = get_named_type(SCHEMA._schema.mutation_type.fields[scope].args["input"].type)
    class_ = SCHEMA.get_type_by_name(input_type.name).origin
    now = set(stored_names(class_, FIRST_ARGUMENT_NAMES.get(scope, {})))
    assert set(FIRST_NAMES[scope].split()) <= now, "name the fields that were renamed in FIRST_ARGUMENT_NAMES"


async def test_answers_are_stored_under_the_first_names_of_the_payloads_fields(writable, one):
    """A worker that calls charges payments can answer what this one stored, and the other way round."""
    key = uuid4().hex
    first = await pay(writable, (one, "40"), key=key)
    assert first["charges"]
    answers = await writable.database.fetch("SELECT answer FROM idempotency_keys WHERE key = $1", key)
    assert [set(row["answer"]) for row in answers] == [{"receipt", "transactions", "payments"}] * 2
    assert await pay(writable, (one, "40"), key=key) == first
