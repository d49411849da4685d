"""Derives keys from `SECRET_KEY`: one for each purpose, so that a value signed for one purpose is never accepted for another."""

import hashlib
import hmac

__all__ = ["DerivedKeys"]


class DerivedKeys:
    """The keys derived from the current secret and from the previous one, if any.

    New values are signed with the current secret; values signed with the previous one are still accepted.
    """

    def __init__(self, current: str, previous: str | None = None) -> None:
        self._all = [each.encode() for each in (current, previous) if each]

    def derive(self, purpose: str) -> list[bytes]:
        """Returns the keys (32 bytes each) for a purpose: the current one, followed by the previous one if there is one."""
        return [_hmac(secret, f"rollcall {purpose}".encode()) for secret in self._all]

    def digest(self, purpose: str, text: str) -> bytes:
        """Returns a keyed hash (32 bytes) of a text. Without the secret it cannot be attacked by guessing texts."""
        # A JSON string may contain a lone surrogate; it is hashed like any other text.
        return _hmac(self.derive(purpose)[0], text.encode(errors="surrogatepass"))


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
