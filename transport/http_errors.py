"""Errors of the protocol itself, as bytes: what is answered before there is a request that an application could answer."""

import re
from collections.abc import Iterable
from functools import lru_cache

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from transport.headers import SECURITY_HEADERS

__all__ = ["TOO_MANY_CONNECTIONS", "HTTPError", "error_bytes", "error_response", "is_host"]

# RFC 9110, 7.2 and RFC 3986, 3.2.2: a name, an IPv4 address or an IPv6 one in brackets, and a port.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?")


class HTTPError(Exception):
    """A request that the protocol refuses."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


TOO_MANY_CONNECTIONS = HTTPError(503, "OVERLOADED", "There are too many connections. Try again later.")


def error_response(error: HTTPError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The headers and the body of an error. The connection ends with it."""
    body = orjson.dumps({"errors": [{"message": error.message, "extensions": {"code": error.code}}]})
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        *error.headers,
        *SECURITY_HEADERS,
        (b"connection", b"close"),
    ]
    if error.status == 503:
        headers.append((b"retry-after", b"1"))
    return headers, body


def error_bytes(error: HTTPError, default_headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """An error as it is sent."""
    headers, body = error_response(error)
    lines = b"".join(b"%s: %s\r\n" % each for each in (*default_headers, *headers))
    return b"%s%s\r\n%s" % (STATUS_LINE[error.status], lines, body)


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def is_host(value: bytes) -> bool:
    """Whether a Host header holds what it may. Clients send the same few again and again; long ones are not kept."""
    return _is_host(value) if len(value) <= 100 else _HOST.fullmatch(value) is not None
