"""Where a request comes from, as far as authentication cares."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["UNKNOWN_CLIENT", "Client"]

_LONGEST_USER_AGENT = 400
# An IPv6 address has 45 characters at most, and a zone behind them.
_LONGEST_ADDRESS = 100


@dataclass(frozen=True, slots=True)
class Client:
    """A client's address (that of the proxy in front only if nobody trusts the proxy) and what it calls itself, None where unknown."""

    address: IPv4Address | IPv6Address | None = None
    user_agent: str | None = None

    @staticmethod
    def of(address: str | None, user_agent: str | None) -> "Client":
        """Reads what the server was told. An address that is none (a Unix socket's) is unknown."""
        # What is remembered is bounded in bytes: a header can be long.
        return _client((address or "")[:_LONGEST_ADDRESS], user_agent and user_agent[:_LONGEST_USER_AGENT])

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        """What one household has: an IPv4 address, or the 64-bit prefix of an IPv6 address, in which it can take any."""
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
