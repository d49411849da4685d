"""Identifies the flow of a request before its viewer is authenticated: by its token, or else by the client's network."""

from collections.abc import Hashable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

from transport.headers import header

__all__ = ["network_of", "provisional_flow"]

# An IPv6 address has up to 45 characters, and may be followed by a zone.
_LONGEST_ADDRESS = 100


def provisional_flow(scope: Scope) -> Hashable:
    """Returns the flow of a request whose viewer is not known yet: a hash of its token, or else the client's network; None without either."""
    authorization = header(scope, b"authorization")
    if authorization is not None:
        # A hash, so that no token is kept in memory.
        return hash(authorization.strip().rpartition(" ")[2])
    return network_of(scope.get("client"))


def network_of(client: tuple[str, int] | None) -> Hashable:
    """Returns the network of a client's (address, port): the address itself for IPv4, its /64 for IPv6, where clients choose freely within a /64.

    Any other address, such as a Unix socket's, is its own network. Returns None for None.
    """
    return None if client is None else _network(client[0][:_LONGEST_ADDRESS])


@lru_cache(maxsize=4_000)
def _network(address: str) -> Hashable:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        parsed = parsed.ipv4_mapped or parsed
    return ip_network((parsed, 32 if parsed.version == 4 else 64), strict=False)
