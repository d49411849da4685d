"""Implements the GraphQL over HTTP specification as an ASGI application for `/graphql`.

Every error response is JSON with a code, whatever the client accepts. When a client disconnects, its operation is cancelled, and with it the SQL.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any

from graphql import ExecutionResult, GraphQLSchema
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from execution.documents.cost_analysis import check_cost
from execution.documents.document_cache import Document, Documents, InvalidDocumentError, is_mutation
from execution.documents.limits import Limits
from execution.errors import ErrorWriter, Refusal
from execution.introspection import Introspection, selects_schema
from execution.operations import Execute, Operation
from execution.run.response_size import ResponseOmittedError, ResponseTooLargeError
from execution.serial_worker import SerialWorker
from transport.admission import Admission, QueueFullError
from transport.cost_budget import Charge, CostBudgets
from transport.disconnect import DisconnectWatcher
from transport.expensive_operations import ExpensiveOperations
from transport.flow_keys import provisional_flow
from transport.headers import header
from transport.load_shedding import send_overloaded
from transport.mutation_state import mark_mutation_started
from transport.negotiation import GRAPHQL_RESPONSE_JSON, JSON, chosen_media_type
from transport.refusal_pacing import RefusalPacer
from transport.request_params import BodyLimits, GraphQLParams, declared_variables, names_parameter, parse_params
from transport.responses import JSONBytesResponse, WithHeaders, refusal_response, response

__all__ = ["GraphQLEndpoint", "PathMount"]

# Responses with more errors than this are written in a thread, outside the event loop.
_MANY_ERRORS = 200
# The price of parsing and validating a document, per character: 2,000 characters can take 40 ms, and a point is 20 µs.
_POINTS_PER_CHARACTER = 1
# Codes of refusals that are sent at a bounded rate: they are not cheap, since their requests have been authenticated and read.
_PACED_CODES = frozenset({"OVERLOADED", "COST_BUDGET_EXCEEDED", "QUERY_TOO_COSTLY"})
# Limits of the values in a request's JSON. A class's marks for a term are a tenth of the first. The second also counts braces and commas in the
# document's text, so it cannot be much lower.
_MAX_VALUES = 40_000
_ANONYMOUS_MAX_VALUES = 2_000


class GraphQLEndpoint:
    """Answers GraphQL requests: parses and validates the request, applies the limits, runs the operation and writes the response.

    - `execute` runs operations of `schema`. `make_context(scope)` returns the context of a request, or raises a refusal; `close(context)` releases it.
    - `may_introspect(context)` decides who may query the schema. `suggest` enables "did you mean" in validation errors.
    - `admission` limits how many operations run at once, `expensive` those with a high cost.
    - `budget_of(operation)` returns the key of the budget in `budgets` that pays for an operation; None if it is free.
    - `flow_of(context)` identifies a client. Wherever requests wait, flows are served in turn; and parsing documents that are not cached is charged to
      the flow's budget.
    - Contexts for which `is_anonymous` is true have `anonymous_limits`. Requests without an Authorization header may have a body of up to
      `anonymous_max_body_bytes`, and half of `max_waiting_bytes`.
    - `max_waiting_bytes` limits the memory for the variables of all requests that are being answered.
    - `worker` runs CPU-bound work outside the event loop. Browsers that request a page are redirected to `explorer`.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        execute: Execute,
        make_context: Callable[[Scope], Awaitable[Any]],
        errors: ErrorWriter,
        *,
        limits: Limits,
        admission: Admission | None = None,
        anonymous_limits: Limits | None = None,
        is_anonymous: Callable[[Any], bool] = lambda _: False,
        worker: SerialWorker | None = None,
        close: Callable[[Any], None] = lambda _: None,
        max_body_bytes: int = 262_144,
        anonymous_max_body_bytes: int = 32_768,
        max_waiting_bytes: int = 64 << 20,
        may_introspect: Callable[[Any], bool] = lambda _: True,
        suggest: bool = True,
        explorer: str | None = None,
        budgets: CostBudgets | None = None,
        budget_of: Callable[[Operation], Hashable | None] = lambda _: None,
        flow_of: Callable[[Any], Hashable] = lambda _: None,
        expensive: ExpensiveOperations | None = None,
    ) -> None:
        self._schema = schema
        self._execute = execute
        self._make_context = make_context
        self._close = close
        self._errors = errors
        self._limits = limits
        self._admission = admission or Admission(25, 3.0)
        self._anonymous_limits = anonymous_limits or limits
        self._is_anonymous = is_anonymous
        self._body_limits = BodyLimits(max_body_bytes, _MAX_VALUES)
        self._anonymous_body_limits = BodyLimits(min(max_body_bytes, anonymous_max_body_bytes), _ANONYMOUS_MAX_VALUES)
        self._max_waiting_bytes = max_waiting_bytes
        self.waiting_bytes = 0
        self._may_introspect = may_introspect
        worker = worker or SerialWorker(name="documents")
        self._documents = Documents(schema, limits, anonymous_limits=anonymous_limits, worker=worker, suggest=suggest)
        self._introspection = Introspection(schema, worker, suggest=suggest)
        self._explorer = explorer
        self._budgets = budgets
        self._budget_of = budget_of
        self._flow_of = flow_of
        self._pacing = RefusalPacer()
        self._expensive = expensive or ExpensiveOperations(1, above=limits.cost, within=1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._explorer and _wants_a_page(scope):
            await RedirectResponse(self._explorer, 307, {"Vary": "Accept"})(scope, receive, send)
            return
        if self._admission.waiting and self._admission.refuses_early(provisional_flow(scope)):
            await send_overloaded(scope, receive, send)
            return
        answer = None
        async with DisconnectWatcher(scope) as watch:
            answer = await self._outcome(scope, receive, watch)
        if answer is not None:
            await answer(scope, receive, send)

    async def _outcome(self, scope: Scope, receive: Receive, watch: DisconnectWatcher) -> ASGIApp | None:
        """Returns the response to a request; None if the client has disconnected."""
        chosen = chosen_media_type(header(scope, b"accept"))
        # Also the media type of the refusal for a client that accepts none of ours.
        media_type = chosen or JSON
        try:
            if chosen is None:
                raise Refusal("NOT_ACCEPTABLE", f"Answers are {GRAPHQL_RESPONSE_JSON} or {JSON}.")
            return await self._respond(scope, receive, watch, media_type)
        except asyncio.CancelledError:
            working = asyncio.current_task()
            if working is None or working.cancelling():
                raise
            # Something in the operation cancelled it. The client is still connected, and the server isn't shutting down.
            error = asyncio.CancelledError("the operation was cancelled from within")
            return self._failed(error, media_type, scope)
        except ClientDisconnect:
            return None
        except Refusal as refusal:
            if refusal.code in _PACED_CODES and not isinstance(refusal, QueueFullError):
                # The traceback would keep the request in memory meanwhile.
                refusal.__traceback__ = None
                await self._pacing.hold()
            return refusal_response(refusal, media_type)
        except InvalidDocumentError as invalid:
            # Its frames hold the request, and it.
            invalid.__traceback__ = None
            written = self._errors.write_all(invalid.errors, _request_id(scope), code=invalid.code)
            return response({"errors": written}, media_type, 200 if media_type == JSON else 400)
        except Exception as error:  # noqa: BLE001 - any error is answered in JSON, and unexpected ones are logged
            return self._failed(error, media_type, scope)

    async def _respond(self, scope: Scope, receive: Receive, watch: DisconnectWatcher, media_type: str) -> ASGIApp:
        anonymous = header(scope, b"authorization") is None
        params = await parse_params(scope, receive, self._anonymous_body_limits if anonymous else self._body_limits)
        watch.begin()
        kept = params.memory
        if self.waiting_bytes + kept > (self._max_waiting_bytes // 2 if anonymous else self._max_waiting_bytes):
            raise Refusal("OVERLOADED", "Too many large requests are being answered at once. Try again in a moment.", retryAfter=1)
        self.waiting_bytes += kept
        try:
            context = await self._make_context(scope)
            try:
                operation, introspects = await self._operation(scope["method"], params, context)
                # The operation may wait for up to a minute. Release what it doesn't need: the document's text, and variables that it doesn't declare.
                del params
                if not operation.variables:
                    self.waiting_bytes -= kept
                    kept = 0
                return await self._answered(scope, operation, introspects, media_type)
            finally:
                self._close(context)
        finally:
            self.waiting_bytes -= kept

    async def _answered(self, scope: Scope, operation: Operation, introspects: bool, media_type: str) -> ASGIApp:
        client, charge = self._charge(operation)
        try:
            if introspects:
                # Introspection runs no operation: its result is cached, or computed outside the event loop.
                result = await self._introspection(operation)
            elif operation.cost <= self._expensive.above:
                result = await self._admitted(operation, scope)
            else:
                async with self._expensive.place(operation.flow):
                    result = await self._admitted(operation, scope)
        except Refusal as refusal:
            if charge is not None and self._budgets is not None and refusal.code == "OVERLOADED":
                self._budgets.refund(client, charge.cost)
            raise
        headers = [] if charge is None else charge.headers()
        if isinstance(result, bytes):
            return JSONBytesResponse(result, media_type, headers)
        return WithHeaders(await self._bounded(result, media_type, scope, is_mutation(operation.node)), headers)

    def _charge(self, operation: Operation) -> tuple[Hashable, Charge | None]:
        """Takes the operation's cost from its client's budget. Returns the budget's key and the charge, each None without a budget.

        Raises a COST_BUDGET_EXCEEDED refusal if the budget is too low.
        """
        if self._budgets is None:
            return None, None
        client = self._budget_of(operation)
        if client is None:
            return None, None
        return client, self._budgets.charge(client, operation.cost)

    async def _admitted(self, operation: Operation, scope: Scope) -> ExecutionResult | bytes:
        """Runs an operation once it is admitted."""
        if not self._admission.take():
            await self._admission.wait(operation.flow, provisional_flow(scope))
        if is_mutation(operation.node):
            mark_mutation_started(scope)
        try:
            return await self._execute(operation)
        finally:
            self._admission.leave()

    async def _operation(self, method: str, params: GraphQLParams, context: Any) -> tuple[Operation, bool]:
        """Returns the operation to run, and whether it selects the schema. Raises a refusal if it may not run, and InvalidDocumentError."""
        anonymous = self._is_anonymous(context)
        flow = self._flow_of(context)
        document = self._documents.find(params.query, anonymous=anonymous)
        if document is None:
            document = await self._read(params.query, flow, anonymous=anonymous)
        node = document.operation(params.operation_name)
        if method == "GET" and is_mutation(node):
            raise Refusal("METHOD_NOT_ALLOWED", "Send mutations by POST.", allow="POST")
        introspects = False
        if document.introspects:
            if not self._may_introspect(context):
                raise Refusal("INTROSPECTION_DISABLED", "Only administrators may query the schema.")
            introspects = selects_schema(document, node)
        # Anonymous clients that may query the schema may query all of it: its result is computed once for everybody.
        limits = self._anonymous_limits if anonymous and not introspects else self._limits
        variables = declared_variables(node, params.variables)
        cost = check_cost(self._schema, document.node, node, variables, limits, document.costs)
        return Operation(document, node, variables, context, cost, flow), introspects

    async def _read(self, text: str, flow: Hashable, *, anonymous: bool) -> Document:
        """Parses and validates a document that is not cached. Its client pays for that, valid or not, unless the document is refused unread."""
        self._documents.check_length(text, anonymous=anonymous)
        points = len(text) * _POINTS_PER_CHARACTER
        budgets = None if flow is None else self._budgets
        if budgets is not None:
            budgets.charge(flow, points)
        try:
            return await self._documents.load(text, flow=flow, anonymous=anonymous)
        except Refusal as refusal:
            if budgets is not None and refusal.code == "OVERLOADED":
                budgets.refund(flow, points)
            raise

    async def _bounded(self, result: ExecutionResult, media_type: str, scope: Scope, runs_mutation: bool) -> Response:
        """Returns the response to an operation with errors.

        Raises ResponseTooLargeError, except after a mutation that has run: its response says that the result was omitted.
        """
        many = len(result.errors or ()) > _MANY_ERRORS
        make = self._mutation_answer if runs_mutation and _began(result) else self._answer
        return await asyncio.to_thread(make, result, media_type, scope) if many else make(result, media_type, scope)

    def _answer(self, result: ExecutionResult, media_type: str, scope: Scope) -> Response:
        written = self._errors.write_all(result.errors or (), _request_id(scope))
        if not _began(result):
            answer = response({"errors": written}, media_type, 200 if media_type == JSON else 400)
        else:
            answer = response(({"errors": written} if written else {}) | {"data": result.data}, media_type)
        if len(answer.body) > self._limits.answer_bytes:
            raise ResponseTooLargeError(self._limits.answer_bytes)
        return answer

    def _mutation_answer(self, result: ExecutionResult, media_type: str, scope: Scope) -> Response:
        """Returns the response to a mutation that has run: complete, or only its errors, or only that it has run; the first of these that fits."""
        written = self._errors.write_all(result.errors or (), _request_id(scope))
        omitted = ResponseOmittedError(self._limits.answer_bytes)
        error = {"message": omitted.message, "extensions": omitted.extensions}
        whole: dict[str, Any] = ({"errors": written} if written else {}) | {"data": result.data}
        for body in (whole, {"errors": [*written, error], "data": None}):
            answer = response(body, media_type)
            if len(answer.body) <= self._limits.answer_bytes:
                return answer
        return response({"errors": [error], "data": None}, media_type)

    def _failed(self, error: BaseException, media_type: str, scope: Scope) -> ASGIApp:
        refusal = self._errors.refusal(error)
        if refusal is None:
            return response({"errors": [self._errors.mask(error, _request_id(scope))]}, media_type, 500)
        return refusal_response(refusal, media_type)


class PathMount:
    """Passes requests for one path to `endpoint`, and all others to `app`, without going through the routes."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self._endpoint if scope["type"] == "http" and scope["path"] == self._path else self._app
        await app(scope, receive, send)


def _wants_a_page(scope: Scope) -> bool:
    return scope["method"] == "GET" and "text/html" in (header(scope, b"accept") or "") and not names_parameter(scope, b"query")


def _began(result: ExecutionResult) -> bool:
    """Returns whether the operation was executed, so that the response has `data`, even null. It is not if its variables can't be coerced."""
    return not result.errors or result.data is not None or any(each.path for each in result.errors)


def _request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id", ""))
