"""GraphQL over HTTP, as the specification of that name says: one ASGI application for `/graphql`.

Every refusal is a JSON body with a code, whatever the client asked for. A client that goes away has its operation cancelled, and with it the SQL.
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

# More errors than this are written beside the event loop.
_MANY_ERRORS = 200
# What reading a document takes from its client's budget for each character: 2,000 can take 40 ms, and a point is 20 µs.
_POINTS_PER_CHARACTER = 1
# Refusals that are sent at a bounded rate: their clients have been authenticated and their requests read, so that they are not cheap.
_HELD_BACK = frozenset({"OVERLOADED", "COST_BUDGET_EXCEEDED", "QUERY_TOO_COSTLY"})
# Values in a request's JSON. Signed in: a class's marks for a term are a tenth of it. Without a token: a document has braces and commas too.
_MAX_VALUES = 40_000
_ANONYMOUS_MAX_VALUES = 2_000


class GraphQLEndpoint:
    """The endpoint. `make_context(scope)` gives the context of a request; it may raise a refusal. `close(context)` ends what it began.

    `execute` runs the operations of `schema`. `may_introspect(context)` says who may ask for the schema. `suggest`: tell clients the names that
    theirs resemble. `admission` bounds how many operations run at once, `expensive` those of a high cost. `budget_of(operation)` says which of the
    `budgets` pays for an operation; None: none does. `flow_of(context)` identifies a client: flows take turns wherever requests wait, and pay for
    reading documents that are not kept. A browser that asks for a page is sent to `explorer`. Contexts that are `is_anonymous` have
    `anonymous_limits`; what has no Authorization header has at most `anonymous_max_body_bytes`. `max_waiting_bytes` bounds what all requests that
    are being answered keep of what was sent; those without a token get half of it. What takes long and waits for nothing is done by `worker`.
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
        """The answer to a request; None when nobody is there to be answered."""
        chosen = chosen_media_type(header(scope, b"accept"))
        # What a refusal is written in, too, for a client that would take neither.
        media_type = chosen or JSON
        try:
            if chosen is None:
                raise Refusal("NOT_ACCEPTABLE", f"Answers are {GRAPHQL_RESPONSE_JSON} or {JSON}.")
            return await self._respond(scope, receive, watch, media_type)
        except asyncio.CancelledError:
            working = asyncio.current_task()
            if working is None or working.cancelling():
                raise
            # By something of its own: nobody has left, and the server goes on.
            error = asyncio.CancelledError("the operation was cancelled from within")
            return self._failed(error, media_type, scope)
        except ClientDisconnect:
            return None
        except Refusal as refusal:
            if refusal.code in _HELD_BACK and not isinstance(refusal, QueueFullError):
                # Nothing of the request is kept in memory meanwhile.
                refusal.__traceback__ = None
                await self._pacing.hold()
            return refusal_response(refusal, media_type)
        except InvalidDocumentError as invalid:
            written = [self._errors.write(each, _request_id(scope), code=invalid.code) for each in invalid.errors]
            return response({"errors": written}, media_type, 200 if media_type == JSON else 400)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets JSON, and the log gets what nobody foresaw
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
                # It may wait for a minute from here on. What it does not need goes now: the text, and variables that it does not declare.
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
                # What is asked about the schema runs no operation: its answer is kept, or computed beside the event loop.
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
        """Takes the operation's cost from its client's budget. Raises a COST_BUDGET_EXCEEDED refusal."""
        if self._budgets is None:
            return None, None
        client = self._budget_of(operation)
        if client is None:
            return None, None
        return client, self._budgets.charge(client, operation.cost)

    async def _admitted(self, operation: Operation, scope: Scope) -> ExecutionResult | bytes:
        """Runs an operation when there is room for it."""
        if not self._admission.take():
            await self._admission.wait(operation.flow, provisional_flow(scope))
        if is_mutation(operation.node):
            mark_mutation_started(scope)
        try:
            return await self._execute(operation)
        finally:
            self._admission.leave()

    async def _operation(self, method: str, params: GraphQLParams, context: Any) -> tuple[Operation, bool]:
        """What is asked for, when it may run, and whether it asks for the schema. Raises a refusal, or InvalidDocumentError."""
        anonymous = self._is_anonymous(context)
        flow = self._flow_of(context)
        document = self._documents.find(params.query, anonymous=anonymous)
        if document is None:
            document = await self._read(params.query, flow, anonymous=anonymous)
        node = document.operation(params.operation_name)
        if method == "GET" and is_mutation(node):
            raise Refusal("METHOD_NOT_ALLOWED", "A mutation is sent by POST.", allow="POST")
        introspects = False
        if document.introspects:
            if not self._may_introspect(context):
                raise Refusal("INTROSPECTION_DISABLED", "The schema is shown to administrators only.")
            introspects = selects_schema(document, node)
        # Where anonymous clients may ask for the schema they may ask for all of it: its answer is computed once for everybody.
        limits = self._anonymous_limits if anonymous and not introspects else self._limits
        variables = declared_variables(node, params.variables)
        cost = check_cost(self._schema, document.node, node, variables, limits, document.costs)
        return Operation(document, node, variables, context, cost, flow), introspects

    async def _read(self, text: str, flow: Hashable, *, anonymous: bool) -> Document:
        """Reads a document that is not kept. Its client pays for it, valid or not, unless it is refused unread."""
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
        """The answer to an operation, with its errors. Raises ResponseTooLargeError, but not for a mutation that has run: its client is told so."""
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
        """The answer to a mutation that has run: the whole, or its errors alone, or no more than that it has run, whichever fits first."""
        written = self._errors.write_all(result.errors or (), _request_id(scope))
        left_out = ResponseOmittedError(self._limits.answer_bytes)
        error = {"message": left_out.message, "extensions": left_out.extensions}
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
    """Middleware that answers a path itself, before the routes are looked through."""

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
    """Whether an operation began: it has `data`, even when it is null. One that could not (its variables do not fit) has none."""
    return not result.errors or result.data is not None or any(each.path for each in result.errors)


def _request_id(scope: Scope) -> str:
    return str(scope.get("state", {}).get("request_id", ""))
