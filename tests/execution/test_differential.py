"""Compares the breadth-first executor with graphql-core's: thousands of random operations on random data must have the same results.

Without awaits graphql-core encounters errors in the order of the response, and so does ours in both schemas. There data, order of keys, order of
errors, paths, locations and messages must be equal, byte by byte. With awaits, if several errors would null the same field, which one graphql-core
reports depends on which field completes first; there only the data is compared.
"""

from random import Random

import orjson
import pytest
from graphql import parse, validate
from hypothesis import settings
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from execution.breadth_first import BreadthFirst
from execution.documents.document_cache import Document
from execution.operations import Operation, graphql_core
from tests.execution.faulty_data import World
from tests.execution.faulty_schema import load
from tests.execution.random_operations import Maker

WAITING = load("waiting", waits=True)
QUICK = load("quick", waits=False)
# 50 operations per case, and a thousand with HYPOTHESIS_PROFILE=thorough; the same in every run.
OPERATIONS = 2 * settings.default.max_examples


def executors(schema):
    core = graphql_core(schema, StrawberryGraphQLCoreExecutionContext, optimized_is_awaitable)
    return core, BreadthFirst(schema, core)


async def answer(execute, document, variables, world):
    node = document.definitions[0]
    result = await execute(Operation(Document(document, (node,), introspects=False, tokens=0), node, variables, world))
    if isinstance(result, bytes):
        return result, []
    errors = [(each.message, each.path, [(at.line, at.column) for at in each.locations or ()]) for each in result.errors or ()]
    return orjson.dumps({"data": result.data}), errors


def made(random, *, mutation=False):
    """Returns a valid operation and its variables. Generated operations whose fields cannot be merged are skipped."""
    while True:
        maker = Maker(WAITING, random, mutation=mutation)
        text = maker.make()
        document = parse(text)
        if not validate(WAITING, document):
            return text, document, maker.values


@pytest.mark.parametrize("trouble", [0, 15, 60, 200])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("mutation", [False, True], ids=["query", "mutation"])
async def test_random_operations_have_the_same_answers(seed, trouble, mutation):
    core, quick = executors(QUICK)
    _, waiting = executors(WAITING)
    for document, variables, world, about in operations(seed, trouble, mutation=mutation):
        expected = await answer(core, document, variables, World(*world))
        for execute in (quick, waiting):
            assert await answer(execute, document, variables, World(*world)) == expected, about
    assert not quick.fallbacks
    assert not waiting.fallbacks


@pytest.mark.parametrize("trouble", [0, 15, 60])
async def test_what_a_source_writes_has_the_same_answers(trouble):
    """Tests selections that can be pushed down: the world's loaders return JSON for some of them, and rows for the others."""
    core, _ = executors(QUICK)
    _, ours = executors(WAITING)
    random = Random(f"written {trouble}")
    written = 0
    for number in range(OPERATIONS):
        text = _writable(random)
        document = parse(text)
        assert not validate(WAITING, document), text
        world = World(number, trouble)
        assert await answer(ours, document, {}, world) == await answer(core, document, {}, World(number, trouble)), f"{text} {number}"
        written += world.written
    assert written > OPERATIONS / 5
    assert not ours.fallbacks


def _writable(random):
    def leaves(*names):
        return " ".join(random.sample(names, random.randint(1, len(names))))

    def person(depth):
        links = [f"{name} {{ {person(depth - 1)} }}" for name in ("friend", "boss") if depth and random.random() < 0.4]
        return " ".join([leaves("__typename", "id", "name", "nickname", "age", "born", "seen", "wakes", "colour"), *links])

    # If two places load the same object, it is serialised only if they select the same.
    anybody = person(2)
    owner = f"owner {{ {anybody} }}" if random.random() < 0.5 else ""
    place = f"{leaves('__typename', 'id', 'name', 'isOpen', 'price')} {owner}"
    page = f"visited(first: 3) {{ nodes {{ {place} }} total {random.choice(['', 'edges { cursor }', 'pageInfo { totalKey }'])} }}"
    boss = f"boss {{ {anybody} {random.choice(['label', 'tags', '', '', '', ''])} }}"
    links = f"friend {{ {anybody} }} {boss} {page if random.random() < 0.7 else ''}"
    numbers = [random.randrange(24) for _ in range(6)]
    return f"{{ somebody {{ {links} }} named(numbers: {numbers}) {{ id ... on Person {{ {links} }} ... on Place {{ id {owner} }} }} }}"


# graphql-core doesn't await the awaitables of other fields once one has failed.
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("trouble", [0, 60])
async def test_what_awaits_has_the_same_data(trouble):
    core, ours = executors(WAITING)
    for document, variables, world, about in operations(9, trouble, mutation=False):
        data, errors = await answer(core, document, variables, World(*world))
        ours_data, ours_errors = await answer(ours, document, variables, World(*world))
        assert ours_data == data, about
        assert bool(ours_errors) == bool(errors), about


def operations(seed, trouble, *, mutation):
    """Yields operations, their variables, the seed and trouble of their world, and a description of all that."""
    random = Random(f"{seed} {trouble} {mutation}")
    for number in range(OPERATIONS // 5 if mutation else OPERATIONS):
        text, document, variables = made(random, mutation=mutation)
        world = (seed * 1000 + number, trouble)
        yield document, variables, world, f"{text}\n{variables}\n{world}"
