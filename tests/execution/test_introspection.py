"""Tests introspection: results are computed once, outside the event loop, and are those of graphql-core."""

import asyncio
import threading
from types import SimpleNamespace

import orjson
import pytest
from graphql import get_introspection_query

from execution.documents.document_cache import Documents
from execution.documents.limits import Limits
from execution.errors import Refusal
from execution.introspection import Introspection, selects_schema
from execution.operations import Operation
from execution.serial_worker import SerialWorker
from tests.graphql_school import _CORE, SCHEMA

WHOLE = get_introspection_query(descriptions=True, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True)
DOCUMENTS = Documents(SCHEMA._schema, Limits())


def operation_of(text, name=None, **variables):
    document = DOCUMENTS.read(text)
    return Operation(document, document.operation(name), variables, SimpleNamespace())


async def test_the_description_is_computed_once_however_it_is_laid_out_and_is_graphql_cores():
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    texts = [WHOLE, WHOLE.replace("\n", " "), "# mine\n" + WHOLE, WHOLE]
    answers = await asyncio.gather(*[introspection(operation_of(text)) for text in texts])
    answers.append(await introspection(operation_of(WHOLE)))
    assert introspection.computed == 1
    assert len(set(answers)) == 1
    expected = await _CORE(operation_of(WHOLE))
    assert answers[0] == orjson.dumps({"data": expected.data})


async def test_the_loops_thread_does_not_compute_it(monkeypatch):
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    threads = []
    compute = introspection._compute
    monkeypatch.setattr(introspection, "_compute", lambda operation: threads.append(threading.current_thread()) or compute(operation))
    await introspection(operation_of('{ __type(name: "Query") { name } }'))
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()


async def test_answers_are_kept_by_operation_and_by_the_variables_that_it_declares():
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    text = "query A($n: String!) { __type(name: $n) { name } } query B { __schema { queryType { name } } }"
    assert await introspection(operation_of(text, "A", n="Query")) == b'{"data":{"__type":{"name":"Query"}}}'
    assert await introspection(operation_of(text, "A", n="Student", other=1)) == b'{"data":{"__type":{"name":"Student"}}}'
    assert await introspection(operation_of(text, "A", n="Query", other=2)) == b'{"data":{"__type":{"name":"Query"}}}'
    assert await introspection(operation_of(text, "B")) == b'{"data":{"__schema":{"queryType":{"name":"Query"}}}}'
    assert introspection.computed == 3
    # Documents with the same beginning are not confused with each other.
    long = "x" * 5_000
    assert await introspection(operation_of(text, "A", n=long + "1")) == b'{"data":{"__type":null}}'
    assert await introspection(operation_of(text, "A", n=long + "2")) == b'{"data":{"__type":null}}'
    assert introspection.computed == 5


async def test_an_answer_with_errors_is_not_kept():
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    operation = operation_of("query ($n: String!) { __type(name: $n) { name } }", n=5)
    assert [(await introspection(operation)).errors is not None for _ in range(2)] == [True, True]
    assert introspection.computed == 0
    assert len(introspection._answers) == 0


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("value", [nested(300), nested(1_000), {"a": nested(300)}, 2**70])
async def test_a_variable_of_another_type_is_an_error_about_it_however_deep(value):
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    result = await introspection(operation_of("query ($n: String!) { __type(name: $n) { name } }", n=value))
    assert [error.message.startswith("Variable") for error in result.errors] == [True]


@pytest.mark.parametrize("value", [nested(300), 2**70])
async def test_a_variable_that_is_not_declared_is_not_looked_at(value):
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    answer = await introspection(operation_of('{ __type(name: "Query") { name } }', other=value))
    assert answer == b'{"data":{"__type":{"name":"Query"}}}'


async def test_half_a_surrogate_pair_is_the_name_of_no_type():
    introspection = Introspection(SCHEMA._schema, SerialWorker())
    answer = await introspection(operation_of("query ($n: String!) { __type(name: $n) { name } }", n="\ud800"))
    assert answer == b'{"data":{"__type":null}}'


async def test_kept_answers_are_bounded_in_bytes():
    introspection = Introspection(SCHEMA._schema, SerialWorker(), max_bytes=20_000)
    text = "query ($n: String!) { __type(name: $n) { name description fields { name description } } }"
    for name in SCHEMA._schema.type_map:
        await introspection(operation_of(text, n=name))
    assert 0 < introspection._answers.bytes <= 20_000


@pytest.mark.parametrize(
    ("text", "selects"),
    [
        ("{ __schema { queryType { name } } }", True),
        ('{ __typename ...F } fragment F on Query { ... { __type(name: "A") { name } } }', True),
        ("{ viewer { role } }", False),
        ("{ __typename }", False),
    ],
)
def test_an_operation_that_selects_the_schema_is_known(text, selects):
    operation = operation_of(text)
    assert selects_schema(operation.document, operation.node) is selects


@pytest.mark.parametrize(
    "text",
    [
        "{ __schema { queryType { name } } viewer { role } }",
        "{ ...F viewer { role } } fragment F on Query { __schema { queryType { name } } }",
        "{ __schema { queryType { name } } ... { viewer { role } } }",
    ],
)
def test_the_schema_is_asked_for_alone(text):
    operation = operation_of(text)
    with pytest.raises(Refusal) as refused:
        selects_schema(operation.document, operation.node)
    assert refused.value.code == "INTROSPECTION_NOT_ALONE"
