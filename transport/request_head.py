"""Checks the head of a request: its size, its Host header and its headers for upgrades."""

from collections.abc import Sequence

import httptools

from transport.connections import ConnectionLimits
from transport.http_errors import HTTPError, is_host

__all__ = [
    "MAX_HEADERS",
    "NOT_HTTP",
    "ORDINARY_HEAD_BYTES",
    "TOO_MANY_HEADERS",
    "check_head",
    "check_size",
    "check_upgrade",
    "headers_too_large",
    "split_target",
    "url_too_long",
    "without_upgrade",
]

Headers = Sequence[tuple[bytes, bytes]]

# 64 KiB could hold 16,000 headers, and would take thirty times as much memory.
MAX_HEADERS = 100
# Headers with lists as values, which are parsed item by item after all those of one name have been joined. Clients send less than 300 bytes of each.
_LISTS = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"access-control-request-headers",
        b"connection",
        b"content-type",
        b"if-none-match",
        b"range",
        b"stripe-signature",
        b"x-forwarded-for",
        b"x-forwarded-proto",
    }
)
_MAX_LIST_BYTES = 2_048
# A head shorter than this cannot have a list that is too long.
ORDINARY_HEAD_BYTES = 2_048
_VERSIONS = frozenset({"1.0", "1.1"})
_UPGRADE_HEADERS = frozenset({b"upgrade", b"http2-settings"})

NOT_HTTP = HTTPError(400, "NOT_HTTP", "This is not a valid HTTP/1.1 request.")
TOO_MANY_HEADERS = HTTPError(431, "HEADERS_TOO_LARGE", f"There are more than {MAX_HEADERS} headers.")
_NOT_ONE_HOST = HTTPError(400, "HOST_NOT_VALID", "Send exactly one Host header, with a host name or an address.")
_NO_PROXY = HTTPError(405, "METHOD_NOT_ALLOWED", "This server is not a proxy. Use GET, HEAD or POST.", ((b"allow", b"GET, HEAD, POST"),))
_NO_WEBSOCKETS = HTTPError(400, "UPGRADE_NOT_SUPPORTED", "WebSockets are not supported. Send the request over HTTP.")


def headers_too_large(limits: ConnectionLimits) -> HTTPError:
    return HTTPError(431, "HEADERS_TOO_LARGE", f"The headers or trailers are larger than {limits.header_bytes} bytes.")


def url_too_long(limits: ConnectionLimits) -> HTTPError:
    return HTTPError(414, "URL_TOO_LONG", f"The URL is longer than {limits.url_bytes} bytes. Send the request by POST.")


def check_size(url: bytes, headers: Headers, limits: ConnectionLimits) -> None:
    """Raises HTTPError if the URL, the headers together or one of the list headers are too long."""
    if len(url) > limits.url_bytes:
        raise url_too_long(limits)
    if sum(len(name) + len(value) + 4 for name, value in headers) > limits.header_bytes:
        raise headers_too_large(limits)
    lists: dict[bytes, int] = {}
    for name, value in headers:
        if name in _LISTS:
            lists[name] = lists.get(name, 0) + len(value)
            if lists[name] > _MAX_LIST_BYTES:
                message = f"The {name.decode().title()} header is longer than {_MAX_LIST_BYTES} bytes."
                raise HTTPError(431, "HEADERS_TOO_LARGE", message)


def check_head(version: str, headers: Headers, hosts: Sequence[bytes]) -> None:
    """Raises HTTPError for too many headers, an unsupported version, or a missing, repeated or invalid Host header. `hosts` are its values."""
    if len(headers) > MAX_HEADERS:
        raise TOO_MANY_HEADERS
    if version not in _VERSIONS:
        raise NOT_HTTP
    if (len(hosts) != 1 or not is_host(hosts[0])) and (hosts or version == "1.1"):
        raise _NOT_ONE_HOST


def check_upgrade(method: bytes, headers: Headers) -> None:
    """Raises HTTPError for a request for another protocol that can't be ignored: CONNECT, and WebSockets."""
    if method == b"CONNECT":
        raise _NO_PROXY
    if any(name == b"upgrade" and b"websocket" in value.lower() for name, value in headers):
        raise _NO_WEBSOCKETS


def without_upgrade(method: bytes, url: bytes, version: str, headers: Headers) -> bytes:
    """Returns a request's head without its Upgrade header, which a server may ignore (RFC 9110, 7.8).

    The other options of the Connection header stay, since `close` ends the connection.
    """
    lines = []
    for name, value in headers:
        if name == b"connection":
            options = [each.strip() for each in value.split(b",")]
            lines += [b"connection: " + each for each in options if each.lower() not in _UPGRADE_HEADERS]
        elif name not in _UPGRADE_HEADERS:
            lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join([b"%s %s HTTP/%s" % (method, url, version.encode()), *lines, b"", b""])


def split_target(url: bytes) -> tuple[bytes, bytes]:
    """Returns the path and the query of a request's target. Unlike httptools, it has no limit of 65,535 bytes for targets that begin with "/"."""
    if url.startswith(b"/"):
        path, _, query = url.partition(b"#")[0].partition(b"?")
        return path, query
    # An absolute URL, as sent to proxies, or the `*` of OPTIONS.
    parsed = httptools.parse_url(url)
    return parsed.path or b"/", parsed.query or b""
