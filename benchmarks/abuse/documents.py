"""Sends different documents that fill memory or take long to parse, with and without a token, and requests the whole schema."""

import asyncio
from collections.abc import Iterator
from itertools import islice

import orjson
from graphql import get_introspection_query

from benchmarks.abuse.hostile_documents import HOSTILE, hostile_documents
from benchmarks.abuse.probes import Answer, ask, probes
from benchmarks.abuse.target import Figure, Target
from benchmarks.contest.contestants import http_request
from config import load_settings

__all__ = ["SETTINGS", "TITLE", "measure"]

TITLE = "Documents that are made to be large or slow"
# Without a cost budget, which would end this attack after a minute's worth of documents; the budget has its own part.
SETTINGS: dict[str, str] = {"COST_PER_MINUTE": "0"}
_TIMES = 1_050
_CONNECTIONS = 8
_LONGEST = 65_536


async def measure(target: Target) -> list[Figure]:
    settings = load_settings()
    before = target.memory()
    figures = [Figure("memory of the worker before", before, "MB")]
    long = islice(hostile_documents("a long text", characters=_LONGEST, tokens=settings.max_tokens), _TIMES)
    figures += await _attacked(target, f"{_TIMES:,} of 64 kB, no token", long, None)
    mixed = _mixed(settings.anonymous_max_characters, settings.anonymous_max_tokens)
    figures += await _attacked(target, f"{_TIMES:,} as large as accepted, no token", mixed, None)
    mixed = _mixed(_LONGEST, settings.max_tokens)
    figures += await _attacked(target, f"{_TIMES:,} as large as accepted, signed in", mixed, target.tokens["STUDENT"])
    whole = [get_introspection_query(descriptions=True, input_value_deprecation=True)] * 100
    figures += await _attacked(target, "100 times the whole schema", iter(whole), target.tokens["STUDENT"])
    await asyncio.sleep(15)
    return [*figures, Figure("memory of the worker, 15 s later", target.memory(), "MB", at_most=300)]


def _mixed(characters: int, tokens: int) -> Iterator[str]:
    """Yields documents of every kind in turn."""
    kinds = [hostile_documents(kind, characters=characters, tokens=tokens) for kind in HOSTILE]
    for number in range(_TIMES):
        yield next(kinds[number % len(kinds)])


async def _attacked(target: Target, name: str, texts: Iterator[str], token: str | None) -> list[Figure]:
    answers: list[Answer] = []

    async def send() -> None:
        answers.extend([await ask(target, http_request("/graphql", orjson.dumps({"query": text}), token)) for text in texts])

    async with probes(target) as probed:
        await asyncio.gather(*[send() for _ in range(_CONNECTIONS)])
    read = sum(each.status == 200 and b"QUERY_TOO" not in each.body and b"OVERLOADED" not in each.body for each in answers)
    figures = [
        Figure("sent", len(answers), ""),
        Figure("read, and not refused by a limit", read, ""),
        Figure("refused with 503", sum(each.status == 503 for each in answers), ""),
        Figure("not answered, or with 500", sum(each.status in (0, 500) for each in answers), "", at_most=0),
        *probed.figures(),
    ]
    return [Figure(f"{name}: {each.name}", each.value, each.unit, each.at_most, each.at_least) for each in figures]
