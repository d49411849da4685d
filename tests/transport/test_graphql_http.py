"""The endpoint: every request that is well-formed is answered, every other refused with a code, and none breaks it."""

import asyncio
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import strawberry
from graphql import ExecutionResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.types import Info

from execution.breadth_first import BreadthFirst
from execution.costs import PAGE
from execution.documents.limits import Limits
from execution.errors import ErrorWriter, Refusal
from execution.operations import graphql_core
from tests.transport.asgi_client import NEW, ask, post
from transport.graphql_http import GraphQLEndpoint
from transport.headers import header

JSON = "application/json"
RAN: list[str] = []


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, text: str = "hello") -> str:
        return text

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError("the secret ingredient")

    @strawberry.field
    def refused(self) -> str:
        raise Refusal("FORBIDDEN", "Not for you.")

    @strawberry.field
    async def cancelled(self) -> str:
        raise asyncio.CancelledError

    @strawberry.field
    async def who(self, info: Info) -> str:
        await asyncio.sleep(0)
        return str(info.context)

    @strawberry.field(metadata={PAGE: (25, 100)})
    def things(self, first: int = 25) -> "list[Query]":
        return []


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self) -> bool:
        RAN.append("write")
        return True

    @strawberry.mutation
    def say(self, text: str) -> str | None:
        RAN.append("say")
        if text == "broken":
            raise RuntimeError("the secret ingredient")
        return text


SCHEMA = strawberry.Schema(Query, Mutation)._schema
CORE = graphql_core(SCHEMA, StrawberryGraphQLCoreExecutionContext, optimized_is_awaitable)


async def make_context(scope: Any) -> str:
    match header(scope, b"authorization"):
        case "bad":
            raise Refusal("UNAUTHENTICATED", "No.")
        case "slow":
            raise Refusal("RATE_LIMITED", "Wait.", retryAfter=7)
        case "busy":
            raise TimeoutError
        case "broken":
            raise ValueError("the secret ingredient")
        case other:
            return other or "nobody"


def endpoint(**options: Any) -> GraphQLEndpoint:
    errors = ErrorWriter(lambda error: Refusal("POOL_TIMEOUT", "Busy.") if isinstance(error, TimeoutError) else None)
    execute = options.pop("execute", CORE)
    return GraphQLEndpoint(SCHEMA, execute, make_context, errors, **{"limits": Limits(), "max_body_bytes": 2_000} | options)


APP = endpoint()


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
    told = next(each for each in answer.json["errors"] if each["extensions"]["code"] == "ANSWER_TOO_LARGE")
    assert "ran to its end" in told["message"]
    if executor == "breadth_first":
        assert told["path"] == ["b"]
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


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "INVALID_JSON"),
        (b"", {}, 400, "INVALID_JSON"),
        (b'{"query": "{ echo }", "variables": NaN}', {}, 400, "INVALID_JSON"),
        (b'{"query": "\\ud800"}', {}, 400, "INVALID_JSON"),
        (b'{"query": "{ echo }", "variables": ' + b"[" * 900 + b"]" * 900 + b"}", {}, 400, "INVALID_REQUEST"),
        (b"3", {}, 400, "INVALID_REQUEST"),
        (b'{"queri": "{ echo }"}', {}, 400, "INVALID_REQUEST"),
        (b'{"query": null}', {}, 400, "INVALID_REQUEST"),
        (b'{"query": " "}', {}, 400, "INVALID_REQUEST"),
        (b'{"query": "{ echo }", "variables": "{}"}', {}, 400, "INVALID_REQUEST"),
        (b'{"query": "{ echo }", "variables": ""}', {}, 400, "INVALID_REQUEST"),
        (b'{"query": "{ echo }", "operationName": 1}', {}, 400, "INVALID_REQUEST"),
        (b'{"query": "{ echo }", "extensions": []}', {}, 400, "INVALID_REQUEST"),
        (b'[{"query": "{ echo }"}]', {}, 400, "BATCHING_NOT_SUPPORTED"),
        (b'{"query": "{ echo }"}', {"content-type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ echo }"}', {"content-type": "application/graphql"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ echo }"}', {"content-type": ""}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ echo }"}', {"content-type": "application/json; charset=utf-16"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ echo }"}', {"content-encoding": "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ echo }"}', {"accept": "text/csv"}, 406, "NOT_ACCEPTABLE"),
        (b'{"query": "{ echo }"}', {"content-length": "2001"}, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_request_that_is_not_well_formed_is_refused(body, headers, status, code):
    answer = await ask(APP, "POST", [body], {"content-type": JSON, **headers})
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(("size", "status"), [(2_000, 200), (2_001, 413)])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_body_is_counted_while_it_is_read(size, status, pieces):
    body = b'{"query": "{ echo }"}'.ljust(size)
    step = -(-size // pieces)
    answer = await ask(APP, "POST", [body[at : at + step] for at in range(0, size, step)], {"content-type": JSON})
    assert answer.status == status


async def test_what_is_optional_may_be_null_and_what_is_unknown_is_ignored():
    answer = await post(APP, "{ echo }", variables=None, operationName=None, extensions=None, id=7, queries=[])
    assert answer.json == {"data": {"echo": "hello"}}


@pytest.mark.parametrize(("name", "expected"), [("A", {"a": "hello"}), ("B", {"b": "hello"})])
async def test_the_named_operation_runs(name, expected):
    assert (await post(APP, "query A { a: echo } query B { b: echo }", operationName=name)).json == {"data": expected}


async def test_an_unknown_name_is_told():
    assert (await post(APP, "query A { echo }", operationName="B")).code == "OPERATION_RESOLUTION_FAILURE"


async def get(app: Any, **parameters: str) -> Any:
    return await ask(app, "GET", [b""], {"accept": NEW}, urlencode(parameters))


async def test_get_reads_the_address():
    answer = await get(APP, query="query A($t: String!) { echo(text: $t) }", variables='{"t": "é"}', operationName="A", extensions="{}")
    assert answer.json == {"data": {"echo": "é"}}
    assert (await get(APP, query="{ echo }", variables="", operationName="", extensions="")).json == {"data": {"echo": "hello"}}
    assert (await get(APP, query="query null { echo }", operationName="null")).status == 200


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("", "INVALID_REQUEST"),
        ("query=", "INVALID_REQUEST"),
        ("query=%7Becho%7D&query=%7Becho%7D", "INVALID_REQUEST"),
        ("query=%7Becho%7D&variables=%7B", "INVALID_JSON"),
        ("query=%7Becho%7D&variables=3", "INVALID_REQUEST"),
        ("query=%7Becho%7D&operationName=%ff", "OPERATION_RESOLUTION_FAILURE"),
    ],
)
async def test_an_address_that_is_not_well_formed_is_refused(address, code):
    answer = await ask(APP, "GET", [b""], {"accept": NEW}, address)
    assert (answer.status, answer.code) == (400, code)


async def test_no_mutation_by_get():
    RAN.clear()
    for query in ("mutation { write }", "query A { echo } mutation B { write }"):
        refused = await get(APP, query=query, operationName="B" if "B" in query else "")
        assert (refused.status, refused.code, refused.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "POST")
    assert RAN == []
    assert (await get(APP, query="query A { echo } mutation B { write }", operationName="A")).status == 200
    assert RAN == []
    assert (await post(APP, "mutation { write }")).json == {"data": {"write": True}}
    assert RAN == ["write"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
async def test_what_a_browser_sends_from_another_site_without_asking_does_not_run(kind):
    RAN.clear()
    answer = await ask(APP, "POST", [b'{"query": "mutation { write }"}'], {"content-type": kind})
    assert (answer.status, RAN) == (415, [])


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_other_methods_are_refused(method):
    answer = await ask(APP, method, [b""], {})
    assert (answer.status, answer.code, answer.headers["allow"]) == (405, "METHOD_NOT_ALLOWED", "GET, POST")


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


_JSONS = st.recursive(st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5), st.lists)
_QUERIES = st.sampled_from(
    ["{ echo }", "query A($t: String) { echo(text: $t) }", "{ who things(first: 3) { echo } }", "mutation { write }", "{", ""]
)
_REQUESTS = st.dictionaries(
    st.sampled_from(["query", "variables", "operationName", "extensions", "other"]),
    _JSONS | _QUERIES | st.dictionaries(st.sampled_from(["t", "u"]), _JSONS, max_size=2),
    max_size=5,
)
_LATIN = st.text(st.characters(max_codepoint=255), max_size=30)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["GET", "POST"]),
    _REQUESTS.map(orjson.dumps) | st.binary(max_size=60),
    _LATIN | st.just(NEW),
    _LATIN | st.just(JSON),
    _LATIN,
)
async def test_no_request_breaks_it(method, body, accept, kind, address):
    answer = await ask(APP, method, [body], {"accept": accept, "content-type": kind}, address)
    assert answer.status < 500
    assert answer.json.get("errors") or answer.json["data"]
    assert all(each["extensions"]["code"] for each in answer.json.get("errors", ()))


@settings(deadline=None)
@given(_REQUESTS)
async def test_no_well_formed_json_breaks_it(given_parameters):
    answer = await ask(APP, "POST", [orjson.dumps(given_parameters)], {"accept": NEW, "content-type": JSON})
    assert answer.status in (200, 400, 413)


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


async def test_without_a_token_a_body_is_smaller_and_is_refused_unparsed():
    app = endpoint(max_body_bytes=20_000, anonymous_max_body_bytes=3_000)
    large = b"{" + b" " * 3_000
    assert (await ask(app, "POST", [large], {"content-type": JSON})).code == "BODY_TOO_LARGE"
    assert (await ask(app, "POST", [large], {"content-type": JSON, "authorization": "someone"})).code == "INVALID_JSON"
    answer = await ask(app, "GET", [b""], {"accept": NEW}, query_string="query={echo}&variables=" + "%20" * 1_000)
    assert (answer.status, answer.code) == (414, "URL_TOO_LONG")


@pytest.mark.parametrize("value", ["[],", '{"a":1},', "1,"])
async def test_values_are_counted_before_a_body_is_parsed(value):
    app = endpoint(max_body_bytes=2_000_000, anonymous_max_body_bytes=2_000_000)
    for most, headers in ((2_000, {}), (40_000, {"authorization": "someone"})):
        broken = f'{{"query": "{{ echo }}", "extensions": [{value * most}'.encode()
        answer = await ask(app, "POST", [broken], {"content-type": JSON} | headers)
        assert (answer.status, answer.code) == (413, "BODY_TOO_LARGE")


async def test_parameters_of_an_address_are_counted_before_they_are_taken_apart():
    app = endpoint(explorer="/explorer")
    for accept in (NEW, "text/html, application/json"):
        answer = await ask(app, "GET", [b""], {"accept": accept}, query_string="query={echo}" + "&a" * 19)
        assert answer.json == {"data": {"echo": "hello"}}
        answer = await ask(app, "GET", [b""], {"accept": accept}, query_string="query={echo}" + "&a" * 20)
        assert (answer.status, answer.code) == (400, "INVALID_REQUEST")
