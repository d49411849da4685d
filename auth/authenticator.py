"""Who a request comes from: one object per process, started and stopped with the server."""

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

# RFC 6750, 2.1. Ours are far shorter than 2,000 characters, and nothing longer is hashed or parsed.
_LONGEST = 2_000
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
_USES_ARE_NOTED_EVERY = timedelta(minutes=1)
_TIDY_SECONDS = 3600.0
# Of a thousand old idempotency keys each.
_MOST_BATCHES = 100
# What anonymous requests may take of the pool: a fifth to sign in, a fifth to look up tokens that nobody here may have issued.
_SHARES = 5
_MOST_THREADS = 4
_DATABASE_TROUBLE = (OSError, TimeoutError, PoolTimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Authenticator:
    """Turns an Authorization header into a viewer, and holds what sign-ins need: `gate`, `throttle`, `sessions`, `keys`, `clock`.

    Of the pool, what signs in uses `sign_in_share`, and what looks up a refresh token, a service token or a password reset `token_share`.

    `url` leads to PostgreSQL itself (settings: `DIRECT_DATABASE_URL` behind PgBouncer). Raises ValueError without a `SECRET_KEY`.
    Sign-ins that wait for their turn wait inside `parked()` (auth/sign_in_gate.py).
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
            raise ValueError("SECRET_KEY is not set; `make run` makes one that is kept")
        self._database = database
        self.clock = clock or Clock()
        self.keys = DerivedKeys(settings.secret_key, settings.secret_key_previous)
        share = max(1, settings.pool_max_size // _SHARES)
        self.sign_in_share = PoolShare(database, share, settings.pool_acquire_seconds)
        self.token_share = PoolShare(database, share, settings.pool_acquire_seconds)
        # All workers together hash on half of the processors.
        threads = min(max(1, (os.cpu_count() or 1) // (2 * settings.workers)), _MOST_THREADS)
        self.passwords = Passwords(threads)
        self.throttle = Throttle(self.sign_in_share, self.keys, self.clock)
        self.gate = SignInGate(self.throttle, self.passwords, threads, parked)
        self._access_tokens = AccessTokens(self.keys, self.clock)
        self.sessions = Sessions(self.keys, self._access_tokens, self.clock)
        self._cache = ViewerCache(cache_size)
        self._revocations = Revocations(url, self.clock, self._cache.revoke, self._cache.clear)
        self._uses: dict[UUID, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listens to revocations. A database that cannot be reached is no error: it is tried again, and nothing is cached until then."""
        await self._revocations.start()
        self._begin(self._tidy())

    async def stop(self) -> None:
        await self._revocations.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.gate.stop()
        self.passwords.close()

    @property
    def is_listening(self) -> bool:
        """Whether verified tokens are remembered; otherwise the database is asked about each request's."""
        return self._revocations.is_listening

    async def viewer(self, authorization_header: str | None) -> Viewer:
        """Who the header stands for; ANONYMOUS without one.

        Raises an UNAUTHENTICATED refusal for a token that is none of ours, has expired or was revoked, and what the database raises
        when it has to be asked and cannot answer.
        """
        if authorization_header is None:
            return ANONYMOUS
        if len(authorization_header) > _LONGEST:
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
        # Of the token alone: one that is written in several ways must not displace others.
        known_by = hash_token(token)
        entry = self._cache.find(known_by, now) if self._revocations.is_listening else None
        if entry is None:
            generation = self._cache.generation
            entry = await self._verified(token, now)
            if self._revocations.is_listening:
                self._cache.keep(known_by, entry, generation)
        kind, identifier = entry.rights[0]
        if kind == "service":
            self._note_use(identifier, now)
        return entry.viewer

    async def _verified(self, token: str, now: datetime) -> Entry:
        if _TOKEN.fullmatch(token) is None:
            raise unauthenticated("Send the token as `Authorization: Bearer …`.")
        return await (self._service(hash_token(token), now) if is_well_formed(TokenType.SERVICE, token) else self._session(token, now))

    async def wait_until_propagated(self) -> None:
        """Call it after a mutation that may have revoked something has committed: when it returns, that counts in every worker.

        A millisecond or two; at most five seconds, when a worker's connection died unnoticed (docs/decisions/013-revocations.md).
        """
        await self._revocations.wait_until_propagated()

    async def recheck(self, connection: Any, viewer: Viewer) -> None:
        """Asks the database, in the transaction of a mutation, whether the viewer is still who they were.

        What is written must not depend on news that is on its way. Raises UNAUTHENTICATED when the session has ended, FORBIDDEN when
        the role is another now.
        """
        role = None
        if viewer.session_id is not None:
            role = await connection.fetchval(
                *queries.viewer_of_session.bind(session_id=viewer.session_id, user_id=viewer.user_id, now=self.clock.now())
            )
        if role is None:
            raise unauthenticated()
        if role != viewer.role:
            raise Refusal("FORBIDDEN", "Your role has changed.")

    async def _session(self, token: str, now: datetime) -> Entry:
        claims = self._access_tokens.read(token)
        role = await self._database.fetchval(*queries.viewer_of_session.bind(session_id=claims.session_id, user_id=claims.user_id, now=now))
        if role is None:
            raise unauthenticated()
        viewer = Viewer(claims.user_id, role, claims.session_id)
        return Entry(viewer, claims.expires_at, (("session", claims.session_id), ("user", claims.user_id)))

    async def _service(self, token_hash: bytes, now: datetime) -> Entry:
        row = await self.token_share.fetchrow(*queries.service_token_by_hash.bind(token_hash=token_hash, now=now))
        if row is None:
            raise unauthenticated("The service token is not valid (any more).")
        remembered_until = min(now + LIFETIME, row["expires_at"] or datetime.max.replace(tzinfo=now.tzinfo))
        return Entry(Viewer(None, None, None, frozenset(row["scopes"])), remembered_until, (("service", row["id"]),))

    def _note_use(self, token_id: UUID, now: datetime) -> None:
        """Writes when a service token was used, once a minute, without making its request wait."""
        noted = self._uses.get(token_id)
        if noted is None or now - noted >= _USES_ARE_NOTED_EVERY:
            self._uses[token_id] = now
            self._begin(self._write_use(token_id, now))

    async def _write_use(self, token_id: UUID, now: datetime) -> None:
        try:
            await self._database.execute(*queries.touch_service_token.bind(token_id=token_id, now=now))
        except _DATABASE_TROUBLE as error:
            _log.warning("the use of a service token was not noted", token_id=str(token_id), error=repr(error))

    async def _tidy(self) -> None:
        while True:
            await asyncio.sleep(_TIDY_SECONDS)
            self._uses.clear()
            try:
                await self.throttle.delete_old()
                # A thousand at a time: none of it holds rows for long, and an hour's end of them is bounded.
                for _ in range(_MOST_BATCHES):
                    if not await self._database.fetchval(*queries.delete_old_idempotency_keys.bind()):
                        break
            except _DATABASE_TROUBLE as error:
                _log.warning("old failed sign-ins and idempotency keys were not deleted", error=repr(error))

    def _begin(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
