"""Manages sessions: one for each sign-in, extended by single-use refresh tokens. The design: docs/decisions/012-refresh-tokens.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from auth.client_address import Client
from auth.clock import Clock
from auth.errors import unauthenticated
from auth.jwt_access_tokens import AccessTokens
from auth.key_derivation import DerivedKeys
from auth.opaque_tokens import TokenType, generate_token, hash_token, is_well_formed, next_refresh_token
from db.pool_share import PoolShare
from db.row_locks import RowLockedError, retry_while_locked
from db.sql_catalog import queries
from execution.errors import Refusal

__all__ = ["GRACE", "KNOWN_NETWORK_FOR", "SESSION_LIFETIME", "Granted", "RefreshTokenReused", "Sessions"]

_log = structlog.get_logger("rollcall.sessions")

# NIST SP 800-63B, 4.1.3: reauthentication at least once every 30 days.
SESSION_LIFETIME = timedelta(days=30)
# How long a used refresh token still yields the same successor: a response may be lost, or two tabs may refresh at once.
GRACE = timedelta(seconds=60)
# How long the reuse of a used token ends its session. Afterwards it is treated like an unknown token.
_REUSE_DETECTION = timedelta(days=7)
_ENDED_SESSION_RETENTION = timedelta(days=30)
_ENDED = "The session has ended. Sign in again."
# How long after a sign-in its network counts as known for the account.
KNOWN_NETWORK_FOR = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Granted:
    """The tokens that a sign-in or a refresh returns. Times are in UTC."""

    access_token: str
    access_token_expires_at: datetime
    refresh_token: str
    session_expires_at: datetime
    user_id: UUID
    session_id: UUID


class RefreshTokenReused(Refusal):
    """Raised when a used refresh token is used again, after its session has been ended. Clients see the same error as for any ended session."""


class Sessions:
    """Opens, refreshes and ends sessions. A database trigger notifies all workers of sessions that end."""

    def __init__(self, keys: DerivedKeys, access_tokens: AccessTokens, clock: Clock) -> None:
        self._keys = keys
        self._access_tokens = access_tokens
        self._clock = clock

    async def open(self, connection: Any, user_id: UUID, role: str, client: Client) -> Granted:
        """Opens a session in the caller's transaction."""
        now = self._clock.now()
        expires_at = now + SESSION_LIFETIME
        session_id = await connection.fetchval(
            *queries.open_session.bind(
                user_id=user_id,
                now=now,
                expires_at=expires_at,
                address=client.address,
                user_agent=client.user_agent,
            )
        )
        token = generate_token(TokenType.REFRESH)
        await connection.execute(*queries.add_refresh_token.bind(token_hash=hash_token(token), session_id=session_id, now=now))
        await connection.execute(*queries.delete_old_sessions.bind(user_id=user_id, before=now - _ENDED_SESSION_RETENTION))
        return self._grant(user_id, session_id, role, token, expires_at)

    async def refresh(self, share: PoolShare, token: str) -> Granted:
        """Exchanges a refresh token for new tokens.

        Raises UNAUTHENTICATED if its session has ended, RefreshTokenReused (the same code) if this call ended the session.
        """
        if not is_well_formed(TokenType.REFRESH, token):
            raise unauthenticated()
        # A token that was never issued costs one statement and no transaction.
        if await share.fetchrow(*queries.refresh_token_by_hash.bind(token_hash=hash_token(token))) is None:
            raise unauthenticated(_ENDED)

        async def rotate() -> Granted | Refusal:
            async with share.transaction() as connection:
                return await self._rotate(connection, token)

        answer = await retry_while_locked(rotate)
        # Raised outside the transaction, which would otherwise roll back the end of the session.
        if isinstance(answer, Refusal):
            raise answer
        return answer

    async def end(self, connection: Any, session_id: UUID, because: str = "SIGNED_OUT") -> int:
        """Ends a session. Returns 1, or 0 if it had ended before. `because` is a value of sessions.revoked_because."""
        ended = await connection.fetchval(*queries.end_session.bind(session_id=session_id, because=because, now=self._clock.now()))
        return 0 if ended is None else 1

    async def end_all(self, connection: Any, user_id: UUID, because: str, *, kept: UUID | None = None) -> int:
        """Ends all sessions of a user except `kept`, and returns their number. `because` is a value of sessions.revoked_because."""
        ended = await connection.fetch(
            *queries.end_sessions_of_user.bind(user_id=user_id, because=because, kept=kept, now=self._clock.now())
        )
        return len(ended)

    async def _rotate(self, connection: Any, token: str) -> Granted | Refusal:
        now = self._clock.now()
        token_hash = hash_token(token)
        locked = await connection.fetchval(*queries.lock_session_of_refresh_token.bind(token_hash=token_hash))
        row = await connection.fetchrow(*queries.refresh_token_by_hash.bind(token_hash=token_hash))
        if row is None or row["revoked_at"] is not None or row["expires_at"] <= now or not row["is_active"]:
            return unauthenticated(_ENDED)
        if locked is None:
            raise RowLockedError("the session is being refreshed or ended")
        successors = [next_refresh_token(token, key) for key in self._keys.derive("refresh token")]
        if row["used_at"] is None:
            following: str | None = successors[0]
            await connection.execute(
                *queries.rotate_refresh_token.bind(
                    token_hash=token_hash,
                    successor_hash=hash_token(successors[0]),
                    session_id=row["session_id"],
                    now=now,
                    forgotten_before=now - _REUSE_DETECTION,
                )
            )
        else:
            following = await self._unused(connection, successors) if now - row["used_at"] <= GRACE else None
        if following is None:
            _log.warning(
                "a refresh token was reused: its session was ended", session_id=str(row["session_id"]), user_id=str(row["user_id"])
            )
            await connection.execute(*queries.end_session.bind(session_id=row["session_id"], because="TOKEN_REUSED", now=now))
            return RefreshTokenReused("UNAUTHENTICATED", _ENDED)
        return self._grant(row["user_id"], row["session_id"], row["role"], following, row["expires_at"])

    async def _unused(self, connection: Any, tokens: Sequence[str]) -> str | None:
        """Returns the one of these tokens that has been issued and not used yet."""
        by_hash = {hash_token(each): each for each in tokens}
        found = await connection.fetchval(*queries.unused_refresh_tokens.bind(token_hashes=list(by_hash)))
        return None if found is None else by_hash[found]

    def _grant(self, user_id: UUID, session_id: UUID, role: str, refresh_token: str, until: datetime) -> Granted:
        access_token, expires_at = self._access_tokens.issue(user_id, session_id, role, until)
        return Granted(access_token, expires_at, refresh_token, until, user_id, session_id)
