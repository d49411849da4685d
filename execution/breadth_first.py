"""An executor that resolves each field once for all its parents, in place of graphql-core's, which resolves it for one after the other.

What it does not cover goes to graphql-core: subscriptions, introspection, documents with directives other than @skip and @include.
`BreadthFirst.fallbacks` counts these.
"""

from collections import Counter
from collections.abc import Hashable
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from execution.complete.fast import Composing
from execution.complete.with_errors import Placing
from execution.documents.document_cache import Document
from execution.operations import Execute, Operation
from execution.plan.plans import Outline, Plan, Plans
from execution.run.executor import Run
from execution.run.response_size import AnswerLeftOutError, AnswerSize, AnswerTooLargeError
from execution.run.scopes import Batch
from execution.serial_worker import SerialWorker

__all__ = ["BreadthFirst"]

_PLANNED_AT_ONCE = 100
# How long a field may keep a plan waiting behind smaller work that came later, in seconds.
_PATIENCE = 0.000_2
# The bytes of `{"data":{}}`, without the comma that the first field has not.
_FRAME = 10


class BreadthFirst:
    """Runs the operations of one schema. What it does not cover is run by `fallback`."""

    def __init__(
        self, schema: GraphQLSchema, fallback: Execute, *, suggest: bool = True, worker: SerialWorker | None = None, max_bytes: int = 2**31
    ) -> None:
        self._fallback = fallback
        self._max_bytes = max_bytes
        self._plans = Plans(schema, suggest=suggest)
        self._worker = worker or SerialWorker(name="plans")
        # By the reason: see plans.Outline.
        self.fallbacks: Counter[str] = Counter()

    async def __call__(self, operation: Operation) -> ExecutionResult | bytes:
        """The whole answer as JSON, or a result with the errors."""
        document = operation.document
        outline = self._plans.outline(document, operation.node)
        if outline.reason is not None:
            self.fallbacks[outline.reason] += 1
            return await self._fallback(operation)
        variables = outline.variables.of(operation.variables)
        if isinstance(variables, list):
            return ExecutionResult(None, variables)
        plan = self._plans.find(outline, variables)
        if plan is None:
            try:
                plan = await self._planned(document, outline, variables, operation.flow)
            except GraphQLError as error:
                return ExecutionResult(None, [error])
        run = _serially if plan.is_mutation else _together
        answer = await run(plan, variables, operation.context, AnswerSize(self._max_bytes))
        self._plans.count(document, plan)
        return answer

    async def _planned(self, document: Document, outline: Outline, variables: VariableValues, flow: Hashable) -> Plan:
        """Makes a plan: a small one at once, a large one beside the event loop, for 40 µs a field."""
        if document.fields <= _PLANNED_AT_ONCE:
            plan = self._plans.make(outline, variables)
        else:
            # Requests of one document that wait for the same plan have the same values of its conditions; a key of these may not be hashable.
            conditions = tuple(repr(variables.coerced.get(name)) for name in outline.depends_on)
            key = ("plan", id(outline), conditions)
            patience = document.fields * _PATIENCE
            plan = await self._worker.run(key, lambda: self._plans.make(outline, variables), flow=flow, patience=patience)
        self._plans.keep(document, outline, plan)
        return plan


async def _together(plan: Plan, variables: VariableValues, context: Any, size: AnswerSize) -> ExecutionResult | bytes:
    run = Run(plan, variables, context, size=size)
    root = Batch(plan.root, [None])
    await run.resolve(root)
    if not run.failed:
        answer = await _composed(root, size)
        if answer is not None:
            return size.encoded({"data": answer})
    placing = Placing()
    data = await placing.complete(root)
    return _result(data, placing, size)


async def _serially(plan: Plan, variables: VariableValues, context: Any, size: AnswerSize) -> ExecutionResult | bytes:
    """Runs each field with all that is selected of it before the next. One that must not be null and is ends the operation.

    A field whose answer is too large has run all the same: its answer is left out, with an error that says so, and the next has its turn.
    """
    run = Run(plan, variables, context)
    placing = Placing()
    data: dict[str, Any] = {}
    is_null = False
    size.add(_FRAME)
    for field in plan.root.fields:
        root = Batch(plan.alone(field), [None])
        run.failed = False
        await run.resolve(root)
        try:
            answer = None if run.failed else await _composed(root, size.part())
            if answer is None:
                answer = await placing.complete(root)
                if answer is None:
                    return _result(None, placing, size)
            text = orjson.dumps(answer[field.key])
            size.add(len(orjson.dumps(field.key)) + len(text) + 2)
            data[field.key] = orjson.Fragment(text)
        except AnswerTooLargeError as error:
            placing.leave_out(field, AnswerLeftOutError(error.limit))
            data[field.key] = None
            is_null = is_null or not field.nullable
    if is_null:
        return _result(None, placing, size)
    # What was composed is JSON: errors go with values.
    return _result(orjson.loads(orjson.dumps(data)) if placing.errors else data, placing, size)


async def _composed(root: Batch, size: AnswerSize) -> dict[str, Any] | None:
    """The root's answer; None when a value was met that the fast way does not know."""
    try:
        answer: dict[str, Any] = (await Composing(size).compose(root))[0]
        return answer
    except AnswerTooLargeError:
        raise
    except Exception:  # noqa: BLE001 - a scalar may raise whatever it likes: with_errors.py says where
        return None


def _result(data: dict[str, Any] | None, placing: Placing, size: AnswerSize) -> ExecutionResult | bytes:
    if not placing.errors:
        return size.encoded({"data": data})
    return ExecutionResult(data, placing.errors)
