"""Checks that two responses are equal, key by key and in the same order."""

import http.client
from typing import Any

import orjson

from benchmarks.contest.contestants import Contestant, http_request
from benchmarks.contest.load import Address, Exchange
from benchmarks.contest.screens import Screen

__all__ = ["DifferentAnswerError", "checked_exchanges", "difference", "post"]


class DifferentAnswerError(Exception):
    """Raised when a contestant's response differs from the reference's; nothing is measured then."""


def post(address: Address, path: str, body: bytes, token: str | None = None) -> bytes:
    """Returns the body of a response with status 200. Raises DifferentAnswerError for any other status."""
    connection = http.client.HTTPConnection(address.host, address.port, timeout=60)
    try:
        headers = {"Content-Type": "application/json", "Accept": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status != 200:
        raise DifferentAnswerError(f"{path} answered {response.status}: {answer[:500]!r}")
    return answer


def difference(reference: Any, answer: Any, path: str = "") -> str | None:
    """Describes the first difference between a response and the reference; returns None if they are equal. The order of keys counts."""
    if isinstance(reference, dict) and isinstance(answer, dict):
        if list(reference) != list(answer):
            return f"{path or 'the answer'} has the keys {list(answer)} instead of {list(reference)}"
        pairs = [(f"{path}.{key}".lstrip("."), reference[key], answer[key]) for key in reference]
    elif isinstance(reference, list) and isinstance(answer, list):
        if len(reference) != len(answer):
            return f"{path} has {len(answer)} items instead of {len(reference)}"
        pairs = [(f"{path}.{n}", *both) for n, both in enumerate(zip(reference, answer, strict=True))]
    else:
        same = type(reference) is type(answer) and reference == answer
        return None if same else f"{path} is {answer!r} instead of {reference!r}"
    return next((found for each in pairs if (found := difference(each[1], each[2], each[0])) is not None), None)


def checked_exchanges(
    contestant: Contestant, address: Address, screen: Screen, references: list[bytes] | None, token: str | None
) -> list[Exchange]:
    """Sends a contestant's requests and returns them with their responses, after comparing these with the reference's (None for the reference).

    Raises DifferentAnswerError. Every request is sent twice and must be answered with the same bytes, which the load generator then expects.
    """
    exchanges = []
    for place in range(len(screen.variables)):
        path, body = contestant.ask(screen, place)
        first, again = post(address, path, body, token), post(address, path, body, token)
        who = f"{contestant.name} on {screen.name}, {screen.variables[place]}"
        if first != again:
            raise DifferentAnswerError(f"{who}: two answers to the same request differ")
        answer = orjson.loads(first)
        if not isinstance(answer, dict) or "errors" in answer or not all((answer.get("data") or {"": None}).values()):
            raise DifferentAnswerError(f"{who}: {first[:500]!r}")
        if references is not None:
            likened = contestant.likened or (lambda same: same)
            found = difference(likened(orjson.loads(references[place])), likened(answer))
            if found is not None:
                raise DifferentAnswerError(f"{who}: {found}")
        exchanges.append(Exchange(http_request(path, body, token), first))
    return exchanges
