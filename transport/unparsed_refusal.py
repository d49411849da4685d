"""Refuses ordinary requests from their bytes alone while the server is overloaded, without the parser.

Nine requests of ten are refused while five times as many arrive as can be answered, and parsing one takes as long as everything else that its
refusal needs. Only a whole request of the plainest form is refused here; whatever is unusual about one leaves it to the parser.
"""

from typing import Any

from transport.admission import Admission
from transport.early_refusal import early_refusal
from transport.headers import BY_NAME

__all__ = ["refuse_unparsed"]

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


def refuse_unparsed(admission: Admission, data: bytes, client: Any) -> bytes | None:
    """Returns the end of a 503, after a status line and the server's own headers; None for a request that may run, or is not plain.

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
    return early_refusal(admission, {"path": admission.path, "method": "POST", "client": client, BY_NAME: headers})
