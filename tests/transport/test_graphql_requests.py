"""Tests which requests the endpoint accepts and refuses, and that none makes it fail."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.transport.asgi_client import NEW, ask, post
from tests.transport.graphql_endpoint import APP, JSON, RAN, endpoint, get


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
