"""Failed sign-ins are slowed, per account and per network, for all workers together. Why so: docs/decisions/011-slowed-sign-ins.md, 063.

An attempt is reserved before its password is verified, and becomes a failure only when the password was wrong. As long as it is reserved it counts
like a failure towards what others may begin: however many guesses come at once, no more of them are verified than one after the other.
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

_FORGOTTEN_AFTER = timedelta(days=1)
# What is deleted at a time, and how often in a row: more than all workers can verify in an hour.
_BATCH = 5_000
_MOST_BATCHES = 200
# An attempt of which nothing is heard for so long has failed: its worker died.
_LEASE = timedelta(seconds=60)
# Keys are written by one at a time, for a millisecond or two; trying again holds no connection.
_LONGEST_TRIED = 5.0
# A network this far from its limit is not written to before the password is verified: attempts in flight, over all workers, are fewer than that.
_MARGIN = 25


@dataclass(frozen=True, slots=True)
class Policy:
    """`free` failures cost nothing, and one is forgotten every `forget` seconds.

    With `longest`, each failure beyond them blocks for 1, 2, 4 … seconds, at most so many. Without, there is room again as soon as one is forgotten;
    `spare` more are for accounts that have no failure yet.
    """

    free: int
    forget: float
    longest: float | None = None
    spare: int = 0


# From where an account never signed in: at most some hundred guesses a day, whoever guesses from however many addresses.
ACCOUNT = Policy(free=5, longest=900, forget=1800)
# From a network that it signed in from: counted by itself, so that strangers cannot keep its owner out.
KNOWN_NETWORK = Policy(free=5, longest=300, forget=600)
# A whole school sits behind one address: its ordinary mistakes must not stop it, nor what somebody did there ten seconds ago.
NETWORK = Policy(free=100, forget=10)
# The same for accounts at networks that they are known from: whoever floods their network with other addresses must not keep them out.
NETWORK_OF_KNOWN = Policy(free=100, forget=1, spare=50)


@dataclass(frozen=True, slots=True)
class Limit:
    """What is counted under a key, and how."""

    key: bytes
    policy: Policy


@dataclass(frozen=True, slots=True)
class State:
    """A key as it is now."""

    failures: int = 0
    in_flight: int = 0
    counted_at: datetime | None = None
    blocked_until: datetime | None = None

    def seconds(self, policy: Policy, free: int, now: datetime) -> float:
        """How long no attempt can begin, whatever becomes of those in flight; 0 or less when one can."""
        if policy.longest is not None:
            return (self.blocked_until - now).total_seconds() if self.blocked_until else 0
        if self.counted_at is None:
            return 0
        return (self.failures - free) * policy.forget - (now - self.counted_at).total_seconds() if self.failures > free else 0

    def may_begin(self, policy: Policy, free: int) -> bool:
        """Whether another attempt could begin if all those in flight failed."""
        return self.failures + self.in_flight <= free or (policy.longest is not None and self.in_flight == 0)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: the limits that it counts towards, the account's first, each with its reservation (None where none was needed)."""

    leases: tuple[tuple[Limit, datetime | None], ...]


class Throttle:
    """Counts attempts in the database. One per process. No statement of its waits for another."""

    def __init__(self, share: PoolShare, keys: DerivedKeys, clock: Clock) -> None:
        self._share = share
        self._keys = keys
        self._clock = clock

    def sign_in(self, sought: str, account: UUID | None, client: Client, *, network_is_known: bool) -> tuple[Limit, ...]:
        """What an attempt to sign in counts towards: the account's limit, and the network's.

        An e-mail address without an account is slowed like one that has one. `sought` is the address as accounts' addresses were compared with it,
        so that the same spellings share a limit whether there is an account or not. Where there is one the key is its id: its address may change.
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
        """What an attempt to prove to be the owner of a session counts towards: who holds a stolen one must not guess on."""
        return (self._limit(f"password of {user_id}", KNOWN_NETWORK),)

    async def check(self, limits: Sequence[Limit]) -> list[State]:
        """How things stand with each limit. Raises RATE_LIMITED when one is blocked, whatever becomes of the attempts in flight."""
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
            raise rate_limited("Too many failed attempts. Wait before you try again.", seconds)
        return states

    async def reserve(self, limits: Sequence[Limit]) -> Attempt | None:
        """Begins an attempt; tell what came of it. None: it cannot begin before others that are in flight have ended. Raises RATE_LIMITED."""
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
                # No attempt comes of it: what was reserved before must not lapse into a failure.
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
        """The password was wrong."""
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
        """The password was right: the account's failures are forgotten, the network's stay."""
        await self._release(attempt, clear_account=True)

    async def cancelled(self, attempt: Attempt) -> None:
        """The password was not verified, or nobody heard that it was right."""
        await self._release(attempt, clear_account=False)

    async def delete_old(self) -> None:
        """Deletes what was forgotten long ago."""
        before = self._clock.now() - _FORGOTTEN_AFTER
        for _ in range(_MOST_BATCHES):
            deleted = await self._share.execute(*queries.delete_old_sign_in_throttles.bind(before=before, at_most=_BATCH))
            if deleted != f"DELETE {_BATCH}":
                break

    async def _release(self, attempt: Attempt, *, clear_account: bool) -> None:
        for number, (limit, lease) in enumerate(attempt.leases):
            if lease is not None:
                clear = clear_account and number == 0
                await self._write(queries.release_sign_in_attempt, limit, now=self._clock.now(), lease=lease, clear=clear)

    async def _write(self, query: Query, limit: Limit, **values: Any) -> bool:
        """Runs a statement that writes a key, again while another has its lock; whether it did what it is for.

        One that finds the lock taken for too long is given up: a reservation that nobody takes back lapses, and is a failure then.
        """
        lock = int.from_bytes(limit.key[:8], signed=True)
        parameters = query.bind(key=limit.key, lock=lock, forget_seconds=limit.policy.forget, **values)
        deadline = asyncio.get_running_loop().time() + _LONGEST_TRIED
        while True:
            row = await self._share.fetchrow(*parameters)
            if row["locked"]:
                return bool(row["done"])
            if asyncio.get_running_loop().time() >= deadline:
                _log.warning("a throttle could not be written: its lock is taken all the time", statement=query.name)
                return False
            await asyncio.sleep(jitter(0.001, 0.008))

    def _limit(self, text: str, policy: Policy) -> Limit:
        return Limit(self._keys.digest("sign-in throttle", text), policy)


def _free(policy: Policy, account: State) -> int:
    return policy.free + (policy.spare if account.failures == 0 else 0)
