"""From an HTTP request to what it asks: the parameters of GraphQL over HTTP, well-formed or refused."""

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

# Names in an address. They are counted before it is taken apart: in 64 KiB there is room for 30,000.
_MAX_ADDRESS_PARAMETERS = 20
# What a value takes in memory beside its text, roughly: `[]` is 2 bytes of JSON, and 64 as a list.
_VALUE_BYTES = 100
_PARAMETERS = ("query", "variables", "operationName", "extensions")
_NO_QUERY = "`query` must be a GraphQL document."


class BodyLimits(NamedTuple):
    """Limits of a request's JSON, checked before it is parsed: its bytes, and how many values it holds."""

    size: int
    values: int


class GraphQLParams(NamedTuple):
    """A well-formed request. `query` is any text yet. `memory`: what it takes, in bytes, roughly."""

    query: str
    variables: dict[str, Any]
    operation_name: str | None
    memory: int


def declared_variables(node: OperationDefinitionNode, given: dict[str, Any]) -> dict[str, Any]:
    """Returns the variables that the operation declares. Others may be there, and have no meaning; they are not kept while it waits."""
    if not given:
        return given
    declared = [each.variable.name.value for each in node.variable_definitions or ()]
    # Nearly always exactly these are given.
    return given if given.keys() == set(declared) else {name: given[name] for name in declared if name in given}


def names_parameter(scope: Scope, name: bytes) -> bool:
    """Whether the address has a parameter of this name."""
    return any(each.partition(b"=")[0] == name for each in scope.get("query_string", b"").split(b"&", _MAX_ADDRESS_PARAMETERS))


async def parse_params(scope: Scope, receive: Receive, limits: BodyLimits) -> GraphQLParams:
    """The parameters of a request. Raises a refusal that names everything that is wrong with them; ClientDisconnect when nobody is there.

    Only `application/json` is a body: a browser asks the server before it sends that from another site. Parameters of other names are
    ignored. Of a name that is twice in a JSON object the last one counts, as in most readers of JSON; in an address it is refused.
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
        raise Refusal("URL_TOO_LONG", f"The parameters in the address are longer than {limits.size} bytes.", limit=limits.size)
    if address.count(b"&") >= _MAX_ADDRESS_PARAMETERS:
        raise Refusal("INVALID_REQUEST", f"The address has more than {_MAX_ADDRESS_PARAMETERS} parameters.")
    given: dict[str, Any] = {}
    values = 0
    for name, value in QueryParams(address).multi_items():
        if name in given and name in _PARAMETERS:
            raise Refusal("INVALID_REQUEST", f"`{name}` is there twice.")
        given[name] = value or None
    for name in ("variables", "extensions"):
        if given.get(name) is not None:
            text = given[name].encode()
            values += _count_values(text, limits)
            given[name] = _json(text, f"`{name}`")
    return _checked(given, len(address) + values * _VALUE_BYTES)


def _count_values(text: bytes, limits: BodyLimits) -> int:
    """Returns an upper bound of the values in a JSON text, at the speed of a copy. Raises a BODY_TOO_LARGE refusal when it is too high."""
    values = len(text) - len(text.translate(None, b"[{,"))
    if values > limits.values:
        message = f"The request has more than {limits.values} lists, objects and items. Send it in parts."
        raise Refusal("BODY_TOO_LARGE", message, limit=limits.values)
    return values


async def read_body(scope: Scope, receive: Receive, max_bytes: int) -> bytes:
    """The body. Raises a BODY_TOO_LARGE refusal as soon as it is; ClientDisconnect when nobody is there."""
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
        # What nearly every client sends.
        return GraphQLParams(query, variables, None, memory)
    problems = []
    if not isinstance(query, str) or not query.strip():
        problems.append(_NO_QUERY)
    if variables is not None and not isinstance(variables, dict):
        problems.append("`variables` must be an object.")
    if name is not None and not isinstance(name, str):
        problems.append("`operationName` must be a text.")
    if extensions is not None and not isinstance(extensions, dict):
        problems.append("`extensions` must be an object.")
    if problems == [_NO_QUERY] and not query and extensions and extensions.get("persistedQuery") is not None:
        # The message and the code are those that Apollo's and urql's clients look for: they send the document, and ask no more.
        raise Refusal("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
    if problems:
        raise Refusal("INVALID_REQUEST", " ".join(problems), problems=problems)
    return GraphQLParams(str(query), variables or {}, name or None, memory)
