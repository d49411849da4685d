"""Represents the network address and user agent of a client."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["UNKNOWN_CLIENT", "Client"]

_LONGEST_USER_AGENT = 400
# An IPv6 address has at most 45 characters, and a zone index may follow.
_LONGEST_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Client:
    """The address and the User-Agent of a client, each None if unknown.

    Behind a proxy that is not in TRUSTED_PROXIES the address is the proxy's.
    """

    address: IPv4Address | IPv6Address | None = None
    user_agent: str | None = None

    @staticmethod
    def of(address: str | None, user_agent: str | None) -> "Client":
        """Returns the client with this peer address and User-Agent. An address that cannot be parsed (a Unix socket's) is unknown."""
        # Truncated before the cache, to bound its memory: a header can be long.
        return _client((address or "")[:_LONGEST_ADDRESS], user_agent and user_agent[:_LONGEST_USER_AGENT])

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        """The address range that one household has: an IPv4 address, or the /64 prefix of an IPv6 address."""
        if self.address is None:
            return None
        return ip_network((self.address, 32 if self.address.version == 4 else 64), strict=False)


@lru_cache(maxsize=4_000)
def _client(address: str, user_agent: str | None) -> Client:
    return Client(_parsed(address), _printable(user_agent))


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


def _printable(text: str | None) -> str | None:
    kept = "".join(each for each in text or "" if each.isprintable())
    return kept or None


UNKNOWN_CLIENT = Client()
