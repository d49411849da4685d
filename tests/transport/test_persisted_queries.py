"""Tests that probes for persisted queries get the error after which Apollo's and urql's clients send the document."""

import orjson
import pytest

from tests.transport.asgi_client import NEW, ask, post
from tests.transport.graphql_endpoint import APP, get

HASHED = {"persistedQuery": {"version": 1, "sha256Hash": "a" * 64}}


@pytest.mark.parametrize("media_type", ["application/json", NEW, f"{NEW},application/json;q=0.9"])
@pytest.mark.parametrize("query", [{}, {"query": None}, {"query": ""}])
async def test_a_probe_by_post_is_told_that_persisted_queries_are_not_supported(media_type, query):
    body = orjson.dumps({"operationName": "A", "variables": {}, "extensions": HASHED, **query})
    answer = await ask(APP, "POST", [body], {"content-type": "application/json", "accept": media_type})
    assert answer.status == 200
    assert answer.json == {"errors": [{"message": "PersistedQueryNotSupported", "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"}}]}


@pytest.mark.parametrize("query", [{}, {"query": ""}])
async def test_a_probe_by_get_is_told_that_persisted_queries_are_not_supported(query):
    answer = await get(APP, operationName="A", variables="{}", extensions=orjson.dumps(HASHED).decode(), **query)
    assert (answer.status, answer.code) == (200, "PERSISTED_QUERY_NOT_SUPPORTED")
    assert answer.json["errors"][0]["message"] == "PersistedQueryNotSupported"


async def test_a_probe_with_its_document_is_run():
    assert (await post(APP, "{ echo }", extensions=HASHED)).json == {"data": {"echo": "hello"}}


async def test_a_probe_that_is_wrong_otherwise_is_told_what_is_wrong():
    answer = await ask(APP, "POST", [orjson.dumps({"variables": 1, "extensions": HASHED})], {"content-type": "application/json"})
    assert (answer.status, answer.code) == (400, "INVALID_REQUEST")


async def test_other_extensions_are_no_probe():
    answer = await ask(APP, "POST", [orjson.dumps({"extensions": {"tracing": True}})], {"content-type": "application/json"})
    assert (answer.status, answer.code) == (400, "INVALID_REQUEST")
