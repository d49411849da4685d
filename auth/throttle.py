"""Throttles failed sign-ins per account and per network, across all workers. The design: docs/decisions/011-slowed-sign-ins.md and 063.

An attempt is reserved before its password is verified, and becomes a failure only if the password is wrong. While it is reserved it counts like
a failure for other attempts, so that concurrent guesses are limited just like consecutive ones.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from auth.client_address import Client
from auth.clock import Clock
from auth.errors import rate_limited
from auth.key_derivation import DerivedKeys
from db.pool_share import PoolShare
from db.query_compiler import Query
from db.row_locks import jitter
from db.sql_catalog import queries

__all__ = ["ACCOUNT", "KNOWN_NETWORK", "NETWORK", "NETWORK_OF_KNOWN", "Attempt", "Limit", "Policy", "State", "Throttle"]

_log = structlog.get_logger("rollcall.throttle")

_RETENTION = timedelta(days=1)
# Rows deleted in one statement, and the maximum number of statements in a row: more than all workers can verify in an hour.
_BATCH = 5_000
_MAX_BATCHES = 200
# A reservation older than this counts as a failure: its worker has died.
_LEASE = timedelta(seconds=60)
# How long a write is retried while another transaction holds the key's lock, which takes a millisecond or two. No connection is held meanwhile.
_MAX_RETRY_SECONDS = 5.0
# A network with at least this much room below its limit gets no reservation: fewer attempts than that are in flight over all workers.
_MARGIN = 25


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits for one kind of key: `free` failures have no effect, and one is forgotten every `forget` seconds.

    With `longest`, each further failure blocks for 1, 2, 4 … seconds, at most `longest`. Without it, further attempts are blocked until a failure is
    forgotten; `spare` more failures are then allowed to accounts without a failure of their own.
    """

    free: int
    forget: float
    longest: float | None = None
    spare: int = 0


# Per account, for unknown networks: about a hundred guesses a day in total, over all addresses.
ACCOUNT = Policy(free=5, longest=900, forget=1800)
# Per account and known network: counted separately, so that guesses from elsewhere cannot lock out the owner.
KNOWN_NETWORK = Policy(free=5, longest=300, forget=600)
# Per network: a whole school may share one address, and its ordinary typing errors must not lock it out.
NETWORK = Policy(free=100, forget=10)
# Per network, for accounts that are known there: failures of other accounts in the same network must not lock them out.
NETWORK_OF_KNOWN = Policy(free=100, forget=1, spare=50)


@dataclass(frozen=True, slots=True)
class Limit:
    """A key under which failures are counted, and its policy."""

    key: bytes
    policy: Policy


@dataclass(frozen=True, slots=True)
class State:
    """The current counters of a key. Times are in UTC."""

    failures: int = 0
    in_flight: int = 0
    counted_at: datetime | None = None
    blocked_until: datetime | None = None

    def seconds(self, policy: Policy, free: int, now: datetime) -> float:
        """Returns for how many seconds no attempt can begin, regardless of the attempts in flight; 0 or less if one can begin now."""
        if policy.longest is not None:
            return (self.blocked_until - now).total_seconds() if self.blocked_until else 0
        if self.counted_at is None:
            return 0
        return (self.failures - free) * policy.forget - (now - self.counted_at).total_seconds() if self.failures > free else 0

    def may_begin(self, policy: Policy, free: int) -> bool:
        """Returns whether another attempt could begin if all attempts in flight failed."""
        return self.failures + self.in_flight <= free or (policy.longest is not None and self.in_flight == 0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A reserved attempt: the limits it counts towards, the account's first, each with the expiry of its reservation (None if it has none)."""

    leases: tuple[tuple[Limit, datetime | None], ...]


class Throttle:
    """Counts attempts in the database. One per process. Its statements never wait for locks."""

    def __init__(self, share: PoolShare, keys: DerivedKeys, clock: Clock) -> None:
        self._share = share
        self._keys = keys
        self._clock = clock

    def sign_in(self, sought: str, account: UUID | None, client: Client, *, network_is_known: bool) -> tuple[Limit, ...]:
        """Returns the limits of an attempt to sign in: the account's, and the network's.

        An e-mail address without an account is throttled like one with an account. `sought` is the address in the normalized form in which accounts
        are looked up, so that all spellings share a limit. For an account the key is its id, because its address may change.
        """
        who = f"account {account or sought}"
        if network_is_known:
            return (
                self._limit(f"{who} at {client.network}", KNOWN_NETWORK),
                self._limit(f"accounts known at {client.network}", NETWORK_OF_KNOWN),
            )
        if client.network is None:
            return (self._limit(who, ACCOUNT),)
        return self._limit(who, ACCOUNT), self._limit(f"network {client.network}", NETWORK)

    def change_password(self, user_id: UUID) -> tuple[Limit, ...]:
        """Returns the limits for confirming the current password within a session, so that a stolen session cannot be used to guess it."""
        return (self._limit(f"password of {user_id}", KNOWN_NETWORK),)

    async def check(self, limits: Sequence[Limit]) -> list[State]:
        """Returns the state of each limit. Raises RATE_LIMITED if one is blocked, regardless of the attempts in flight."""
        now = self._clock.now()
        rows = await self._share.fetch(
            *queries.sign_in_throttle_states.bind(
                keys=[each.key for each in limits],
                forget_seconds=[each.policy.forget for each in limits],
                now=now,
            )
        )
        found = {row["key"]: State(row["failures"], row["in_flight"], row["counted_at"], row["blocked_until"]) for row in rows}
        states = [found.get(each.key, State()) for each in limits]
        free = [_free(each.policy, states[0]) for each in limits]
        seconds = max(state.seconds(each.policy, room, now) for each, state, room in zip(limits, states, free, strict=True))
        if seconds > 0:
            raise rate_limited("Too many failed attempts. Wait before trying again.", seconds)
        return states

    async def reserve(self, limits: Sequence[Limit]) -> Attempt | None:
        """Begins an attempt. The caller must report its outcome with `failed`, `succeeded` or `cancelled`.

        Returns None if it cannot begin until other attempts in flight have ended. Raises RATE_LIMITED.
        """
        states = await self.check(limits)
        free_of = [_free(each.policy, states[0]) for each in limits]
        if not all(state.may_begin(each.policy, free) for each, state, free in zip(limits, states, free_of, strict=True)):
            return None
        now = self._clock.now()
        leases: list[tuple[Limit, datetime | None]] = []
        for number, (limit, state, free) in enumerate(zip(limits, states, free_of, strict=True)):
            if number and state.failures + state.in_flight + _MARGIN <= free:
                leases.append((limit, None))
                continue
            lease = now + _LEASE
            backs_off = limit.policy.longest is not None
            try:
                reserved = await self._write(queries.reserve_sign_in_attempt, limit, now=now, lease=lease, free=free, backs_off=backs_off)
            except BaseException:
                # The attempt is abandoned: its earlier reservations must not lapse, which would count as failures.
                with suppress(Exception):
                    await self.cancelled(Attempt(tuple(leases)))
                raise
            if not reserved:
                await self.cancelled(Attempt(tuple(leases)))
                await self.check(limits)
                return None
            leases.append((limit, lease))
        return Attempt(tuple(leases))

    async def failed(self, attempt: Attempt) -> None:
        """Records that the password was wrong."""
        for limit, lease in attempt.leases:
            await self._write(
                queries.count_sign_in_failure,
                limit,
                now=self._clock.now(),
                lease=lease,
                free=limit.policy.free,
                longest_seconds=limit.policy.longest,
            )

    async def succeeded(self, attempt: Attempt) -> None:
        """Records that the password was correct: clears the account's failures and keeps the network's."""
        await self._release(attempt, clear_account=True)

    async def cancelled(self, attempt: Attempt) -> None:
        """Releases an attempt whose password was not verified, or whose caller was gone."""
        await self._release(attempt, clear_account=False)

    async def delete_old(self) -> None:
        """Deletes the counters whose failures were forgotten more than a day ago."""
        before = self._clock.now() - _RETENTION
        for _ in range(_MAX_BATCHES):
            deleted = await self._share.execute(*queries.delete_old_sign_in_throttles.bind(before=before, at_most=_BATCH))
            if deleted != f"DELETE {_BATCH}":
                break

    async def _release(self, attempt: Attempt, *, clear_account: bool) -> None:
        for number, (limit, lease) in enumerate(attempt.leases):
            if lease is not None:
                clear = clear_account and number == 0
                await self._write(queries.release_sign_in_attempt, limit, now=self._clock.now(), lease=lease, clear=clear)

    async def _write(self, query: Query, limit: Limit, **values: Any) -> bool:
        """Runs a statement that writes a key, retrying while another transaction holds its lock. Returns whether it took effect.

        Gives up after five seconds. A reservation that is not released then lapses, and counts as a failure.
        """
        lock = int.from_bytes(limit.key[:8], signed=True)
        parameters = query.bind(key=limit.key, lock=lock, forget_seconds=limit.policy.forget, **values)
        deadline = asyncio.get_running_loop().time() + _MAX_RETRY_SECONDS
        while True:
            row = await self._share.fetchrow(*parameters)
            if row["locked"]:
                return bool(row["done"])
            if asyncio.get_running_loop().time() >= deadline:
                _log.warning("a sign-in throttle could not be written: its lock was not released in time", statement=query.name)
                return False
            await asyncio.sleep(jitter(0.001, 0.008))

    def _limit(self, text: str, policy: Policy) -> Limit:
        return Limit(self._keys.digest("sign-in throttle", text), policy)


def _free(policy: Policy, account: State) -> int:
    return policy.free + (policy.spare if account.failures == 0 else 0)
