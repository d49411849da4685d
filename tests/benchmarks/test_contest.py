"""Tests that the benchmark works, with short runs against real servers on the demo school. No test depends on speed."""

import orjson
import pytest

from benchmarks.contest import contestants as who
from benchmarks.contest.__main__ import OURS
from benchmarks.contest.comparison import DifferentAnswerError, difference, post
from benchmarks.contest.contestants import Contestant
from benchmarks.contest.load import Exchange, LoadError, in_turn, load
from benchmarks.contest.report import written
from benchmarks.contest.run import FellBackError, contest, sign_in
from benchmarks.contest.screens import administrator_screens

pytestmark = pytest.mark.processes

_WRONG = Contestant("wrong", "wrong", "tests.benchmarks.wrong_contestant:create_app", who.ROWS.ask)
_EVERYONE = [*OURS, who.STOCK, who.ROWS, who.STATEMENT, who.BARE]


@pytest.fixture(scope="module")
def running(demo_url):
    with contest(demo_url, "") as found:
        for each in (*_EVERYONE, _WRONG):
            if each is not who.BARE:
                found.start(each)
        yield found


@pytest.fixture(scope="module")
def screens(demo_url):
    return administrator_screens(demo_url, 2)


@pytest.fixture(scope="module")
def token(running):
    return sign_in(running.servers[OURS[0].name], "admin@demo.school")


def test_every_contestant_gives_the_same_answers_and_is_measured(running, screens, token):
    same = running.compare(_EVERYONE, screens, token)
    assert all({OURS[0].name, "rows"} <= set(same[screen.name]) for screen in screens)
    found = list(running.rounds([each.name for each in _EVERYONE], screens, 1, [(4, 0.05), (1, 0.05)]))
    assert {(each.contestant, each.screen, each.connections) for each in found} == {
        (each.name, screen.name, connections) for each in _EVERYONE for screen in screens for connections in (4, 1)
    }
    assert all(each.requests >= each.connections and each.per_second > 0 for each in found)
    text = written(
        {
            "sections": dict.fromkeys(("screens", "growth", "teacher", "workers"), [each.to_json() for each in found]),
            "memory": running.memory(),
            "collections": {},
            "titles": {each.name: each.title for each in _EVERYONE},
            "machine": {"processor": "", "cores": 2, "memory_gib": 1, "system": "", "python": "", "load_before": [0]},
            "at": "2026-11-24T10:00:00Z",
        }
    )
    assert all(each.title in text for each in _EVERYONE)


def test_a_contestant_whose_answer_differs_ends_the_run_before_anything_is_timed(running, screens, token):
    with pytest.raises(DifferentAnswerError, match=r"wrong on small, .* data\.student\.user\.lastName is '[^a-z]+' instead of"):
        running.compare([OURS[0], _WRONG], screens, token)


def test_an_answer_with_errors_ends_the_run(running, screens):
    with pytest.raises(DifferentAnswerError, match="UNAUTHENTICATED"):
        running.compare([OURS[0]], screens, None)


def test_an_answer_that_changes_under_load_ends_the_run(running, screens, token):
    running.compare([who.ROWS], screens[:1], None)
    [first, *others] = running.exchanges("rows", screens[0])
    changed = Exchange(first.request, first.answer.replace(b"true", b"null"))
    with pytest.raises(LoadError, match="instead of"):
        running.run(load(running.servers["rows"].address, in_turn([*others, changed], 2), seconds=1))


def test_an_operation_that_the_executor_leaves_to_graphql_core_fails_the_run(demo_url):
    def run():
        with contest(demo_url, "") as running:
            server = running.start(who.BREADTH_FIRST)
            # The executor checks all fragments of a document, even those that the operation does not spread.
            document = "query A { viewer { role } } query B { ...S } fragment S on Query { __schema { queryType { name } } }"
            post(server.address, "/graphql", orjson.dumps({"query": document, "operationName": "A"}))

    with pytest.raises(FellBackError, match="breadth_first"):
        run()


@pytest.mark.parametrize(
    ("reference", "answer", "found"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "the answer has the keys ['b', 'a'] instead of ['a', 'b']"),
        ({"a": [1, 2]}, {"a": [1]}, "a has 1 items instead of 2"),
        ({"a": [{"b": 1}]}, {"a": [{"b": True}]}, "a.0.b is True instead of 1"),
        ({"a": None}, {"a": {}}, "a is {} instead of None"),
        ({"a": [1, {"b": "c"}]}, {"a": [1, {"b": "c"}]}, None),
    ],
)
def test_a_difference_is_named_by_its_place(reference, answer, found):
    assert difference(reference, answer) == found


def test_postgraphiles_ids_are_likened_without_hiding_that_they_differ():
    ours = {"id": "stu_0193aabbccddeeff0011223344556677", "name": "a_b"}
    theirs = {"id": "0193aabb-ccdd-eeff-0011-223344556677", "name": "a_b"}
    other = {"id": "0193aabb-ccdd-eeff-0011-223344556678", "name": "a_b"}
    liken = who.POSTGRAPHILE_5.likened
    assert orjson.dumps(liken(ours)) == orjson.dumps(liken(theirs))
    assert difference(liken(ours), liken(other)).startswith("id is ")
