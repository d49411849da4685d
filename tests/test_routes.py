"""Tests properties of all routes: security headers, and errors in JSON for unknown paths and methods."""

import pytest
import pytest_asyncio
from starlette.routing import Mount

from execution.errors import internal_error_message
from tests.in_process_server import serving
from transport.headers import SECURITY_HEADERS

SECURE = {name.decode(): value.decode() for name, value in SECURITY_HEADERS}
ORIGIN = "https://app.school.example"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(demo_url):
    async with serving(demo_url, cors_origins=(ORIGIN,)) as client:
        yield client


def paths(client):
    routed = [f"{route.path}/graphiql.min.css" if isinstance(route, Mount) else route.path for route in client.app.routes]
    assert len(routed) > 12
    return ["/graphql", *routed]


async def test_every_answer_has_the_security_headers_once(client):
    for path in [*paths(client), "/nothing", "/health/", "/graphql/", "/explorer/nothing.js"]:
        for method in ("GET", "HEAD", "POST", "PUT", "OPTIONS", "PATCH"):
            answer = await client.http.request(method, path, headers={"accept": "text/html, application/json"})
            for name, value in SECURE.items():
                assert answer.headers.get_list(name) == [value], (method, path, name)
            assert answer.headers["x-request-id"]


async def test_answers_to_other_origins_have_the_security_headers(client):
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    for headers in (asked, asked | {"origin": "https://other.example"}):
        answer = await client.http.options("/graphql", headers=headers)
        assert SECURE.items() <= dict(answer.headers).items()


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/health/", "/health/live/x", "/graphql/", "/explorer/", "/explorer/nothing.js", "/explorer/%00", "/%ff", "/webhooks"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_a_path_that_is_not_there_is_a_404_in_json(client, path, method):
    answer = await client.http.request(method, path)
    if path.startswith("/explorer/") and method != "GET":
        assert answer.status_code == 405
        return
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (404, "NOT_FOUND")


async def test_a_method_that_is_not_there_is_a_405_with_allow_on_every_route(client):
    for path in paths(client):
        answer = await client.http.request("PATCH", path)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (405, "METHOD_NOT_ALLOWED"), path
        for method in answer.headers["allow"].split(", "):
            assert (await client.http.request(method, path)).status_code != 405, (method, path)


async def test_a_route_that_fails_answers_in_json_with_the_headers(client, monkeypatch, capsys):
    async def broken(self):
        raise RuntimeError("the secret ingredient")

    monkeypatch.setattr("health.checks.Health.not_ready_reason", broken)
    answer = await client.http.get("/health/ready")
    error = answer.json()["errors"][0]
    assert (answer.status_code, error["extensions"]["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert error["message"] == internal_error_message(error["extensions"]["id"])
    assert SECURE.items() <= dict(answer.headers).items()
    assert answer.headers["x-request-id"]
    assert "secret" not in answer.text
    logged = "".join(capsys.readouterr())
    assert "the secret ingredient" in logged
    assert error["extensions"]["id"] in logged
    assert logged.count("RuntimeError: ") == 1, "logged, and once"
