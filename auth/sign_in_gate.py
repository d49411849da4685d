"""Verifies and hashes passwords with bounded concurrency, fair queueing and throttling. The design: docs/decisions/063-sign-ins-in-line.md.

Waiting requests hold neither a database connection nor a thread.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog

from auth.client_address import Client
from auth.errors import rate_limited
from auth.fair_queue import FairQueue
from auth.passwords import Passwords
from auth.throttle import Limit, Throttle
from db.row_locks import jitter
from execution.errors import Refusal

__all__ = ["KNOWN", "PROVED", "UNKNOWN", "UNTROUBLED", "SignInGate", "Superseded"]

_log = structlog.get_logger("rollcall.sign_in")

T = TypeVar("T")

# The lanes of the fair queue: callers who have proved their identity already, or sign in from a known network without recent failures; other
# attempts from a known network; all other attempts.
PROVED = UNTROUBLED = 0
KNOWN = 1
UNKNOWN = 2
# Concurrent account look-ups, which take a millisecond each.
_LOOKUPS = 4
# Attempts in progress beyond the hashing threads: they run the statements before and after the hash.
_EXTRA_SLOTS = 2
# How long an attempt waits for the outcome of others on the same account in other workers.
_RESERVATION_TIMEOUT = 60.0
# The maximum rate of refusals, as long as at most `_MAX_HELD` refusals are being delayed.
_REFUSALS_PER_SECOND = 50.0
_MAX_DELAY = 5.0
_MAX_HELD = 1_000


@dataclass(frozen=True, slots=True)
class Superseded:
    """Reports that the password was verified against an outdated hash. `password_hash` is the account's current one, None if it has none."""

    password_hash: str | None


class SignInGate:
    """Verifies, counts and hashes passwords, a bounded number at a time. One per process.

    Attempts wait inside the context manager `parked()`, so that an admission limit can exclude them from its count.
    """

    def __init__(
        self, throttle: Throttle, passwords: Passwords, threads: int, parked: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._parked = parked
        self._throttle = throttle
        self._passwords = passwords
        self._lookups = FairQueue(_LOOKUPS, parked=parked)
        self._attempts = FairQueue(threads + _EXTRA_SLOTS, parked=parked)
        self._held = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def stop(self) -> None:
        """Cancels running attempts. Their reservations lapse."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @asynccontextmanager
    async def lookup(self, client: Client) -> AsyncIterator[None]:
        """Holds a slot for looking up an account, before anything is known about the caller."""
        async with self._lookups.slot(object(), client.network):
            yield

    @asynccontextmanager
    async def paced(self) -> AsyncIterator[None]:
        """Delays RATE_LIMITED errors raised in the block; the more are being delayed, the longer.

        Limits clients that retry at once to `_REFUSALS_PER_SECOND` in total. Immediate refusals would let them use all of the event loop's time.
        """
        try:
            yield
        except Refusal as refusal:
            if refusal.code == "RATE_LIMITED" and self._held < _MAX_HELD:
                self._held += 1
                try:
                    with self._parked():
                        await asyncio.sleep(min((self._held - 1) / _REFUSALS_PER_SECOND, _MAX_DELAY))
                finally:
                    self._held -= 1
            raise

    async def verify(
        self,
        limits: Sequence[Limit],
        client: Client,
        password_hash: str | None,
        password: str,
        then: Callable[[str], Awaitable[T | Superseded | None]],
        *,
        lane: int,
    ) -> T | None:
        """Verifies a password. If it is correct, calls `then` with the verified hash and returns its result; returns None if it is wrong.

        If `then` returns Superseded (a concurrent sign-in replaced the hash), verifies the password once more, against the new hash. That second
        verification never counts as a failure: the password was correct when it was sent.

        Raises RATE_LIMITED while a limit is exceeded, and when too many attempts wait. Attempts on one account run one after the other. A running
        attempt is completed and counted even if its caller is cancelled, but `then` is not called in that case.
        """
        call = _Call(password_hash, password, then)
        deadline = asyncio.get_running_loop().time() + _RESERVATION_TIMEOUT
        while True:
            outcome = await self._run(limits[0].key, client, lambda: self._attempt(limits, call), call, lane=lane)
            if outcome is not _RETRY:
                return outcome  # type: ignore[no-any-return]  # what `then` returned
            if asyncio.get_running_loop().time() >= deadline:
                raise rate_limited("Other attempts to sign in to this account are in progress. Try again in a moment.", 1)
            with self._parked():
                await asyncio.sleep(jitter(0.01, 0.03))

    async def verify_again(self, flow: Hashable, client: Client, password_hash: str, password: str) -> bool:
        """Returns whether the password is correct, for a caller who has already proved to know it: failures are not counted."""
        return await self._run(flow, client, lambda: self._passwords.verify(password_hash, password), lane=PROVED)  # type: ignore[no-any-return]

    async def hash(self, flow: Hashable, client: Client, password: str) -> str:
        """Hashes a new password for a caller who has proved to own the account."""
        return await self._run(flow, client, lambda: self._passwords.hash(password), lane=PROVED)  # type: ignore[no-any-return]

    async def _run(self, flow: Hashable, client: Client, work: Callable[[], Any], call: "_Call | None" = None, *, lane: int) -> Any:
        await self._attempts.acquire(flow, client.network, lane=lane)
        task = asyncio.ensure_future(work())
        self._tasks.add(task)

        # The slot is released when the work is done, not when the caller stops waiting for it.
        def done(_: object) -> None:
            self._tasks.discard(task)
            self._attempts.release(flow)

        task.add_done_callback(done)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if call is not None:
                call.abandoned = True
            raise

    async def _attempt(self, limits: Sequence[Limit], call: "_Call") -> Any:
        attempt = await self._throttle.reserve(limits)
        if attempt is None:
            return _RETRY
        try:
            result, is_failure = await self._outcome(call)
        except Exception:
            # The password was not verified, or it was correct: the error is not a failed guess.
            with suppress(Exception):
                await self._throttle.cancelled(attempt)
            raise
        if result is not None:
            try:
                await self._throttle.succeeded(attempt)
            except Exception:  # noqa: BLE001 - the session is open already; a remaining reservation lapses
                _log.exception("the throttle could not be cleared after a successful sign-in")
        elif is_failure:
            await self._throttle.failed(attempt)
        else:
            await self._throttle.cancelled(attempt)
        return result

    async def _outcome(self, call: "_Call") -> tuple[Any, bool]:
        """Returns the result of `then` (None for a wrong password), and whether None counts as a failure."""
        password_hash = call.password_hash
        for is_first in (True, False):
            right = await self._passwords.verify(password_hash, call.password)
            if not right or password_hash is None:
                return None, is_first
            if call.abandoned:
                return None, False
            result = await call.then(password_hash)
            if not isinstance(result, Superseded):
                return result, is_first
            password_hash = result.password_hash
        return None, False


class _Call:
    """The arguments of an attempt, and whether its caller has been cancelled."""

    __slots__ = ("abandoned", "password", "password_hash", "then")

    def __init__(self, password_hash: str | None, password: str, then: Callable[[str], Awaitable[Any]]) -> None:
        self.password_hash = password_hash
        self.password = password
        self.then = then
        self.abandoned = False


_RETRY: Any = object()
