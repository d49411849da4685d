"""Tests the whole application over HTTP, from a request's bytes to those of the response."""

import asyncio
import json

import pytest
import pytest_asyncio

from tests.in_process_server import serving

NEW = "application/graphql-response+json"
QUERY = "{ students(first: 1) { nodes { name } } }"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(demo_url):
    async with serving(demo_url) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def token(client):
    return await client.token("admin@demo.school")


async def test_a_signed_in_administrator_reads_the_school(client, token):
    data = await client.data("{ viewer { role } students(first: 2) { totalCount nodes { name class { name } } } }", token=token)
    assert data["viewer"] == {"role": "ADMIN"}
    assert data["students"]["totalCount"] == 350


@pytest.mark.parametrize(
    ("accept", "status", "kind"),
    [
        (None, 200, "application/json"),
        ("*/*", 200, "application/json"),
        ("application/json", 200, "application/json"),
        (NEW, 200, NEW),
        (f"{NEW}, application/json;q=0.9", 200, NEW),
        (f"{NEW};q=0.5, application/json", 200, "application/json"),
        ("application/*", 200, "application/json"),
        ("text/html", 406, "application/json"),
        ("application/json;q=0", 406, "application/json"),
        ("nonsense", 406, "application/json"),
    ],
)
async def test_the_answer_has_the_media_type_that_was_asked_for(client, token, accept, status, kind):
    headers = {"accept": accept} if accept else {"accept": ""}
    answer = await client.post(QUERY, token=token, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, f"{kind}; charset=utf-8")
    if status == 406:
        assert answer.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ a: __typename } fragment F on Nothing { id }", "GRAPHQL_VALIDATION_FAILED"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        ("query ($n: Int!) { students(first: $n) { totalCount } }", "BAD_USER_INPUT"),
    ],
)
async def test_a_request_error_is_400_in_the_new_type_and_200_in_the_old(client, token, query, code):
    new = await client.post(query, token=token, headers={"accept": NEW})
    old = await client.post(query, token=token)
    assert (new.status_code, old.status_code) == (400, 200)
    for answer in (new, old):
        assert "data" not in answer.json()
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {code}


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "INVALID_JSON"),
        (b'"text"', "application/json", 400, "INVALID_REQUEST"),
        (b"{}", "application/json", 400, "INVALID_REQUEST"),
        (b'{"query": 1, "variables": [], "operationName": 2, "extensions": 3}', "application/json", 400, "INVALID_REQUEST"),
        (b'[{"query": "{ __typename }"}]', "application/json", 400, "BATCHING_NOT_SUPPORTED"),
        (b'{"query": "{ __typename }"}', "text/plain", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "{ __typename }"}', "application/json; charset=latin-1", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"query=%7B__typename%7D", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b'{"query": "\xff"}', "application/json", 400, "INVALID_JSON"),
        (json.dumps({"query": "#" * 300_000}).encode(), "application/json", 413, "BODY_TOO_LARGE"),
    ],
)
async def test_a_malformed_request_is_refused_with_a_code(client, content, kind, status, code):
    answer = await client.http.post("/graphql", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_all_problems_of_a_request_are_told_at_once(client):
    answer = await client.http.post("/graphql", json={"query": 1, "variables": [], "operationName": 2, "extensions": 3})
    assert len(answer.json()["errors"][0]["extensions"]["problems"]) == 4


async def test_a_body_without_a_length_is_bounded_too(client):
    async def chunks():
        for _ in range(40):
            yield b" " * 10_000

    answer = await client.http.post("/graphql", content=chunks(), headers={"content-type": "application/json"})
    assert answer.status_code == 413


async def test_get_answers_queries_and_refuses_mutations(client, token):
    headers = {"authorization": f"Bearer {token}"}
    answer = await client.http.get("/graphql", params={"query": QUERY}, headers=headers)
    assert answer.json()["data"]["students"]["nodes"]
    variables = {"query": "query ($n: Int) { students(first: $n) { nodes { id } } }", "variables": '{"n": 3}'}
    assert len((await client.http.get("/graphql", params=variables, headers=headers)).json()["data"]["students"]["nodes"]) == 3
    refused = await client.http.get("/graphql", params={"query": "mutation { signOut { userErrors { code } } }"}, headers=headers)
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert (await client.data("{ viewer { role } }", token=token))["viewer"], "the mutation did not run"


async def test_other_methods_are_refused(client):
    answer = await client.http.put("/graphql", json={"query": QUERY})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_a_bad_token_is_401_before_anything_runs(client):
    answer = await client.post(QUERY, token="nonsense", headers={"accept": NEW})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_without_a_token_a_field_is_unauthenticated(client):
    answer = (await client.post(QUERY)).json()
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(("sent", "kept"), [("abc-123", True), ("with space", False), ("x" * 101, False)])
async def test_a_request_has_an_id(client, sent, kept):
    answer = await client.http.get("/health", headers={"x-request-id": sent})
    assert (answer.headers["x-request-id"] == sent) is kept
    assert answer.headers["x-request-id"]


async def test_an_unforeseen_error_is_masked_and_its_id_is_in_the_log(client, token, monkeypatch, capsys):
    import resolvers.search

    async def broken(*_):
        raise RuntimeError("the secret ingredient")

    monkeypatch.setattr(resolvers.search, "search", broken)
    answer = await client.post('{ search(text: "a") { __typename } }', token=token)
    error = answer.json()["errors"][0]
    assert error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert "secret" not in answer.text
    logged = capsys.readouterr()
    assert error["extensions"]["id"] in logged.out + logged.err
    assert "the secret ingredient" in logged.out + logged.err


async def test_a_client_that_goes_away_has_its_sql_cancelled(client, token, monkeypatch):
    """Checks that a statement that would run for minutes ends soon after the socket has been closed."""
    import resolvers.search

    async def slow(context, *_):
        return await context.database.fetch("SELECT pg_sleep(120) /* left alone */")

    monkeypatch.setattr(resolvers.search, "search", slow)
    services = client.app.state.services
    body = json.dumps({"query": '{ search(text: "a") { __typename } }'}).encode()
    host, port = client.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nAuthorization: Bearer "
        + token.encode()
        + b"\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    await writer.drain()
    running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%left alone%' AND state = 'active' AND pid <> pg_backend_pid()"

    async def until(wanted):
        async with asyncio.timeout(10):
            while await services.database.fetchval(running) != wanted:
                await asyncio.sleep(0.02)

    await until(1)
    writer.close()
    await until(0)
    async with asyncio.timeout(10):
        while services.health._in_flight():
            await asyncio.sleep(0.02)


async def test_introspection_is_for_administrators_in_production(demo_url):
    async with serving(demo_url, environment="production", secret_key="s" * 40) as client:
        query = "{ __schema { queryType { name } } }"
        admin, student = await client.token("admin@demo.school"), await client.token("student@demo.school")
        assert (await client.data(query, token=admin))["__schema"]
        for token in (student, None):
            answer = (await client.post(query, token=token)).json()
            assert answer["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED"
        suggestion = (await client.post("{ studens { totalCount } }", token=student)).json()["errors"][0]["message"]
        assert "students" not in suggestion


async def test_cors_is_for_the_origins_that_are_listed(demo_url):
    async with serving(demo_url, cors_origins=("https://app.school.example",)) as client:
        asked = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
        good = await client.http.options("/graphql", headers={"origin": "https://app.school.example", **asked})
        bad = await client.http.options("/graphql", headers={"origin": "https://other.example", **asked})
        assert good.headers["access-control-allow-origin"] == "https://app.school.example"
        assert "access-control-allow-origin" not in bad.headers


async def test_a_browser_is_sent_to_the_explorer_which_needs_no_other_host(client):
    page = await client.http.get("/graphql", headers={"accept": "text/html,*/*"}, follow_redirects=True)
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert "https://" not in page.text
    for asset in (
        "graphiql.min.js",
        "react.production.min.js",
        "react-dom.production.min.js",
        "explorer.js",
        "graphiql.min.css",
        "explorer.css",
    ):
        assert f"/explorer/{asset}" in page.text
        assert (await client.http.get(f"/explorer/{asset}")).status_code == 200


async def test_a_large_answer_is_compressed(client, token):
    answer = await client.post(
        "{ students(first: 100) { nodes { id name studentNumber } } }", token=token, headers={"accept-encoding": "gzip"}
    )
    assert answer.headers["content-encoding"] == "gzip"


async def test_an_exhausted_pool_is_told_and_is_no_hang(demo_url):
    async with serving(demo_url, pool_max_size=2, pool_acquire_seconds=0.3) as client:
        token = await client.token("admin@demo.school")
        database = client.app.state.services.database
        async with database.acquire(), database.acquire():
            answer = (await client.post(QUERY, token=token)).json()
            assert answer["errors"][0]["extensions"]["code"] == "POOL_TIMEOUT"
            ready = await client.http.get("/health/ready")
            assert ready.status_code in (200, 503)
        assert (await client.data(QUERY, token=token))["students"]
