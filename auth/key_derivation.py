"""DerivedKeys, derived from `SECRET_KEY`: one for each purpose, so that what one signs can never pass for what another does."""

import hashlib
import hmac

__all__ = ["DerivedKeys"]


class DerivedKeys:
    """The current secret and the one before it. What is new is made with the current one; what the previous one made is recognised."""

    def __init__(self, current: str, previous: str | None = None) -> None:
        self._all = [each.encode() for each in (current, previous) if each]

    def derive(self, purpose: str) -> list[bytes]:
        """The keys (32 bytes each) for one purpose: the current one first, then the previous one when there is one."""
        return [_hmac(secret, f"rollcall {purpose}".encode()) for secret in self._all]

    def digest(self, purpose: str, text: str) -> bytes:
        """A keyed hash (32 bytes) of a text: whoever reads it in the database cannot try texts against it."""
        # A JSON string may hold half a surrogate pair; it is hashed like any other text.
        return _hmac(self.derive(purpose)[0], text.encode(errors="surrogatepass"))


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
