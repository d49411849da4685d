"""Builds the responses to requests that fail below ASGI, so that the application cannot answer them."""

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
    """Refuses a request in the HTTP protocol, before it reaches the application."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers


TOO_MANY_CONNECTIONS = HTTPError(503, "OVERLOADED", "There are too many connections. Try again later.")


def error_response(error: HTTPError) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Returns the headers and the JSON body of an error's response, which is the last one on its connection."""
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
    """Returns the whole response to an error: status line, `default_headers` and the error's own headers, and body."""
    headers, body = error_response(error)
    lines = b"".join(b"%s: %s\r\n" % each for each in (*default_headers, *headers))
    return b"%s%s\r\n%s" % (STATUS_LINE[error.status], lines, body)


@lru_cache(maxsize=256)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def is_host(value: bytes) -> bool:
    """Returns whether a Host header is valid. Results are cached, since clients repeat the same few; those of long values are not."""
    return _is_host(value) if len(value) <= 100 else _HOST.fullmatch(value) is not None
