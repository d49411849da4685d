"""Answers introspection queries: the schema does not change while the process lives, so each response is computed once, beside the event loop."""

from collections.abc import Iterator
from hashlib import sha256

import orjson
from graphql import (
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    execute_sync,
)
from graphql.execution.values import get_variable_values

from execution.documents.document_cache import Document
from execution.errors import Refusal
from execution.operations import Operation
from execution.serial_worker import SerialWorker
from sized_cache import SizedCache

__all__ = ["Introspection", "selects_schema"]

_SCHEMA_FIELDS = frozenset({"__schema", "__type"})
# The whole description has 567 kB, and each kind of client its own way to ask for it.
_MAX_BYTES = 6 << 20
_MAX_ANSWER_BYTES = 1 << 20
_KEY_BYTES = 400
# How long an introspection query may wait behind other work in the worker that came later, in seconds.
_PATIENCE = 1.0
_MAX_ERRORS = 50


def selects_schema(document: Document, operation: OperationDefinitionNode) -> bool:
    """Whether an operation selects the schema. Raises a refusal if it selects anything else as well."""
    if not document.introspects:
        return False
    names = set(_root_fields(document, operation.selection_set, set()))
    if not names & _SCHEMA_FIELDS:
        return False
    if names - _SCHEMA_FIELDS - {"__typename"}:
        raise Refusal("INTROSPECTION_NOT_ALONE", "Query the schema in a separate operation, without other fields.")
    return True


def _root_fields(document: Document, selections: SelectionSetNode, seen: set[str]) -> Iterator[str]:
    """Yields the names of the fields at the top of a selection set, those in fragments included."""
    for each in selections.selections:
        if isinstance(each, FieldNode):
            yield each.name.value
        elif isinstance(each, FragmentSpreadNode):
            if each.name.value not in seen:
                seen.add(each.name.value)
                fragments = (one for one in document.node.definitions if isinstance(one, FragmentDefinitionNode))
                yield from _root_fields(document, next(one for one in fragments if one.name.value == each.name.value).selection_set, seen)
        else:
            yield from _root_fields(document, each.selection_set, seen)  # type: ignore[attr-defined]  # an inline fragment


class Introspection:
    """Executes operations that select the schema and nothing else (see `selects_schema`). The caller decides who may do so."""

    def __init__(self, schema: GraphQLSchema, worker: SerialWorker, *, suggest: bool = True, max_bytes: int = _MAX_BYTES) -> None:
        self._schema = schema
        self._worker = worker
        self._suggest = suggest
        self._answers: SizedCache[tuple[bytes, str, bytes], bytes] = SizedCache(
            max_bytes, max_entry_bytes=min(max_bytes, _MAX_ANSWER_BYTES)
        )
        # The number of responses computed.
        self.computed = 0

    async def __call__(self, operation: Operation) -> ExecutionResult | bytes:
        """Returns the response as JSON, or a result with errors."""
        variables = get_variable_values(
            self._schema, operation.node.variable_definitions or (), operation.variables, _MAX_ERRORS, not self._suggest
        )
        if isinstance(variables, list):
            return ExecutionResult(None, variables)
        name = operation.node.name.value if operation.node.name else ""
        # The digest is of the printed document, without layout and comments. The variables are texts and booleans here; unlike other
        # encodings `repr` accepts all of them, half a surrogate pair too.
        key = (operation.document.digest, name, sha256(repr(sorted(variables.coerced.items())).encode()).digest())
        found = self._answers.get(key)
        if found is not None:
            return found
        work = ("introspection", key)
        answer = await self._worker.run(work, lambda: self._compute(operation), flow=operation.flow, patience=_PATIENCE)
        if isinstance(answer, bytes):
            self._answers.put(key, answer, len(answer) + len(name) + _KEY_BYTES)
        return answer

    def _compute(self, operation: Operation) -> ExecutionResult | bytes:
        self.computed += 1
        result = execute_sync(
            self._schema,
            operation.document.node,
            variable_values=operation.variables,
            operation_name=operation.node.name.value if operation.node.name else None,
            hide_suggestions=not self._suggest,
        )
        return result if result.errors else orjson.dumps({"data": result.data})
