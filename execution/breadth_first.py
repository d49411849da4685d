"""Executes operations breadth-first: plans, runs and completes them, with each field resolved once for all its parents.

graphql-core executes what this does not cover: subscriptions, introspection, documents with directives other than @skip and @include.
`BreadthFirst.fallbacks` counts these.
"""

from collections import Counter
from collections.abc import Hashable

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema
from graphql.execution.values import VariableValues

from execution.complete.fast import complete_fast
from execution.complete.with_errors import ErrorPropagation
from execution.documents.document_cache import Document
from execution.opaque_types import JSONData, RequestContext
from execution.operations import Execute, Operation
from execution.plan.plans import OperationAnalysis, Plan, Planner
from execution.run.executor import Executor
from execution.run.response_size import ResponseOmittedError, ResponseSize, ResponseTooLargeError
from execution.run.scopes import ExecutionScope
from execution.serial_worker import SerialWorker

__all__ = ["BreadthFirst"]

# A document with more fields than this is planned beside the event loop.
_MAX_FIELDS_PLANNED_AT_ONCE = 100
# How long a field may keep a plan waiting behind smaller work that came later, in seconds.
_PATIENCE = 0.000_2
# The bytes of `{"data":{}}`, without the comma that the first field does not have.
_FRAME = 10


class BreadthFirst:
    """Executes the operations of one schema; `fallback` executes those that it does not cover."""

    def __init__(
        self, schema: GraphQLSchema, fallback: Execute, *, suggest: bool = True, worker: SerialWorker | None = None, max_bytes: int = 2**31
    ) -> None:
        self._fallback = fallback
        self._max_bytes = max_bytes
        self._planner = Planner(schema, suggest=suggest)
        self._worker = worker or SerialWorker(name="plans")
        # By the reason: see OperationAnalysis.
        self.fallbacks: Counter[str] = Counter()

    async def __call__(self, operation: Operation) -> ExecutionResult | bytes:
        """Returns the whole response as JSON, or a result with the errors."""
        document = operation.document
        analysis = self._planner.analyse(document, operation.node)
        if analysis.fallback_reason is not None:
            self.fallbacks[analysis.fallback_reason] += 1
            return await self._fallback(operation)
        variables = analysis.variables.coerce(operation.variables)
        if isinstance(variables, list):
            return ExecutionResult(None, variables)
        plan = self._planner.find(analysis, variables)
        if plan is None:
            try:
                plan = await self._make_plan(document, analysis, variables, operation.flow)
            except GraphQLError as error:
                return ExecutionResult(None, [error])
        execute = _execute_serially if plan.is_mutation else _execute
        response = await execute(plan, variables, operation.context, ResponseSize(self._max_bytes))
        self._planner.update_size(document, plan)
        return response

    async def _make_plan(self, document: Document, analysis: OperationAnalysis, variables: VariableValues, flow: Hashable) -> Plan:
        """Makes a plan: a small one at once, a large one, which takes 40 µs a field, beside the event loop."""
        if document.fields <= _MAX_FIELDS_PLANNED_AT_ONCE:
            plan = self._planner.make(analysis, variables)
        else:
            # Requests that wait for the same plan of a document have the same conditions. Their values may not be hashable: hence `repr`.
            conditions = tuple(repr(variables.coerced.get(name)) for name in analysis.condition_variables)
            key = ("plan", id(analysis), conditions)
            patience = document.fields * _PATIENCE
            plan = await self._worker.run(key, lambda: self._planner.make(analysis, variables), flow=flow, patience=patience)
        self._planner.keep(document, analysis, plan)
        return plan


async def _execute(plan: Plan, variables: VariableValues, context: RequestContext, size: ResponseSize) -> ExecutionResult | bytes:
    executor = Executor(plan, variables, context, size=size)
    root = ExecutionScope(plan.root, [None])
    await executor.resolve(root)
    if not executor.has_errors:
        data = await _complete_fast(root, size)
        if data is not None:
            return size.encode({"data": data})
    propagation = ErrorPropagation()
    return _result(await propagation.complete(root), propagation, size)


async def _execute_serially(plan: Plan, variables: VariableValues, context: RequestContext, size: ResponseSize) -> ExecutionResult | bytes:
    """Executes each root field with everything selected below it before the next. A non-null field that is null ends the operation.

    A field whose response is too large has run all the same: its response is omitted, with an error that says so, and the next field follows.
    """
    executor = Executor(plan, variables, context)
    propagation = ErrorPropagation()
    data: dict[str, JSONData] = {}
    is_null = False
    size.add(_FRAME)
    for field in plan.root.fields:
        root = ExecutionScope(plan.single_root_field(field), [None])
        executor.has_errors = False
        await executor.resolve(root)
        try:
            completed = None if executor.has_errors else await _complete_fast(root, size.part())
            if completed is None:
                completed = await propagation.complete(root)
                if completed is None:
                    return _result(None, propagation, size)
            text = orjson.dumps(completed[field.key])
            size.add(len(orjson.dumps(field.key)) + len(text) + 2)
            data[field.key] = orjson.Fragment(text)
        except ResponseTooLargeError as error:
            propagation.omit(field, ResponseOmittedError(error.limit))
            data[field.key] = None
            is_null = is_null or not field.nullable
    if is_null:
        return _result(None, propagation, size)
    # An ExecutionResult has values, where `data` has JSON.
    return _result(orjson.loads(orjson.dumps(data)) if propagation.errors else data, propagation, size)


async def _complete_fast(root: ExecutionScope, size: ResponseSize) -> dict[str, JSONData] | None:
    """Returns the completed root; None if it needs the slow path."""
    try:
        data: dict[str, JSONData] = (await complete_fast(root, size))[0]
        return data
    except ResponseTooLargeError:
        raise
    except Exception:  # noqa: BLE001 - a scalar may raise anything: with_errors.py finds out where
        return None


def _result(data: dict[str, JSONData] | None, propagation: ErrorPropagation, size: ResponseSize) -> ExecutionResult | bytes:
    if not propagation.errors:
        return size.encode({"data": data})
    return ExecutionResult(data, propagation.errors)
