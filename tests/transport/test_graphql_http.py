"""Tests the endpoint's responses: statuses, media types, errors, and the memory that a waiting request keeps."""

import asyncio
from decimal import Decimal
from typing import Any

import orjson
import pytest
from graphql import ExecutionResult

from execution.breadth_first import BreadthFirst
from execution.documents.limits import Limits
from tests.transport.asgi_client import NEW, ask, post
from tests.transport.graphql_endpoint import APP, CORE, JSON, RAN, SCHEMA, endpoint


async def test_an_answer_with_errors_is_bounded_too():
    broken = " ".join(f"b{number}: broken" for number in range(25))
    app = endpoint(limits=Limits(answer_bytes=4_000))
    assert (await post(app, "{ echo broken }")).status == 200
    assert (await post(app, f"{{ {broken} }}")).code == "ANSWER_TOO_LARGE"


@pytest.mark.parametrize("accept", [JSON, NEW])
@pytest.mark.parametrize("executor", ["breadth_first", "graphql_core"])
async def test_a_mutation_whose_answer_is_too_large_is_told_that_it_has_run(accept, executor):
    execute = CORE if executor == "graphql_core" else BreadthFirst(SCHEMA, CORE, max_bytes=4_000)
    app = endpoint(limits=Limits(answer_bytes=4_000), execute=execute, max_body_bytes=20_000)
    query = 'mutation ($t: String!) { a: say(text: "a") b: say(text: $t) broken: say(text: "broken") c: say(text: "c") }'
    RAN.clear()
    answer = await post(app, query, accept, variables={"t": "x" * 4_000})
    assert RAN == ["say"] * 4, "none is skipped for the answer of another"
    assert answer.status == 200
    assert "data" in answer.json
    codes = [each["extensions"]["code"] for each in answer.json["errors"]]
    assert sorted(codes) == ["ANSWER_TOO_LARGE", "INTERNAL_SERVER_ERROR"]
    too_large = next(each for each in answer.json["errors"] if each["extensions"]["code"] == "ANSWER_TOO_LARGE")
    assert "ran to its end" in too_large["message"]
    if executor == "breadth_first":
        assert too_large["path"] == ["b"]
        assert answer.json["data"] == {"a": "a", "b": None, "broken": None, "c": "c"}


async def test_a_mutation_whose_errors_alone_are_too_many_is_told_that_it_has_run():
    app = endpoint(limits=Limits(answer_bytes=4_000))
    broken = " ".join(f'b{number}: say(text: "broken")' for number in range(25))
    answer = await post(app, f"mutation {{ {broken} }}")
    assert (answer.status, answer.code, answer.json["data"]) == (200, "ANSWER_TOO_LARGE", None)
    assert "ran to its end" in answer.json["errors"][0]["message"]
    assert len(answer.body) <= 4_000


@pytest.mark.parametrize("accept", [JSON, NEW])
async def test_an_operation_that_began_is_a_200(accept):
    plain = await post(APP, "query ($t: String!) { echo(text: $t) }", accept, variables={"t": "é"})
    assert (plain.status, plain.headers["content-type"]) == (200, f"{accept}; charset=utf-8")
    assert plain.json == {"data": {"echo": "é"}}
    partial = await post(APP, "{ echo broken }", accept)
    assert (partial.status, partial.json["data"], partial.code) == (200, {"echo": "hello", "broken": None}, "INTERNAL_SERVER_ERROR")
    nothing = await post(APP, "{ refused }", accept)
    assert (nothing.status, nothing.json["data"], nothing.code) == (200, None, "FORBIDDEN")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ ? }", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("fragment F on Query { echo }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { echo } query B { echo }", "OPERATION_RESOLUTION_FAILURE"),
        ("query ($t: String!) { echo(text: $t) }", "BAD_USER_INPUT"),
        ("{ echo" + " @include(if: true)" * 51 + "}", "TOO_MANY_DIRECTIVES"),
        ("{ " + "things { " * 12 + "echo" + " }" * 13, "QUERY_TOO_DEEP"),
        ("{ " + " ".join(f"a{n}: echo" for n in range(31)) + " }", "TOO_MANY_ROOT_FIELDS"),
        ("{ things { " + " ".join(f"a{n}: echo" for n in range(31)) + " } }", "TOO_MANY_ALIASES"),
        ("{ " + "things(first: 100) { " * 4 + "echo" + " }" * 5, "QUERY_TOO_COSTLY"),
        ("{ things { " + "things { echo } " * 400 + "} }", "QUERY_TOO_COMPLEX"),
    ],
)
async def test_a_request_that_could_not_begin_is_a_400_and_in_the_older_type_a_200(query, code):
    app = endpoint(max_body_bytes=20_000)
    new, old = await post(app, query), await post(app, query, JSON)
    assert (new.status, new.code, old.status, old.code) == (400, code, 200, code)
    assert "data" not in new.json


@pytest.mark.parametrize("accept", [JSON, NEW])
@pytest.mark.parametrize(
    ("authorization", "status", "code", "header"),
    [
        ("bad", 401, "UNAUTHENTICATED", ("www-authenticate", 'Bearer realm="rollcall"')),
        ("slow", 429, "RATE_LIMITED", ("retry-after", "7")),
        ("busy", 503, "POOL_TIMEOUT", ("retry-after", "1")),
        ("broken", 500, "INTERNAL_SERVER_ERROR", ("vary", "Accept, Accept-Encoding")),
    ],
)
async def test_who_is_not_let_in_is_told_by_the_status_in_either_type(accept, authorization, status, code, header, capsys):
    headers = {"accept": accept, "content-type": JSON, "authorization": authorization}
    answer = await ask(APP, "POST", [b'{"query": "{ echo }"}'], headers)
    assert (answer.status, answer.code, answer.headers[header[0]]) == (status, code, header[1])
    assert b"secret" not in answer.body
    if status == 500:
        assert answer.json["errors"][0]["extensions"]["id"] in capsys.readouterr().out


async def test_introspection_is_for_whom_the_context_allows():
    app = endpoint(may_introspect=lambda context: context == "admin")
    for query in (
        "{ __schema { queryType { name } } }",
        '{ __type(name: "Query") { name } }',
        "{ ...F } fragment F on Query { __schema { description } }",
    ):
        body = orjson.dumps({"query": query})
        allowed = await ask(app, "POST", [body], {"content-type": JSON, "authorization": "admin"})
        refused = await ask(app, "POST", [body], {"content-type": JSON})
        assert ("data" in allowed.json, refused.code) == (True, "INTROSPECTION_DISABLED")
    assert (await post(app, "{ __typename }")).json == {"data": {"__typename": "Query"}}


async def test_names_are_suggested_or_not():
    wrong_value = "query ($n: Int) { things(first: $n) { ech } }"
    assert "echo" in (await post(APP, wrong_value)).json["errors"][0]["message"]
    assert "echo" not in (await post(endpoint(suggest=False), wrong_value)).json["errors"][0]["message"]


async def test_a_browser_that_asks_for_a_page_is_sent_to_the_explorer():
    app = endpoint(explorer="/explorer")
    page = await ask(app, "GET", [b""], {"accept": "text/html,*/*;q=0.8"})
    assert (page.status, page.headers["location"], page.headers["vary"]) == (307, "/explorer", "Accept")
    query = await ask(app, "GET", [b""], {"accept": "text/html,*/*;q=0.8"}, "query=%7Becho%7D")
    assert query.json == {"data": {"echo": "hello"}}


async def test_an_executor_may_answer_in_bytes():
    async def execute(operation: Any) -> bytes:
        assert operation.node.operation.value == "query"
        return b'{"data":{"echo":"%s"}}' % operation.context.encode()

    answer = await post(endpoint(execute=execute), "{ echo }")
    assert (answer.status, answer.json) == (200, {"data": {"echo": "nobody"}})


@pytest.mark.parametrize("data", [{"a": Decimal(1)}, {"a": 2**64}, {"a": "\ud800"}])
async def test_an_answer_that_is_not_json_is_a_masked_500(data, capsys):
    async def execute(_: Any) -> ExecutionResult:
        return ExecutionResult(data)

    answer = await post(endpoint(execute=execute), "{ echo }")
    assert (answer.status, answer.code) == (500, "INTERNAL_SERVER_ERROR")
    assert answer.json["errors"][0]["extensions"]["id"] in capsys.readouterr().out


async def test_an_operation_that_is_cancelled_from_within_is_answered(capsys):
    answer = await post(APP, "{ cancelled }")
    assert (answer.status, answer.code) == (500, "INTERNAL_SERVER_ERROR")
    assert "cancelled from within" in capsys.readouterr().out


@pytest.mark.parametrize("query", ["{ who }", "{ broken }", "{ cancelled }", "{", "{ nothing }"])
async def test_a_context_is_closed_whatever_came_of_it(query, capsys):
    closed: list[str] = []
    await post(endpoint(close=closed.append), query)
    assert closed == ["nobody"]


async def test_what_waits_keeps_the_declared_variables_alone_and_they_are_counted_until_it_ends():
    ran: list[tuple[dict[str, Any], int]] = []

    async def execute(operation: Any) -> bytes:
        ran.append((operation.variables, app.waiting_bytes))
        return b'{"data":{}}'

    app = endpoint(execute=execute)
    assert (await post(app, "{ echo }", variables={"j": [[]] * 100})).status == 200
    assert (await post(app, "query ($t: String) { echo(text: $t) }", variables={"t": "a", "j": [[]] * 100})).status == 200
    [(none, nothing), (declared, counted)] = ran
    assert (none, nothing, declared) == ({}, 0, {"t": "a"})
    assert counted > 200
    assert app.waiting_bytes == 0


async def test_requests_that_are_answered_are_bounded_in_bytes_and_half_of_it_is_for_those_with_a_token():
    release, body = asyncio.Event(), orjson.dumps({"query": "query ($t: String) { echo(text: $t) }", "variables": {"t": "a" * 500}})

    async def execute(_: Any) -> bytes:
        await release.wait()
        return b'{"data":{}}'

    def ask_as(**headers: str) -> Any:
        return asyncio.create_task(ask(app, "POST", [body], {"content-type": JSON} | headers))

    app = endpoint(execute=execute, max_waiting_bytes=4_000)
    nobodies = [ask_as() for _ in range(6)]
    refused = [await each for each in nobodies[2:]]
    assert [(each.status, each.code) for each in refused] == [(503, "OVERLOADED")] * 4
    assert not any(each.done() for each in nobodies[:2])
    someone = ask_as(authorization="someone")
    await asyncio.sleep(0.05)
    assert not someone.done()
    release.set()
    assert (await someone).status == 200
    await asyncio.gather(*nobodies)
    assert app.waiting_bytes == 0
