"""Parses the GraphQL parameters of an HTTP request, and refuses malformed requests."""

from typing import Any, NamedTuple

import orjson
from graphql import OperationDefinitionNode
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope

from execution.errors import Refusal
from transport.headers import header
from transport.negotiation import JSON, is_json

__all__ = ["BodyLimits", "GraphQLParams", "declared_variables", "names_parameter", "parse_params", "read_body"]

# The limit of parameters in a URL. They are counted before they are parsed: 64 KiB can hold 30,000.
_MAX_URL_PARAMETERS = 20
# The approximate memory that a JSON value takes in addition to its text: `[]` is 2 bytes of JSON, and 64 bytes as a list.
_VALUE_BYTES = 100
_PARAMETERS = ("query", "variables", "operationName", "extensions")
_NO_QUERY = "`query` must be a GraphQL document."


class BodyLimits(NamedTuple):
    """Limits of a request's JSON, checked before it is parsed: `size` in bytes, and the number of `values`."""

    size: int
    values: int


class GraphQLParams(NamedTuple):
    """Holds the parameters of a well-formed request. `query` has not been parsed yet. `memory` is the approximate size of all of it in bytes."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    memory: int


def declared_variables(node: OperationDefinitionNode, given: dict[str, Any]) -> dict[str, Any]:
    """Returns those of the given variables that the operation declares. Others are ignored, and need not be kept while the operation waits."""
    if not given:
        return given
    declared = [each.variable.name.value for each in node.variable_definitions or ()]
    # Clients nearly always send exactly the declared ones.
    return given if given.keys() == set(declared) else {name: given[name] for name in declared if name in given}


def names_parameter(scope: Scope, name: bytes) -> bool:
    """Returns whether the URL has a query parameter of this name."""
    return any(each.partition(b"=")[0] == name for each in scope.get("query_string", b"").split(b"&", _MAX_URL_PARAMETERS))


async def parse_params(scope: Scope, receive: Receive, limits: BodyLimits) -> GraphQLParams:
    """Returns the parameters of a request. Raises a refusal that lists all problems with them; ClientDisconnect if the client has disconnected.

    A body must be `application/json`, which browsers send from another origin only after a CORS preflight. Unknown parameters are ignored. If a name
    occurs twice in a JSON object, the last one counts, as in most JSON parsers; in a URL it is refused.
    """
    method = scope["method"]
    if method == "GET":
        return _from_address(scope, limits)
    if method != "POST":
        raise Refusal("METHOD_NOT_ALLOWED", "Use GET or POST.", allow="GET, POST")
    if not is_json(header(scope, b"content-type")):
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", f"Send the request as {JSON}, in UTF-8.")
    encoding = header(scope, b"content-encoding")
    if encoding and encoding.strip().lower() != "identity":
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", "Send the request without a content encoding.")
    body = await read_body(scope, receive, limits.size)
    values = _count_values(body, limits)
    given = _json(body, "The body")
    if isinstance(given, list):
        raise Refusal("BATCHING_NOT_SUPPORTED", "Send one operation per request.")
    return _checked(given, len(body) + values * _VALUE_BYTES)


def _from_address(scope: Scope, limits: BodyLimits) -> GraphQLParams:
    address = scope.get("query_string", b"")
    if len(address) > limits.size:
        raise Refusal("URL_TOO_LONG", f"The URL's query is longer than {limits.size} bytes. Send the request by POST.", limit=limits.size)
    if address.count(b"&") >= _MAX_URL_PARAMETERS:
        raise Refusal("INVALID_REQUEST", f"The URL has more than {_MAX_URL_PARAMETERS} parameters.")
    given: dict[str, Any] = {}
    values = 0
    for name, value in QueryParams(address).multi_items():
        if name in given and name in _PARAMETERS:
            raise Refusal("INVALID_REQUEST", f"The URL has the parameter `{name}` twice. Send it once.")
        given[name] = value or None
    for name in ("variables", "extensions"):
        if given.get(name) is not None:
            text = given[name].encode()
            values += _count_values(text, limits)
            given[name] = _json(text, f"`{name}`")
    return _checked(given, len(address) + values * _VALUE_BYTES)


def _count_values(text: bytes, limits: BodyLimits) -> int:
    """Returns an upper bound of the number of values in a JSON text, as fast as copying it. Raises a BODY_TOO_LARGE refusal if it is too high."""
    values = len(text) - len(text.translate(None, b"[{,"))
    if values > limits.values:
        message = f"The request has more than {limits.values} lists, objects and items. Split it into several requests."
        raise Refusal("BODY_TOO_LARGE", message, limit=limits.values)
    return values


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """Returns a request's body. Raises a BODY_TOO_LARGE refusal as soon as it exceeds `max_bytes`; ClientDisconnect if the client disconnects."""
    announced = header(scope, b"content-length") or "0"
    if announced.isdigit() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    body = b""
    chunks: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body = message.get("body", b"")
        size += len(body)
        if size > max_bytes:
            raise _too_large(max_bytes)
        chunks.append(body)
        more = message.get("more_body", False)
    return body if len(chunks) == 1 else b"".join(chunks)


def _too_large(max_bytes: int) -> Refusal:
    return Refusal("BODY_TOO_LARGE", f"The body is larger than {max_bytes} bytes.", limit=max_bytes)


def _json(text: bytes, what: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise Refusal("INVALID_JSON", f"{what} is not JSON in UTF-8.") from None


def _checked(given: Any, memory: int) -> GraphQLParams:
    if not isinstance(given, dict):
        raise Refusal("INVALID_REQUEST", "The body must be a JSON object with `query`.")
    query, variables, name, extensions = map(given.get, _PARAMETERS)
    if type(query) is str and type(variables) is dict and name is None and extensions is None and query and not query.isspace():
        # The fast path: nearly every client sends this.
        return GraphQLParams(query, variables, None, memory)
    problems = []
    if not isinstance(query, str) or not query.strip():
        problems.append(_NO_QUERY)
    if variables is not None and not isinstance(variables, dict):
        problems.append("`variables` must be an object.")
    if name is not None and not isinstance(name, str):
        problems.append("`operationName` must be a string.")
    if extensions is not None and not isinstance(extensions, dict):
        problems.append("`extensions` must be an object.")
    if problems == [_NO_QUERY] and not query and extensions and extensions.get("persistedQuery") is not None:
        # Apollo's and urql's clients look for this message and code: they send the document then, and stop sending its hash alone.
        raise Refusal("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
    if problems:
        raise Refusal("INVALID_REQUEST", " ".join(problems), problems=problems)
    return GraphQLParams(str(query), variables or {}, name or None, memory)
