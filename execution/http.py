"""GraphQL over HTTP, as the specification of that name says: one ASGI application for `/graphql`.

Every refusal is a JSON body with a code, whatever the client asked for. A client that goes away has its operation cancelled, and with it the SQL.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import ExecutionResult, GraphQLError, GraphQLSchema, OperationDefinitionNode, execute
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from execution.documents import Document, Documents, InvalidDocumentError, is_mutation
from execution.errors import ErrorWriter, Refusal
from execution.limits import Limits, check_cost
from execution.negotiation import JSON, chosen_media_type, is_json

__all__ = ["GraphQLEndpoint", "refusal_response"]

_NEW = "application/graphql-response+json"
# Codes of refusals that are about the request as a whole, not about its GraphQL.
_STATUS = {
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "METHOD_NOT_ALLOWED": 405,
    "NOT_ACCEPTABLE": 406,
    "BODY_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "RATE_LIMITED": 429,
    "POOL_TIMEOUT": 503,
    "DATABASE_UNAVAILABLE": 503,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    query: str
    variables: dict[str, Any]
    operation_name: str | None


class GraphQLEndpoint:
    """The endpoint. `make_context(request)` gives the context of a request; it may raise a refusal.

    `may_introspect(context)` says who may ask for the schema. `executor_class` is graphql-core's executor or one derived from it.
    A browser that asks for a page is sent to `explorer`.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        make_context: Callable[[Request], Awaitable[Any]],
        errors: ErrorWriter,
        *,
        limits: Limits,
        max_body_bytes: int = 262_144,
        may_introspect: Callable[[Any], bool] = lambda _: True,
        suggest: bool = True,
        executor_class: Any = None,
        is_awaitable: Any = None,
        explorer: str | None = None,
    ) -> None:
        self._schema = schema
        self._make_context = make_context
        self._errors = errors
        self._limits = limits
        self._max_body_bytes = max_body_bytes
        self._may_introspect = may_introspect
        self._documents = Documents(schema, limits, suggest=suggest)
        self._executor_class = executor_class
        self._is_awaitable = is_awaitable
        self._explorer = explorer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if (
            self._explorer
            and request.method == "GET"
            and "query" not in request.query_params
            and "text/html" in request.headers.get("accept", "")
        ):
            await RedirectResponse(self._explorer, 307)(scope, receive, send)
            return
        body_read = asyncio.Event()
        working = asyncio.ensure_future(self._respond(request, body_read))
        leaving = asyncio.ensure_future(_cancel_when_left(receive, body_read, working))
        try:
            response = await working
        except asyncio.CancelledError:
            if leaving.done() and not leaving.cancelled():
                return  # nobody is there to be answered
            working.cancel()
            raise
        finally:
            leaving.cancel()
        await response(scope, receive, send)

    async def _respond(self, request: Request, body_read: asyncio.Event) -> Response:
        request_id = request.scope.get("state", {}).get("request_id", "")
        media_type = chosen_media_type(request.headers.get("accept"))
        try:
            if media_type is None:
                raise Refusal("NOT_ACCEPTABLE", f"Answers are {_NEW} or {JSON}.")
            asked = await self._read(request)
            body_read.set()
            context = await self._make_context(request)
            document = self._documents.read(asked.query)
            operation = document.operation(asked.operation_name)
            self._check(request, document, operation, asked, context)
        except InvalidDocumentError as invalid:
            written = [self._errors.write(each, request_id, code=invalid.code) for each in invalid.errors]
            return _response({"errors": written}, media_type or JSON, 400)
        except Exception as error:  # noqa: BLE001 - whatever it is, the client gets JSON, and the log gets what nobody foresaw
            return self._refused(error, media_type or JSON, request_id)
        result = execute(
            self._schema,
            document.node,
            context_value=context,
            variable_values=asked.variables,
            operation_name=asked.operation_name,
            executor_class=self._executor_class,
            is_awaitable=self._is_awaitable,
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        return self._answer(result, media_type or JSON, request_id)

    def _check(self, request: Request, document: Document, operation: OperationDefinitionNode, asked: _Asked, context: Any) -> None:
        if request.method == "GET" and is_mutation(operation):
            raise Refusal("METHOD_NOT_ALLOWED", "A mutation is sent by POST.", allow="POST")
        if document.introspects and not self._may_introspect(context):
            raise Refusal("INTROSPECTION_DISABLED", "The schema is shown to administrators only.")
        check_cost(self._schema, document.node, operation, asked.variables, self._limits)

    def _answer(self, result: ExecutionResult, media_type: str, request_id: str) -> Response:
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = self._errors.write_all(result.errors, request_id)
        # A request that could not begin (its variables do not fit) has no `data`; one that began has, even when it is null.
        began = result.data is not None or any(each.path for each in result.errors or ())
        if began:
            body["data"] = result.data
        return _response(body, media_type, 200 if began else 400)

    def _refused(self, error: Exception, media_type: str, request_id: str) -> Response:
        refusal = self._errors.refusal(error)
        if refusal is None:
            written = self._errors.write(GraphQLError(str(error), original_error=error), request_id)
            return _response({"errors": [written]}, media_type, 500, always=True)
        return refusal_response(refusal, media_type)

    async def _read(self, request: Request) -> _Asked:
        """The parameters of a request. Raises a refusal that names everything that is wrong with them."""
        if request.method == "GET":
            given: dict[str, Any] = dict(request.query_params)
            for name in ("variables", "extensions"):
                if given.get(name):
                    given[name] = _json(given[name].encode(), f"`{name}`")
        elif request.method == "POST":
            if not is_json(request.headers.get("content-type")):
                raise Refusal("UNSUPPORTED_MEDIA_TYPE", f"Send the request as {JSON}, in UTF-8.")
            given = _json(await self._body(request), "The body")
            if isinstance(given, list):
                raise Refusal("BATCHING_NOT_SUPPORTED", "Send one operation per request.")
        else:
            raise Refusal("METHOD_NOT_ALLOWED", "Use GET or POST.", allow="GET, POST")
        return _asked(given)

    async def _body(self, request: Request) -> bytes:
        announced = request.headers.get("content-length", "0")
        size = 0
        chunks = []
        too_large = Refusal("BODY_TOO_LARGE", f"The body is larger than {self._max_body_bytes} bytes.", limit=self._max_body_bytes)
        if announced.isdigit() and int(announced) > self._max_body_bytes:
            raise too_large
        async for chunk in request.stream():
            size += len(chunk)
            if size > self._max_body_bytes:
                raise too_large
            chunks.append(chunk)
        return b"".join(chunks)


async def _cancel_when_left(receive: Receive, body_read: asyncio.Event, working: "asyncio.Future[Response]") -> None:
    """Once the body is read, what comes next can only be the news that the client has gone."""
    await body_read.wait()
    while (await receive())["type"] != "http.disconnect":
        pass
    working.cancel()


def refusal_response(refusal: Refusal, media_type: str = JSON) -> Response:
    """A refusal of a whole request as an answer."""
    extensions = dict(refusal.extensions)
    allow = extensions.pop("allow", None)
    status = _STATUS.get(refusal.code, 400)
    headers = {}
    if allow:
        headers["Allow"] = str(allow)
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="rollcall"'
    if "retryAfter" in extensions or status == 503:
        headers["Retry-After"] = str(extensions.get("retryAfter", 1))
    body = {"errors": [{"message": refusal.message, "extensions": extensions}]}
    # What is wrong with the GraphQL of a well-formed request is a 200 in the older media type; what is wrong with the request is not.
    return _response(body, media_type, status, headers=headers, always=refusal.code in _STATUS or refusal.code in _MALFORMED)


_MALFORMED = frozenset({"INVALID_JSON", "INVALID_REQUEST", "BATCHING_NOT_SUPPORTED"})


def _response(
    body: Mapping[str, Any], media_type: str, status: int, *, headers: dict[str, str] | None = None, always: bool = False
) -> Response:
    if media_type == JSON and not always:
        status = 200
    content_type = f"{media_type}; charset=utf-8"
    return Response(orjson.dumps(body), status, {"Vary": "Accept", "Cache-Control": "no-store", **(headers or {})}, content_type)


def _json(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refusal("INVALID_JSON", f"{what} is not JSON in UTF-8.") from None


def _asked(given: Any) -> _Asked:
    if not isinstance(given, dict):
        raise Refusal("INVALID_REQUEST", "The body must be a JSON object with `query`.")
    query, variables, name, extensions = (given.get(key) for key in ("query", "variables", "operationName", "extensions"))
    problems = []
    if not isinstance(query, str) or not query.strip():
        problems.append("`query` must be a GraphQL document.")
    if variables is not None and variables != "" and not isinstance(variables, dict):
        problems.append("`variables` must be an object.")
    if name is not None and not isinstance(name, str):
        problems.append("`operationName` must be a text.")
    if extensions is not None and extensions != "" and not isinstance(extensions, dict):
        problems.append("`extensions` must be an object.")
    if problems:
        raise Refusal("INVALID_REQUEST", " ".join(problems), problems=problems)
    return _Asked(str(query), variables or {}, name or None)
