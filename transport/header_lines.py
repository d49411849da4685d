"""Serialises response headers. Most are the same in every response, so their lines are built once."""

from collections.abc import Iterable, Sequence

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE

from transport.headers import SECURITY_HEADERS

__all__ = ["default_lines", "header_lines", "keep_lines"]

Header = tuple[bytes, bytes]

# The serialised lines of headers that many responses have.
_LINES: dict[Header, bytes] = {}
# Headers that decide how uvicorn frames a response.
_DECISIVE = frozenset({b"connection", b"transfer-encoding"})


def keep_lines(headers: Iterable[Header]) -> None:
    """Builds and keeps the lines of headers that are the same in many responses. Names are in lower case."""
    for name, value in headers:
        _LINES[name, value] = _line(name, value)


def _line(name: bytes, value: bytes) -> bytes:
    """Returns the line of one header. Raises RuntimeError for an invalid name or value, as uvicorn does."""
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    return b"%b: %b\r\n" % (name.lower(), value)


def header_lines(headers: Iterable[Header], length: int) -> list[bytes] | None:
    """Returns the lines of a response's headers; None if they require other framing than a Content-Length of `length`.

    Raises RuntimeError for an invalid header.
    """
    lines = []
    for header in headers:
        line = _LINES.get(header)
        if line is None:
            name, value = header
            line = _line(name, value)
            if name == b"content-length":
                if value != b"%d" % length:
                    return None
            elif name in _DECISIVE:
                return None
        lines.append(line)
    return lines


class _DefaultLines:
    """Returns the lines of the headers that uvicorn adds to every response. It makes a new list each second, because of the Date header."""

    def __init__(self) -> None:
        self._headers: Sequence[Header] = ()
        self._lines = b""

    def __call__(self, headers: Sequence[Header]) -> bytes:
        if headers is not self._headers:
            self._lines = b"".join([_line(name, value) for name, value in headers])
            self._headers = headers
        return self._lines


default_lines = _DefaultLines()
keep_lines(SECURITY_HEADERS)
