"""Builds a database with people, a clock that tests move, and authenticators that represent the workers of a server."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from auth.authenticator import Authenticator
from auth.client_address import Client
from auth.clock import Clock
from auth.sessions import Granted
from auth.viewer import ANONYMOUS, Viewer
from config import Settings
from db.pool import Database
from execution.errors import Refusal
from resolvers.context import Context
from resolvers.sign_in import sign_in
from resolvers.user_errors import UserError

__all__ = ["HOME", "PASSWORD", "HandClock", "School", "attempt", "is_good", "viewer_of"]

PASSWORD = "correct horse battery"
HOME = "203.0.113.7"


class HandClock(Clock):
    """Provides a clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


class School:
    """Holds a database, its people and its workers."""

    def __init__(self, database: Database, url: str, clock: HandClock, password_hash: str) -> None:
        self.database = database
        self.url = url
        self.clock = clock
        self._password_hash = password_hash
        self._started: list[Authenticator] = []
        self.settings = Settings(environment="test")

    async def worker(self, *, url: str | None = None, **settings: Any) -> Authenticator:
        """Starts an authenticator that listens for revocations at `url`, as each process of a server has one."""
        made = Authenticator(self.database, Settings(environment="test", **settings), url or self.url, clock=self.clock)
        await made.start()
        assert made.is_listening
        self._started.append(made)
        return made

    async def stop(self) -> None:
        for each in self._started:
            await each.stop()

    async def person(self, role: str = "TEACHER", *, email: str | None = None, password: str | None = PASSWORD) -> tuple[UUID, str]:
        """Creates a user; returns their id and e-mail address."""
        email = email or f"{uuid4().hex}@school.example"
        password_hash = None
        if password is not None:
            password_hash = self._password_hash
            assert password == PASSWORD
        user_id = await self.database.fetchval(
            "INSERT INTO users (role, first_name, last_name, email, password_hash) VALUES ($1, 'Ada', 'Byron', $2, $3) RETURNING id",
            role,
            email,
            password_hash,
        )
        return user_id, email

    def context(self, worker: Authenticator, viewer: Viewer = ANONYMOUS, address: str | None = HOME) -> Context:
        """Returns the context of a request to a worker."""
        return Context(self.database, viewer, uuid4().hex, SimpleNamespace(authenticator=worker), Client.of(address, "tests"))

    async def signed_in(self, worker: Authenticator, role: str = "TEACHER", *, email: str | None = None) -> tuple[Granted, Viewer]:
        """Signs in a new user with this role, or the user with the address `email`; returns the tokens and the user."""
        if email is None:
            _, email = await self.person(role)
        granted = await sign_in(self.context(worker), email, PASSWORD)
        assert isinstance(granted, Granted), granted
        return granted, await worker.viewer(f"Bearer {granted.access_token}")

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.database.fetchval(sql, *arguments)


async def viewer_of(worker: Authenticator, token: str) -> Viewer | None:
    """Returns the viewer of a token at a worker; None if the token is refused."""
    try:
        return await worker.viewer(f"Bearer {token}")
    except Refusal as refusal:
        if refusal.code != "UNAUTHENTICATED":
            raise
        return None


async def attempt(school: School, worker: Authenticator, email: str, password: str = PASSWORD, address: str | None = HOME) -> str:
    """Tries to sign in; returns `"in"` or the error's code."""
    try:
        answer = await sign_in(school.context(worker, address=address), email, password)
    except Refusal as refusal:
        return refusal.code
    return answer.code if isinstance(answer, UserError) else "in"


async def is_good(worker: Authenticator, granted: Granted) -> bool:
    return await viewer_of(worker, granted.access_token) is not None
