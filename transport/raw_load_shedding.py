"""Refuses ordinary requests from their bytes alone while the server is overloaded, without the parser.

Nine requests of ten are refused while five times as many arrive as can be answered, and parsing one takes as long as everything else that its
refusal needs. Only a whole request of the plainest form is refused here; whatever is unusual about one leaves it to the parser.
"""

from collections.abc import Hashable
from typing import Any

from transport.admission import Admission
from transport.flow_keys import provisional_flow
from transport.headers import BY_NAME
from transport.load_shedding import refusal_bytes

__all__ = ["PlainRequest"]

# Headers that change neither how a request is framed nor how it is refused. One that is not here (Transfer-Encoding, Expect, Upgrade, Origin, …)
# leaves the request to the parser.
_ORDINARY = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"connection",
        b"content-length",
        b"content-type",
        b"host",
        b"user-agent",
        b"x-request-id",
    }
)
_LONGEST_HEAD = 4_096


class PlainRequest:
    """The head of a plain request. A client that sends again sends the same one: a connection keeps it, and compares the next one with it."""

    __slots__ = ("_flow", "_head", "_length", "_scope")

    def __init__(self, head: bytes, length: int, scope: dict[str, Any]) -> None:
        self._head = head
        # Of the whole request, with its body.
        self._length = length
        self._scope = scope
        self._flow: Hashable = provisional_flow(scope)

    @classmethod
    def read(cls, admission: Admission, data: bytes, client: Any) -> "PlainRequest | None":
        """Returns the head of `data`, when it is one whole plain request for an operation; else None.

        `data` is what arrived on a connection that had no request under way, `client` its (address, port).
        """
        start = len(admission.request_line)
        end = data.find(b"\r\n\r\n", start - 2, _LONGEST_HEAD)
        if end < start or not data.startswith(admission.request_line):
            return None
        head = data[start:end]
        lines = head.split(b"\r\n")
        headers: dict[bytes, bytes] = {}
        for line in lines:
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip(b" \t")
        length = headers.get(b"content-length", b"")
        plain = (
            len(headers) == len(lines)
            and headers.keys() <= _ORDINARY
            and head.count(b"\n") == head.count(b"\r") == len(lines) - 1
            and b"host" in headers
            and headers.get(b"connection", b"keep-alive").lower() == b"keep-alive"
            and len(length) <= 7
            and length.isdigit()
            and end + 4 + int(length) == len(data)
        )
        if not plain:
            return None
        return cls(data[: end + 4], len(data), {"path": admission.path, "method": "POST", "client": client, BY_NAME: headers})

    def is_head_of(self, data: bytes) -> bool:
        """Whether `data` is one whole request with the very same head."""
        return len(data) == self._length and data.startswith(self._head)

    def refusal(self, admission: Admission) -> bytes | None:
        """Returns the end of a 503, after a status line and the server's own headers; None when the request may run."""
        return refusal_bytes(self._scope) if admission.refuses_unread(self._flow) else None
