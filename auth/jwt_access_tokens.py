"""Issues and verifies access tokens: JSON Web Tokens (RFC 7519, HS256) that name a session and expire after 15 minutes.

A token proves who signed in, not what they may do: its role claim is for clients to read; the server reads the role from the database.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from auth.clock import Clock
from auth.errors import unauthenticated
from auth.key_derivation import DerivedKeys

__all__ = ["LIFETIME", "AccessTokens", "Claims"]

LIFETIME = timedelta(minutes=15)
_ISSUER = "rollcall"
_AUDIENCE = "rollcall-api"
# The largest clock difference between two workers: a token issued further in the future is refused.
_SKEW = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid access token. `expires_at` is in UTC."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


class AccessTokens:
    """Signs access tokens with the current key, and verifies tokens that were signed with the current or the previous key."""

    def __init__(self, keys: DerivedKeys, clock: Clock) -> None:
        self._clock = clock
        identifiers = [each.hex()[:16] for each in keys.derive("key id")]
        signing = [OctKey.import_key(each) for each in keys.derive("access token")]
        self._headers = [{"alg": "HS256", "typ": "at+jwt", "kid": each} for each in identifiers]
        self._current = signing[0]
        # Every accepted token was issued here, so its header is byte for byte one of these. No other header is ever parsed.
        self._keys = {jwt.encode(header, {}, key).partition(".")[0]: key for header, key in zip(self._headers, signing, strict=True)}

    def issue(self, user_id: UUID, session_id: UUID, role: str, until: datetime) -> tuple[str, datetime]:
        """Returns a signed token and its expiry, to the second: in 15 minutes, or at `until`, the end of the session, if that is sooner."""
        now = self._clock.now()
        expires_at = min(now + LIFETIME, until).replace(microsecond=0)
        claims = {
            "iss": _ISSUER,
            "aud": _AUDIENCE,
            "sub": str(user_id),
            "sid": str(session_id),
            "role": role,
            "iat": int(now.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return jwt.encode(self._headers[0], claims, self._current), expires_at

    def read(self, token: str) -> Claims:
        """Verifies a token and returns its claims. Raises UNAUTHENTICATED unless it was issued here and has not expired."""
        key = self._keys.get(token.partition(".")[0])
        if key is None:
            raise unauthenticated()
        try:
            claims = jwt.decode(token, key, algorithms=["HS256"]).claims
            found = Claims(UUID(claims["sub"]), UUID(claims["sid"]), datetime.fromtimestamp(claims["exp"], UTC))
            issued_at = datetime.fromtimestamp(claims["iat"], UTC)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError):
            raise unauthenticated() from None
        now = self._clock.now()
        if claims.get("iss") != _ISSUER or claims.get("aud") != _AUDIENCE or issued_at > now + _SKEW:
            raise unauthenticated()
        if found.expires_at <= now:
            raise unauthenticated("The access token has expired. Refresh the session.")
        return found
