"""Tests the limit of response sizes, which is enforced while a response is built, wherever its bytes come from."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest
import strawberry
from graphql import parse

from execution.breadth_first import BreadthFirst
from execution.documents.document_cache import Document
from execution.operations import Operation
from execution.run.response_size import ResponseSize, ResponseTooLargeError


@strawberry.type
class Line:
    text: str

    @strawberry.field
    def broken(self) -> str | None:
        raise ValueError("broken")


@strawberry.type
class Query:
    @strawberry.field
    def lines(self, count: int) -> list[Line]:
        return [Line(text="x" * 90) for _ in range(count)]


RAN: list[int] = []


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self, count: int) -> list[Line] | None:
        RAN.append(count)
        return [Line(text="x" * 90) for _ in range(count)]

    @strawberry.mutation
    def must(self, count: int) -> list[Line]:
        RAN.append(count)
        return [Line(text="x" * 90) for _ in range(count)]


SCHEMA = strawberry.Schema(Query, Mutation)._schema


async def asked(query: str, max_bytes: int) -> Any:
    async def fallback(_: Operation) -> Any:
        raise AssertionError("nothing here falls back")

    document = parse(query)
    (node,) = document.definitions
    execute = BreadthFirst(SCHEMA, fallback, max_bytes=max_bytes)
    made = Document(document, (node,), introspects=False, tokens=0)  # type: ignore[arg-type]
    return await execute(Operation(made, node, {}, SimpleNamespace()))  # type: ignore[arg-type]


@pytest.mark.parametrize("count", [10, 3_000])
async def test_an_answer_is_refused_above_the_limit_and_not_at_it(count):
    query = f"{{ lines(count: {count}) {{ text }} }}"
    answer = await asked(query, 2**31)
    assert len(orjson.loads(answer)["data"]["lines"]) == count
    assert await asked(query, len(answer)) == answer
    with pytest.raises(ResponseTooLargeError) as refused:
        await asked(query, len(answer) - 1)
    assert refused.value.extensions == {"code": "ANSWER_TOO_LARGE", "limit": len(answer) - 1}


async def test_many_objects_are_refused_before_all_of_them_are_encoded(monkeypatch):
    encoded = 0
    whole = orjson.dumps

    def count(value: Any) -> bytes:
        nonlocal encoded
        encoded += 1
        return whole(value)

    monkeypatch.setattr("execution.complete.fast.orjson.dumps", count)
    with pytest.raises(ResponseTooLargeError):
        await asked("{ lines(count: 20000) { text } }", 100_000)
    assert encoded <= 1_200, "1,000 lines of 100 bytes are the limit"


@pytest.mark.parametrize("selected", ["text", "text broken"])
@pytest.mark.parametrize("count", [10, 3_000])
async def test_a_mutation_whose_answer_is_too_large_has_run_and_so_do_those_after_it(count, selected):
    RAN.clear()
    result = await asked(
        f"mutation {{ a: write(count: 1) {{ text }} b: write(count: {count}) {{ {selected} }} c: write(count: 2) {{ text }} }}", 700
    )
    assert [1, count, 2] == RAN
    assert {key: value and len(value) for key, value in result.data.items()} == {"a": 1, "b": None, "c": 2}
    of_root_fields = [each for each in result.errors if len(each.path) == 1]
    assert [(each.path, each.original_error.extensions) for each in of_root_fields] == [(["b"], {"code": "ANSWER_TOO_LARGE", "limit": 700})]
    assert "ran to its end" in of_root_fields[0].message


async def test_one_that_must_not_be_null_takes_the_data_with_it_and_not_the_rest_of_the_operation():
    RAN.clear()
    result = await asked("mutation { a: must(count: 10) { text } b: must(count: 1) { text } c: must(count: 11) { text } }", 700)
    assert RAN == [10, 1, 11]
    assert result.data is None
    assert [each.path for each in result.errors] == [["a"], ["c"]]


@pytest.mark.parametrize("over", [0, 1])
async def test_the_answers_of_a_mutation_count_together_to_the_byte(over):
    query = "mutation { a: write(count: 2) { text } b: write(count: 3) { text } }"
    answer = await asked(query, 2**31)
    result = await asked(query, len(answer) - over)
    if over:
        assert [each.path for each in result.errors] == [["b"]]
    else:
        assert result == answer


def test_bytes_are_counted_together():
    size = ResponseSize(10)
    size.add(6)
    size.part().add(10)
    size.add(4)
    with pytest.raises(ResponseTooLargeError):
        size.add(1)
