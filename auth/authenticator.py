"""Authenticates requests: turns the Authorization header into a viewer. One object per process, started and stopped with the server."""

import asyncio
import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog

from auth.clock import Clock
from auth.errors import unauthenticated
from auth.jwt_access_tokens import LIFETIME, AccessTokens
from auth.key_derivation import DerivedKeys
from auth.opaque_tokens import TokenType, hash_token, is_well_formed
from auth.passwords import Passwords
from auth.revocations import Revocations
from auth.sessions import Sessions
from auth.sign_in_gate import SignInGate
from auth.throttle import Throttle
from auth.viewer import ANONYMOUS, Viewer
from auth.viewer_cache import Entry, ViewerCache
from config import Settings
from db.pool import Database, PoolTimeoutError
from db.pool_share import PoolShare
from db.sql_catalog import queries
from execution.errors import Refusal

__all__ = ["Authenticator"]

_log = structlog.get_logger("rollcall.authentication")

# The syntax of bearer tokens is RFC 6750, section 2.1. The server's own are far shorter than 2,000 characters; nothing longer is hashed or parsed.
_MAX_HEADER_LENGTH = 2_000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
_LAST_USE_RESOLUTION = timedelta(minutes=1)
_CLEANUP_SECONDS = 3600.0
# A batch has 1,000 old idempotency keys.
_MAX_BATCHES = 100
# Anonymous requests get at most one fifth of the pool to sign in, and one fifth to look up opaque tokens, which may never have been issued.
_POOL_FRACTION = 5
_MAX_THREADS = 4
_DATABASE_ERRORS = (OSError, TimeoutError, PoolTimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Authenticator:
    """Turns an Authorization header into a viewer, and owns the parts of signing in: `gate`, `throttle`, `sessions`, `keys`, `clock`.

    Statements of sign-ins run on `sign_in_share`, those that look up a refresh token, a service token or a password reset on `token_share`.

    `url` must connect to PostgreSQL itself, not to PgBouncer (setting `DIRECT_DATABASE_URL`). Queued sign-ins wait inside the context
    manager `parked()` (auth/sign_in_gate.py). Raises ValueError without a `SECRET_KEY`.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        url: str,
        *,
        clock: Clock | None = None,
        cache_size: int = 20_000,
        parked: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        if settings.secret_key is None:
            raise ValueError("SECRET_KEY is not set; `make run` generates and stores one")
        self._database = database
        self.clock = clock or Clock()
        self.keys = DerivedKeys(settings.secret_key, settings.secret_key_previous)
        share = max(1, settings.pool_max_size // _POOL_FRACTION)
        self.sign_in_share = PoolShare(database, share, settings.pool_acquire_seconds)
        self.token_share = PoolShare(database, share, settings.pool_acquire_seconds)
        # The hashing threads of all workers together use half of the processors.
        threads = min(max(1, (os.cpu_count() or 1) // (2 * settings.workers)), _MAX_THREADS)
        self.passwords = Passwords(threads)
        self.throttle = Throttle(self.sign_in_share, self.keys, self.clock)
        self.gate = SignInGate(self.throttle, self.passwords, threads, parked)
        self._access_tokens = AccessTokens(self.keys, self.clock)
        self.sessions = Sessions(self.keys, self._access_tokens, self.clock)
        self._cache = ViewerCache(cache_size)
        self._revocations = Revocations(url, self.clock, self._cache.revoke, self._cache.clear)
        self._last_uses: dict[UUID, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Starts listening for revocations. If the database cannot be reached it retries, and nothing is cached until it succeeds."""
        await self._revocations.start()
        self._create_task(self._clean_up())

    async def stop(self) -> None:
        await self._revocations.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gate.stop()
        self.passwords.close()

    @property
    def is_listening(self) -> bool:
        """Whether verified tokens are cached. Otherwise every request's token is looked up in the database."""
        return self._revocations.is_listening

    async def viewer(self, authorization_header: str | None) -> Viewer:
        """Returns the viewer that the header authenticates; ANONYMOUS without a header.

        Raises UNAUTHENTICATED for a token that is malformed, unknown, expired or revoked, and the database's errors if the token has to be
        looked up and the database does not answer.
        """
        if authorization_header is None:
            return ANONYMOUS
        if len(authorization_header) > _MAX_HEADER_LENGTH:
            raise unauthenticated("Send the token as `Authorization: Bearer …`.")
        if authorization_header[:7] == "Bearer ":
            # As nearly every client writes it.
            token = authorization_header[7:].strip(" ")
        else:
            scheme, _, token = authorization_header.strip().partition(" ")
            if scheme.lower() != "bearer":
                raise unauthenticated("Send the token as `Authorization: Bearer …`.")
            token = token.lstrip(" ")
        now = self.clock.now()
        # The hash of the token alone: one token sent with different spacing must not occupy several entries of the cache.
        token_hash = hash_token(token)
        entry = self._cache.get(token_hash, now) if self._revocations.is_listening else None
        if entry is None:
            generation = self._cache.generation
            entry = await self._verify(token, now)
            if self._revocations.is_listening:
                self._cache.put(token_hash, entry, generation)
        kind, identifier = entry.rights[0]
        if kind == "service":
            self._record_use(identifier, now)
        return entry.viewer

    async def _verify(self, token: str, now: datetime) -> Entry:
        if _TOKEN.fullmatch(token) is None:
            raise unauthenticated("Send the token as `Authorization: Bearer …`.")
        if is_well_formed(TokenType.SERVICE, token):
            return await self._verify_service_token(hash_token(token), now)
        return await self._verify_access_token(token, now)

    async def wait_until_propagated(self) -> None:
        """Waits until the revocations that have been committed are applied in every worker. Call it after the commit of a mutation that revokes.

        Takes one or two milliseconds; at most five seconds, if a worker's connection died unnoticed (docs/decisions/013-revocations.md).
        """
        await self._revocations.wait_until_propagated()

    async def recheck(self, connection: Any, viewer: Viewer) -> None:
        """Checks in the transaction of a mutation that the viewer's session and role are still valid.

        A write must not depend on a revocation that has been committed but not received yet. Raises UNAUTHENTICATED if the session has ended,
        FORBIDDEN if the role has changed.
        """
        role = None
        if viewer.session_id is not None:
            role = await connection.fetchval(
                *queries.viewer_of_session.bind(session_id=viewer.session_id, user_id=viewer.user_id, now=self.clock.now())
            )
        if role is None:
            raise unauthenticated()
        if role != viewer.role:
            raise Refusal("FORBIDDEN", "Your role has changed. Refresh the session.")

    async def _verify_access_token(self, token: str, now: datetime) -> Entry:
        claims = self._access_tokens.read(token)
        role = await self._database.fetchval(*queries.viewer_of_session.bind(session_id=claims.session_id, user_id=claims.user_id, now=now))
        if role is None:
            raise unauthenticated()
        viewer = Viewer(claims.user_id, role, claims.session_id)
        return Entry(viewer, claims.expires_at, (("session", claims.session_id), ("user", claims.user_id)))

    async def _verify_service_token(self, token_hash: bytes, now: datetime) -> Entry:
        row = await self.token_share.fetchrow(*queries.service_token_by_hash.bind(token_hash=token_hash, now=now))
        if row is None:
            raise unauthenticated("The service token is invalid, expired or revoked.")
        cached_until = min(now + LIFETIME, row["expires_at"] or datetime.max.replace(tzinfo=now.tzinfo))
        return Entry(Viewer(None, None, None, frozenset(row["scopes"])), cached_until, (("service", row["id"]),))

    def _record_use(self, token_id: UUID, now: datetime) -> None:
        """Records when a service token was last used, at most once a minute, without delaying the request."""
        recorded = self._last_uses.get(token_id)
        if recorded is None or now - recorded >= _LAST_USE_RESOLUTION:
            self._last_uses[token_id] = now
            self._create_task(self._write_last_use(token_id, now))

    async def _write_last_use(self, token_id: UUID, now: datetime) -> None:
        try:
            await self._database.execute(*queries.touch_service_token.bind(token_id=token_id, now=now))
        except _DATABASE_ERRORS as error:
            _log.warning("the last use of a service token could not be recorded", token_id=str(token_id), error=repr(error))

    async def _clean_up(self) -> None:
        while True:
            await asyncio.sleep(_CLEANUP_SECONDS)
            self._last_uses.clear()
            try:
                await self.throttle.delete_old()
                # Deletes in batches of 1,000 so that no transaction holds locks for long; each hourly run is bounded.
                for _ in range(_MAX_BATCHES):
                    if not await self._database.fetchval(*queries.delete_old_idempotency_keys.bind()):
                        break
            except _DATABASE_ERRORS as error:
                _log.warning("old failed sign-ins and idempotency keys could not be deleted", error=repr(error))

    def _create_task(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
