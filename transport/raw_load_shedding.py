"""Refuses ordinary requests by their bytes while the server is overloaded, without running the HTTP parser.

When five times as many requests arrive as can be answered, nine of ten are refused, and parsing a request takes as long as everything else about its
refusal. Only complete requests of the plainest form are refused here; any unusual one is left to the parser.
"""

from collections.abc import Hashable
from typing import Any

from transport.admission import Admission
from transport.flow_keys import provisional_flow
from transport.headers import BY_NAME
from transport.load_shedding import refusal_bytes

__all__ = ["PlainRequest"]

# Headers that change neither the framing of a request nor how it is refused. A request with any other (Transfer-Encoding, Expect, Upgrade, Origin, …)
# is left to the parser.
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
    """Holds the head of a plain request. Clients retry with the same head, so a connection keeps it and compares the next request with it."""

    __slots__ = ("_flow", "_head", "_length", "_scope")

    def __init__(self, head: bytes, length: int, scope: dict[str, Any]) -> None:
        self._head = head
        # The length of the whole request, including its body.
        self._length = length
        self._scope = scope
        self._flow: Hashable = provisional_flow(scope)

    @classmethod
    def read(cls, admission: Admission, data: bytes, client: Any) -> "PlainRequest | None":
        """Parses `data`; returns None unless it is exactly one complete plain request to the GraphQL endpoint.

        `data` was received on a connection without a request in progress; `client` is that connection's (address, port).
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
        """Returns whether `data` is exactly one complete request with the same head."""
        return len(data) == self._length and data.startswith(self._head)

    def refusal(self, admission: Admission) -> bytes | None:
        """Returns the rest of a 503 response, after the status line and the server's default headers; None if the request may run."""
        return refusal_bytes(self._scope) if admission.refuses_unread(self._flow) else None
