"""Access tokens: JSON Web Tokens (RFC 7519, HS256) that live 15 minutes and name a session.

A token is proof of who signed in, never of what they may do: the role in it is for the client to read, ours comes from the database.
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
# How far the clocks of two workers may be apart: a token from the future is refused beyond it.
_SKEW = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says."""

    user_id: UUID
    session_id: UUID
    expires_at: datetime


class AccessTokens:
    """Signs access tokens with the current secret and reads those that it or the previous one signed."""

    def __init__(self, keys: DerivedKeys, clock: Clock) -> None:
        self._clock = clock
        identifiers = [each.hex()[:16] for each in keys.derive("key id")]
        signing = [OctKey.import_key(each) for each in keys.derive("access token")]
        self._headers = [{"alg": "HS256", "typ": "at+jwt", "kid": each} for each in identifiers]
        self._current = signing[0]
        # We wrote every token that we accept, so its first part is one of these, letter by letter: no other header is ever parsed.
        self._keys = {jwt.encode(header, {}, key).partition(".")[0]: key for header, key in zip(self._headers, signing, strict=True)}

    def issue(self, user_id: UUID, session_id: UUID, role: str, until: datetime) -> tuple[str, datetime]:
        """A signed token and when it expires: in 15 minutes, or when the session ends at `until`, to the second."""
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
        """What the token says. Raises an UNAUTHENTICATED refusal for anything but a token of ours that has not expired."""
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
