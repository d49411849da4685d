"""Tests the cost budget: how much a client may spend in a minute, and that each client has its own."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.documents.limits import Limits
from execution.errors import Refusal
from tests.transport.asgi_client import NEW, ask, post
from tests.transport.graphql_endpoint import endpoint
from transport import refusal_pacing
from transport.admission import Admission
from transport.cost_budget import CostBudgets
from transport.expensive_operations import ExpensiveOperations


class Clock:
    """Provides a clock that the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def budgets(per_minute: int = 600, **options: int) -> tuple[CostBudgets, Clock]:
    clock = Clock()
    return CostBudgets(per_minute, now=clock, **options), clock


def refused(found: CostBudgets, client: str, cost: int) -> Refusal:
    with pytest.raises(Refusal) as error:
        found.charge(client, cost)
    return error.value


def test_a_budget_pays_until_it_is_empty_and_says_what_is_left():
    found, _ = budgets()
    assert [found.charge("a", 250), found.charge("a", 350)] == [(250, 350), (350, 0)]
    refusal = refused(found, "a", 1)
    assert refusal.code == "COST_BUDGET_EXCEEDED"
    assert refusal.extensions["retryAfter"] == 1
    assert refusal.extensions["cost"] == {"requested": 1, "remaining": 0, "limit": 600}


def test_a_budget_fills_evenly_and_a_refused_client_is_told_when_it_can_pay():
    found, clock = budgets()
    found.charge("a", 600)
    assert refused(found, "a", 105).extensions["retryAfter"] == 11
    clock.seconds = 10
    assert refused(found, "a", 105).extensions["retryAfter"] == 1
    clock.seconds = 11
    assert found.charge("a", 105) == (105, 5)


def test_a_refusal_costs_nothing():
    found, clock = budgets()
    found.charge("a", 600)
    for _ in range(100):
        refused(found, "a", 100)
    clock.seconds = 10
    assert found.charge("a", 100) == (100, 0)


def test_no_client_pays_for_another():
    found, _ = budgets()
    found.charge("a", 600)
    assert found.charge("b", 600) == (600, 0)


def test_an_operation_dearer_than_a_budget_runs_when_the_budget_is_full_and_leaves_a_debt():
    found, clock = budgets()
    assert found.charge("a", 900) == (900, 0)
    clock.seconds = 30
    assert refused(found, "a", 1).extensions["retryAfter"] == 1
    clock.seconds = 31
    assert found.charge("a", 10) == (10, 0)


def test_a_thousand_networks_do_not_fill_the_memory():
    found, _ = budgets(size=100)
    for number in range(1_000):
        found.charge(f"network {number}", 10)
    assert len(found) == 100
    assert found.charge("network 999", 10) == (10, 580)


def test_no_budget_charges_nobody():
    assert CostBudgets(0).charge("a", 10**9) is None


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 700)), max_size=60))
def test_nobody_spends_more_than_a_budget_and_what_has_been_filled_up_since(requests):
    found, clock = budgets()
    spent = 0
    for pause, cost in requests:
        clock.seconds += pause
        try:
            found.charge("a", cost)
        except Refusal as refusal:
            wait = refusal.extensions["retryAfter"]
            assert 1 <= wait <= 60 + 60
            clock.seconds += wait
            found.charge("a", cost)
        spent += cost
        # An operation that costs more than a whole budget may overdraw it, but only by the difference.
        assert spent <= 600 + clock.seconds * 10 + 100 + 1e-6


@pytest.mark.parametrize("accept", ["application/json", NEW])
async def test_answers_say_what_they_cost_and_refusals_when_to_come_again(accept):
    clock = Clock()
    app = endpoint(budgets=CostBudgets(60, now=clock), budget_of=lambda operation: operation.context)
    plain = await post(app, "{ things(first: 10) { echo } }", accept)
    partial = await post(app, "{ things(first: 10) { echo } broken }", accept)
    for answer, remaining in ((plain, 49), (partial, 38)):
        assert (answer.status, answer.headers["x-request-cost"], answer.headers["x-cost-remaining"]) == (200, "11", str(remaining))
        assert "cost" not in str(answer.json.get("extensions"))
    refusal = await post(app, "{ things(first: 50) { echo } }", accept)
    assert (refusal.status, refusal.code, refusal.headers["retry-after"]) == (429, "COST_BUDGET_EXCEEDED", "13")
    assert refusal.json["errors"][0]["extensions"]["cost"] == {"requested": 51, "remaining": 38, "limit": 60}
    headers = {"content-type": "application/json", "authorization": "another"}
    other = await ask(app, "POST", [b'{"query": "{ things(first: 50) { echo } }"}'], headers)
    assert other.status == 200


async def test_an_operation_that_no_budget_pays_for_says_no_cost():
    app = endpoint(budgets=CostBudgets(60), budget_of=lambda _: None)
    answer = await post(app, "{ echo }")
    assert answer.status == 200
    assert "x-request-cost" not in answer.headers


def test_a_refund_fills_no_budget_beyond_its_size_and_makes_none():
    found, _ = budgets()
    found.refund("a", 100)
    assert len(found) == 0
    found.charge("a", 250)
    found.refund("a", 250)
    found.refund("a", 250)
    assert found.charge("a", 600) == (600, 0)


@pytest.mark.parametrize("full", ["admission", "expensive"])
async def test_an_operation_that_is_refused_has_cost_nothing(full):
    found, _ = budgets()
    admission = Admission(1, 0.01, shortest=1, longest=1)
    expensive = ExpensiveOperations(1, above=5, within=0.01)
    app = endpoint(budgets=found, budget_of=lambda operation: operation.context, admission=admission, expensive=expensive)
    place = expensive.place()
    if full == "admission":
        assert admission.take()
    else:
        await place.__aenter__()
    assert (await post(app, "{ things(first: 10) { echo } }")).code == "OVERLOADED"
    assert found.charge("nobody", 0) == (0, 600)
    if full == "admission":
        admission.leave()
    else:
        await place.__aexit__(None, None, None)
    assert (await post(app, "{ things(first: 10) { echo } }")).headers["x-cost-remaining"] == "589"


async def test_a_new_document_is_paid_for_by_the_character_valid_or_not_and_a_kept_one_is_not():
    found, _ = budgets()
    app = endpoint(budgets=found, flow_of=lambda context: context)
    texts = ["{ echo }", "{ echo }", "{ nothing }", "{ nothing }", "{"]
    paid = []
    for text in texts:
        before = found.charge("nobody", 0).remaining
        await post(app, text)
        paid.append(before - found.charge("nobody", 0).remaining)
    assert paid == [8, 0, 11, 11, 1]
    found.charge("nobody", found.charge("nobody", 0).remaining)
    assert (await post(app, "{ echo again: echo }")).code == "COST_BUDGET_EXCEEDED"
    assert (await post(app, "{ echo }")).status == 200


async def test_a_document_that_is_refused_unread_has_cost_nothing():
    found, _ = budgets()
    app = endpoint(budgets=found, flow_of=lambda context: context, limits=Limits(characters=50))
    assert (await post(app, "{ echo }" + " " * 50)).code == "QUERY_TOO_LONG"
    app._documents._worker._room = {False: 0, True: 0}
    app._documents._worker._lines = {(False, "other"): []}
    assert (await post(app, "{ echo }")).code == "OVERLOADED"
    assert found.charge("nobody", 0) == (0, 600)


async def test_refusals_of_what_was_read_are_sent_at_a_bounded_rate(monkeypatch):
    # Slower than in production, so that even on a busy machine the second refusal isn't sent before the last one arrives.
    monkeypatch.setattr(refusal_pacing, "_PER_SECOND", 5.0)
    app = endpoint(budgets=CostBudgets(60), budget_of=lambda operation: operation.context, limits=Limits(cost=200))
    await post(app, "{ things(first: 50) { echo } }")
    refused = [asyncio.create_task(post(app, "{ things(first: 60) { echo } }")) for _ in range(5)]
    refused += [asyncio.create_task(post(app, "{ things(first: 100) { echo broken things { echo } } }")) for _ in range(5)]
    while app._pacing.held < 9:
        await asyncio.sleep(0)
    assert sum(each.done() for each in refused) <= 1
    codes = [each.code for each in await asyncio.gather(*refused)]
    assert codes == ["COST_BUDGET_EXCEEDED"] * 5 + ["QUERY_TOO_COSTLY"] * 5
    assert app._pacing.held == 0
