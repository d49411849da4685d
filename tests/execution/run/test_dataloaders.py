"""Tests DataLoaders: keys requested together are loaded in one batch, whose results are shared, and which ends with the request."""

import asyncio

import pytest
import strawberry
from graphql import execute, parse
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.fields import edge
from execution.loaders import Loader
from execution.run.dataloaders import RequestLoaders


class Slow:
    """Provides a batch function that waits until it is released, and records whether it was cancelled."""

    def __init__(self) -> None:
        self.batches: list[list[object]] = []
        self.began = asyncio.Event()
        self.let_go = asyncio.Event()
        self.cancelled = 0
        self.loader = Loader(self._batch, "slow")

    async def _batch(self, context, keys, arguments):
        self.batches.append(list(keys))
        self.began.set()
        try:
            await self.let_go.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return [None if key == "nothing" else LookupError(key) if key == "wrong" else f"{key}!" for key in keys]


@pytest.fixture
async def slow():
    return Slow()


async def test_what_is_asked_together_is_one_batch(slow):
    slow.let_go.set()
    made = RequestLoaders(None).of(slow.loader)
    answers = await asyncio.gather(*(made.load(key) for key in ("a", "b", "a", "nothing", "wrong")), return_exceptions=True)
    assert answers[:4] == ["a!", "b!", "a!", None]
    assert isinstance(answers[4], LookupError)
    assert slow.batches == [["a", "b", "nothing", "wrong"]]


async def test_who_is_cancelled_does_not_cancel_the_answer_for_others(slow):
    made = RequestLoaders(None).of(slow.loader)
    first, second = (asyncio.create_task(wait_for(made, "a")) for _ in range(2))
    await slow.began.wait()
    first.cancel()
    await asyncio.wait((first,))
    slow.let_go.set()
    assert await second == "a!"
    assert first.cancelled()
    assert await made.load("a") == "a!"
    assert slow.batches == [["a"]]


async def wait_for(made, key):
    return await made.load(key)


async def test_closing_ends_what_runs_and_what_waits(slow):
    loaders = RequestLoaders(None)
    waiting = asyncio.create_task(wait_for(loaders.of(slow.loader), "a"))
    await slow.began.wait()
    loaders.close()
    async with asyncio.timeout(5):
        await asyncio.wait((waiting,))
        while not slow.cancelled:
            await asyncio.sleep(0)
    assert waiting.cancelled()


async def test_after_closing_no_batch_begins(slow):
    loaders = RequestLoaders(None)
    waiting = asyncio.create_task(wait_for(loaders.of(slow.loader), "a"))
    await asyncio.sleep(0)
    loaders.close()
    await asyncio.wait((waiting,))
    for _ in range(10):
        await asyncio.sleep(0)
    assert waiting.cancelled()
    assert slow.batches == []


async def test_a_branch_that_fails_leaves_the_others_the_answer_they_share(slow):
    """Checks that a branch still gets its result when graphql-core cancels another one that waits for the same key of the same loader."""

    @strawberry.type
    class Thing:
        key: strawberry.Private[str] = "a"
        value: str | None = edge(slow.loader, "key", description="Filled by the loader.")

        @strawberry.field
        async def bad(self) -> int:
            await slow.began.wait()
            raise RuntimeError("no")

    @strawberry.type
    class Query:
        @strawberry.field
        def thing(self) -> Thing | None:
            return Thing()

    class Context:
        def __init__(self) -> None:
            self.loaders = RequestLoaders(self)

    operation = execute(
        strawberry.Schema(Query)._schema,
        parse("{ failing: thing { bad value } other: thing { value } }"),
        context_value=Context(),
        executor_class=StrawberryGraphQLCoreExecutionContext,
        is_awaitable=optimized_is_awaitable,
    )
    running = asyncio.ensure_future(operation)
    await slow.began.wait()
    for _ in range(20):
        await asyncio.sleep(0)
    slow.let_go.set()
    result = await running
    assert result.data == {"failing": None, "other": {"value": "a!"}}
    assert [error.path for error in result.errors] == [["failing", "bad"]]


async def test_who_asks_for_one_key_and_who_asks_for_many_share_a_batch(slow):
    made = RequestLoaders(None).of(slow.loader)
    many = asyncio.create_task(made.load_all(dict.fromkeys(["a", "b", "wrong"])))
    await slow.began.wait()
    one, wrong = (asyncio.create_task(wait_for(made, key)) for key in ("a", "wrong"))
    again = asyncio.create_task(made.load_all(dict.fromkeys(["b"])))
    await asyncio.sleep(0)
    slow.let_go.set()
    found = await many
    assert found["a"] == "a!"
    assert isinstance(found["wrong"], LookupError)
    assert await one == "a!"
    assert (await again)["b"] == "b!"
    with pytest.raises(LookupError):
        await wrong
    assert await made.load("b") == "b!"
    assert slow.batches == [["a", "b", "wrong"]]


async def test_a_batch_that_fails_is_asked_for_again():
    asked = []

    async def batch(context, keys, arguments):
        asked.append(keys)
        if len(asked) == 1:
            raise RuntimeError("once")
        return keys

    made = RequestLoaders(None).of(Loader(batch, "fails once"))
    failed = await made.load_all({"a": None})
    assert isinstance(failed["a"], RuntimeError)
    assert (await made.load_all({"a": None}))["a"] == "a"
    made.clear_all()
    assert await made.load("a") == "a"
    assert len(asked) == 3


async def test_a_request_that_is_over_holds_nothing(slow):
    """Checks that the rows of a request are released when it ends, without the garbage collector."""
    slow.let_go.set()
    loaders = RequestLoaders(None)
    made = loaders.of(slow.loader)
    await made.load_all({"a": None})
    loaders.close()
    assert not loaders._loaders
