"""The headers of an answer as they are sent, made with as little work as can be: most are the same in every answer."""

from collections.abc import Iterable, Sequence

from uvicorn.protocols.http.httptools_impl import HEADER_RE, HEADER_VALUE_RE

from transport.headers import SECURITY_HEADERS

__all__ = ["default_lines", "header_lines", "keep_lines"]

Header = tuple[bytes, bytes]

# By header: its line.
_LINES: dict[Header, bytes] = {}
# Headers by which uvicorn decides how an answer is sent.
_DECISIVE = frozenset({b"connection", b"transfer-encoding"})


def keep_lines(headers: Iterable[Header]) -> None:
    """Prepares the lines of headers that are the same in many answers. Names are in lower case."""
    for name, value in headers:
        _LINES[name, value] = _line(name, value)


def _line(name: bytes, value: bytes) -> bytes:
    """The line of one header. Raises RuntimeError for what can't be in one, as uvicorn does."""
    if HEADER_RE.search(name):
        raise RuntimeError("Invalid HTTP header name.")
    if HEADER_VALUE_RE.search(value):
        raise RuntimeError("Invalid HTTP header value.")
    return b"%b: %b\r\n" % (name.lower(), value)


def header_lines(headers: Iterable[Header], length: int) -> list[bytes] | None:
    """The lines of an answer's headers; None when they say more about how it is sent than that its body has this length.

    Raises RuntimeError for a header that can't be sent.
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
    """The lines of the headers that the server adds to every answer, among them the date: uvicorn makes a new list each second."""

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
