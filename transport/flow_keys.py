"""Whose requests are whose, before anybody is authenticated: the flows that take turns."""

from collections.abc import Hashable
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.types import Scope

from transport.headers import header

__all__ = ["network_of", "provisional_flow"]

# An IPv6 address has 45 characters at most, and a zone behind them.
_LONGEST_ADDRESS = 100


def provisional_flow(scope: Scope) -> Hashable:
    """The flow of a request whose viewer is not known yet: its token, however the header is written, or else its client's network."""
    authorization = header(scope, b"authorization")
    if authorization is not None:
        # Only its hash: a token is not kept in memory.
        return hash(authorization.strip().rpartition(" ")[2])
    return network_of(scope.get("client"))


def network_of(client: tuple[str, int] | None) -> Hashable:
    """Returns the network of a client's (address, port): an IPv4 address, or the /64 of an IPv6 one, in which a household or an office can take any.

    An address that is neither, such as a Unix socket's, is its own network; None stays None.
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
