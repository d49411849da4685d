"""The gate that every password passes: bounded, fair, throttled. Why so: docs/decisions/063-sign-ins-in-line.md.

Whoever waits here holds neither a connection nor a thread. What is at work is bounded by slots; which one is next, a fair queue decides.
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

# The lanes in which attempts wait: of whoever has proved something already, or signs in where they did before and has not failed lately; of others who
# signed in there before; of everybody else.
PROVED = UNTROUBLED = 0
KNOWN = 1
UNKNOWN = 2
# Looking an account up takes a millisecond; whoever waits to do so waits for others' milliseconds. The share of the pool bounds the connections.
_LOOKUPS = 4
# Beside those whose passwords are being hashed: they read and write what goes before and after.
_BESIDE_THREADS = 2
# How long an attempt may wait for the outcome of others on the same account, in other workers.
_PATIENCE = 60.0
# Refusals leave at this rate at most, as long as no more than so many wait to leave.
_REFUSALS_PER_SECOND = 50.0
_LONGEST_HELD = 5.0
_MOST_HELD = 1_000


@dataclass(frozen=True, slots=True)
class Superseded:
    """The password was verified against a hash that is not the account's any more: another one is, or none."""

    password_hash: str | None


class SignInGate:
    """Lets passwords be verified, counted and hashed, a bounded number at a time. One per process.

    `parked()` is a context in which one waits that is not at work: others may use what it would, but for memory.
    """

    def __init__(
        self, throttle: Throttle, passwords: Passwords, threads: int, parked: Callable[[], AbstractContextManager[None]] = nullcontext
    ) -> None:
        self._parked = parked
        self._throttle = throttle
        self._passwords = passwords
        self._lookups = FairQueue(_LOOKUPS, parked=parked)
        self._attempts = FairQueue(threads + _BESIDE_THREADS, parked=parked)
        self._held = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def stop(self) -> None:
        """Cancels what is at work. An attempt that was reserved lapses."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @asynccontextmanager
    async def lookup(self, client: Client) -> AsyncIterator[None]:
        """A turn to look an account up, before anything is known of whoever asks."""
        async with self._lookups.slot(object(), client.network):
            yield

    @asynccontextmanager
    async def paced(self) -> AsyncIterator[None]:
        """Holds back what is refused inside as RATE_LIMITED, the longer the more refusals are held.

        Clients that ask again at once are slowed to `_REFUSALS_PER_SECOND`, however many they are: a refusal at once would be an invitation to
        spend all of the event loop's time on the next one.
        """
        try:
            yield
        except Refusal as refusal:
            if refusal.code == "RATE_LIMITED" and self._held < _MOST_HELD:
                self._held += 1
                try:
                    with self._parked():
                        await asyncio.sleep(min((self._held - 1) / _REFUSALS_PER_SECOND, _LONGEST_HELD))
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
        """What `then`, called with the hash that was verified, makes of a right password; None for a wrong one, or when `then` returns it.

        When the hash was superseded meanwhile (a simultaneous sign-in renewed it), the password is verified once more, against the new one. That
        is never a failure: it was right when it was sent.

        Raises RATE_LIMITED while the limits say so, and when too many wait. Attempts on one account are made one after the other. One that has
        begun is ended and counted even if its caller goes away meanwhile; `then` is not called for nobody.
        """
        call = _Call(password_hash, password, then)
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            outcome = await self._in_turn(limits[0].key, client, lambda: self._attempt(limits, call), call, lane=lane)
            if outcome is not _LATER:
                return outcome  # type: ignore[no-any-return]  # what `then` returned
            if asyncio.get_running_loop().time() >= deadline:
                raise rate_limited("Others are signing in to this account at this moment. Try again.", 1)
            with self._parked():
                await asyncio.sleep(jitter(0.01, 0.03))

    async def verify_again(self, flow: Hashable, client: Client, password_hash: str, password: str) -> bool:
        """Whether it is the password, asked by someone who has proved to know it: nothing is counted."""
        return await self._in_turn(flow, client, lambda: self._passwords.verify(password_hash, password), lane=PROVED)  # type: ignore[no-any-return]

    async def hash(self, flow: Hashable, client: Client, password: str) -> str:
        """The hash of a new password, for someone who has proved to be the account's owner."""
        return await self._in_turn(flow, client, lambda: self._passwords.hash(password), lane=PROVED)  # type: ignore[no-any-return]

    async def _in_turn(self, flow: Hashable, client: Client, work: Callable[[], Any], call: "_Call | None" = None, *, lane: int) -> Any:
        await self._attempts.enter(flow, client.network, lane=lane)
        task = asyncio.ensure_future(work())
        self._tasks.add(task)

        # The slot is given back when the work is done, not when a caller stops waiting for it.
        def done(_: object) -> None:
            self._tasks.discard(task)
            self._attempts.leave(flow)

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
            return _LATER
        try:
            result, is_failure = await self._outcome(call)
        except Exception:
            # It was not verified, or it was right: no guess, whatever failed.
            with suppress(Exception):
                await self._throttle.cancelled(attempt)
            raise
        if result is not None:
            try:
                await self._throttle.succeeded(attempt)
            except Exception:  # noqa: BLE001 - the session is open, whatever it was; what is still reserved lapses
                _log.exception("a successful sign-in could not be taken out of the throttle")
        elif is_failure:
            await self._throttle.failed(attempt)
        else:
            await self._throttle.cancelled(attempt)
        return result

    async def _outcome(self, call: "_Call") -> tuple[Any, bool]:
        """What `then` made of the password, and (for None) whether that is a failure."""
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
    """An attempt as its caller made it, and whether they are gone."""

    __slots__ = ("abandoned", "password", "password_hash", "then")

    def __init__(self, password_hash: str | None, password: str, then: Callable[[str], Awaitable[Any]]) -> None:
        self.password_hash = password_hash
        self.password = password
        self.then = then
        self.abandoned = False


_LATER: Any = object()
