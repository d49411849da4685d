"""Failed sign-ins are slowed, per account and per network, for all workers together. Why so: docs/decisions/011-slowed-sign-ins.md.

An attempt is counted as a failure before its password is looked at, and taken back when the password was right: however many
guesses come at once, no more of them are looked at than one after the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from auth.clock import Clock
from auth.keys import Keys
from auth.networks import Client
from auth.refusals import rate_limited
from auth.statements import bound
from db.pool import Database
from db.queries import queries

__all__ = ["ACCOUNT", "KNOWN_NETWORK", "NETWORK", "Attempt", "Policy", "Throttle"]

_FORGOTTEN_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """`free` failures cost nothing; those after them block for 1, 2, 4 … seconds, at most `longest`; `forget` seconds forget one."""

    free: int
    longest: float
    forget: float


# From where an account never signed in: at most some hundred guesses a day, whoever guesses from however many addresses.
ACCOUNT = Policy(free=5, longest=900, forget=1800)
# From a network that it signed in from: counted by itself, so that strangers cannot keep its owner out.
KNOWN_NETWORK = Policy(free=5, longest=300, forget=600)
# A whole school sits behind one address: its ordinary mistakes must not stop it.
NETWORK = Policy(free=100, longest=60, forget=10)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One counted attempt: the keys, and how many failures each had with it."""

    account: bytes
    counted: tuple[tuple[bytes, int], ...]


class Throttle:
    """Counts attempts in the database. One per process."""

    def __init__(self, database: Database, keys: Keys, clock: Clock) -> None:
        self._database = database
        self._keys = keys
        self._clock = clock

    async def sign_in(self, email: str, account: UUID | None, client: Client, *, network_is_known: bool) -> Attempt:
        """Counts an attempt to sign in, before the password is looked at. Raises RATE_LIMITED while account or network are blocked.

        An e-mail address without an account is slowed like one that has one. Where there is one the key is its id, for two
        spellings of an address may be one account.
        """
        who = f"account {account or email.strip().lower()}"
        policy = ACCOUNT
        if network_is_known:
            who, policy = f"{who} at {client.network}", KNOWN_NETWORK
        limits = [(self._key(who), policy)]
        if client.network is not None:
            limits.append((self._key(f"network {client.network}"), NETWORK))
        return await self._count(limits)

    async def change_password(self, user_id: UUID) -> Attempt:
        """Counts an attempt to prove to be the owner of a session: who holds a stolen one must not guess on."""
        return await self._count([(self._key(f"password of {user_id}"), KNOWN_NETWORK)])

    async def succeeded(self, attempt: Attempt) -> None:
        """The password was right: the account's failures are forgotten, the network's stay, without this attempt."""
        await self._database.execute(*bound(queries.forget_sign_in_failures, key=attempt.account))
        await self._take_back([each for each in attempt.counted if each[0] != attempt.account])

    async def cancelled(self, attempt: Attempt) -> None:
        """The password was not looked at."""
        await self._take_back(attempt.counted)

    async def delete_old(self) -> None:
        """Deletes what was forgotten long ago."""
        before = self._clock.now() - _FORGOTTEN_AFTER
        await self._database.execute(*bound(queries.delete_old_sign_in_throttles, before=before))

    async def _count(self, limits: Sequence[tuple[bytes, Policy]]) -> Attempt:
        now = self._clock.now()
        counted = []
        # All keys or none, always the account before the network: two attempts never wait for each other in a circle.
        async with self._database.transaction() as connection:
            for key, policy in limits:
                values: dict[str, Any] = {"key": key, "now": now}
                failures = await connection.fetchval(
                    *bound(
                        queries.count_sign_in_attempt,
                        free=policy.free,
                        longest_seconds=policy.longest,
                        forget_seconds=policy.forget,
                        **values,
                    )
                )
                if failures is None:
                    until = await connection.fetchval(*bound(queries.sign_in_blocked_until, **values))
                    seconds = (until - now).total_seconds() if until else 0
                    raise rate_limited("Too many failed attempts. Wait before you try again.", seconds)
                counted.append((key, failures))
        return Attempt(limits[0][0], tuple(counted))

    async def _take_back(self, counted: Sequence[tuple[bytes, int]]) -> None:
        now = self._clock.now()
        for key, failures in counted:
            await self._database.execute(*bound(queries.take_back_sign_in_attempt, key=key, counted=failures, now=now))

    def _key(self, text: str) -> bytes:
        return self._keys.digest("sign-in throttle", text)
