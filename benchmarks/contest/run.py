"""Runs a contest: starts the contestants, compares their responses, then measures them in turn."""

import asyncio
import tempfile
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
import uvloop

from benchmarks.contest.comparison import checked_exchanges, post
from benchmarks.contest.contestants import BARE, Contestant
from benchmarks.contest.load import Exchange, in_turn, load, percentile, undisturbed
from benchmarks.contest.processes import Server, database_cpu_seconds, free_port
from benchmarks.contest.screens import Screen

__all__ = ["PASSWORD", "Contest", "FellBackError", "Measured", "contest", "sign_in"]

T = TypeVar("T")

PASSWORD = "rollcall-demo"
_SIGN_IN = "mutation ($input: SignInInput!) { signIn(input: $input) { session { accessToken } userErrors { code } } }"


@dataclass(slots=True)
class Measured:
    """Holds one measurement of a contestant. Times are in seconds, `latencies` in ms; `database_cpu` is None if PostgreSQL is on another machine."""

    contestant: str
    screen: str
    round: int
    connections: int
    requests: int
    began: float
    seconds: float
    server_cpu: float
    database_cpu: float | None
    load_cpu: float
    latencies: list[float] = field(repr=False)

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def to_json(self) -> dict[str, Any]:
        """Returns the measurement for the file of raw results, with percentiles instead of all latencies."""
        row = {name: getattr(self, name) for name in self.__slots__ if name != "latencies"}
        return row | {f"p{share}": percentile(self.latencies, share / 100) for share in (50, 90, 99)} | {"slowest": max(self.latencies)}


def sign_in(server: Server, email: str) -> str:
    """Returns an access token of a user of the seeded school."""
    body = orjson.dumps({"query": _SIGN_IN, "variables": {"input": {"email": email, "password": PASSWORD}}})
    answer = orjson.loads(post(server.address, "/graphql", body))
    token: str = answer["data"]["signIn"]["session"]["accessToken"]
    return token


class FellBackError(Exception):
    """Raised when the breadth-first executor left operations to graphql-core."""


class Contest:
    """Runs several servers at the same time, with load on one of them at a time."""

    def __init__(self, url: str, folder: Path, cores: str) -> None:
        self.url = url
        self.cores = cores
        self.servers: dict[str, Server] = {}
        self._folder = folder
        self._exchanges: dict[tuple[str, str], list[Exchange]] = {}
        self._loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)

    def start(
        self, contestant: Contestant, *, cores: str | None = None, name: str | None = None, ticks: bool = False, **environment: str
    ) -> Server:
        """Starts a contestant; `name` distinguishes several servers of the same contestant."""
        port, name = free_port(), name or contestant.name
        facts = self._folder / f"{name}.facts.json"
        command = contestant.command(port, facts, self.cores if cores is None else cores, ticks=ticks)
        surroundings = contestant.surroundings(self.url, port) | environment
        server = self.servers[name] = Server.start(command, surroundings, port, self._folder, name, facts if contestant.app else None)
        return server

    def compare(self, contestants: Sequence[Contestant], screens: Sequence[Screen], token: str) -> dict[str, list[str]]:
        """Compares all responses of each server with those of the first. Returns by screen which servers' bytes are equal as well.

        Raises DifferentAnswerError. Starts `bare`, which sends the responses of the first server.
        """
        same: dict[str, list[str]] = {}
        for screen in screens:
            references: list[bytes] | None = None
            for contestant in contestants:
                if contestant.name not in self.servers:
                    continue
                found = checked_exchanges(contestant, self.servers[contestant.name].address, screen, references, token)
                self._exchanges[contestant.name, screen.name] = found
                answers = [each.answer for each in found]
                references = references or answers
                if answers == references:
                    same.setdefault(screen.name, []).append(contestant.name)
        if BARE in contestants and BARE.name not in self.servers:
            self._start_bare(contestants[0], screens)
            for screen in screens:
                references = [each.answer for each in self._exchanges[contestants[0].name, screen.name]]
                self._exchanges[BARE.name, screen.name] = checked_exchanges(BARE, self.servers[BARE.name].address, screen, references, None)
        return same

    def _start_bare(self, reference: Contestant, screens: Sequence[Screen]) -> None:
        answers = {
            BARE.ask(screen, place)[0]: each.answer.decode()
            for screen in screens
            for place, each in enumerate(self._exchanges[reference.name, screen.name])
        }
        file = self._folder / "bare.answers.json"
        file.write_bytes(orjson.dumps(answers))
        self.start(BARE, BARE_ANSWERS=str(file))

    def same_exchanges(self, name: str, other: str, screens: Sequence[Screen]) -> None:
        """Uses the exchanges of the server `other` also for `name`, which is the same contestant started with other options."""
        for screen in screens:
            self._exchanges[name, screen.name] = self._exchanges[other, screen.name]

    def exchanges(self, name: str, screen: Screen) -> list[Exchange]:
        """Returns the requests for a screen to a server, with the responses that were compared."""
        return self._exchanges[name, screen.name]

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine on the load generator's event loop."""
        with undisturbed():
            return self._loop.run(work)

    def measure(self, name: str, screen: Screen, *, connections: int, seconds: float, number: int = 0) -> Measured:
        """Measures a server under load. Raises LoadError if a response differs from the one that was compared."""
        server = self.servers[name]
        server_cpu, database_cpu = server.cpu_seconds(), database_cpu_seconds(self.url)
        sequences = in_turn(self._exchanges[name, screen.name], connections)
        outcome = self.run(load(server.address, sequences, seconds=seconds))
        database_after = database_cpu_seconds(self.url)
        return Measured(
            name,
            screen.name,
            number,
            connections,
            outcome.requests,
            outcome.began,
            outcome.seconds,
            server.cpu_seconds() - server_cpu,
            None if database_cpu is None or database_after is None else database_after - database_cpu,
            outcome.own_cpu_seconds,
            [each * 1000 for each in outcome.latencies],
        )

    def rounds(
        self, names: Sequence[str], screens: Sequence[Screen], rounds: int, stretches: Sequence[tuple[int, float]], within: float = 3600
    ) -> Iterator[Measured]:
        """Measures every contestant on every screen, `rounds` times, in a different order each time. `stretches` are (connections, seconds).

        Apart from the first two, no round begins after `within` seconds. An additional first round is not counted: it warms up connections, prepared
        statements and caches.
        """
        until = time.monotonic() + within
        for screen in screens:
            for name in names:
                self.measure(name, screen, connections=8, seconds=0.3)
        for number in range(rounds):
            if number > 1 and time.monotonic() > until:
                return
            for screen in screens:
                turn = number % len(names)
                for name in (*names[turn:], *names[:turn]):
                    for connections, seconds in stretches:
                        yield self.measure(name, screen, connections=connections, seconds=seconds, number=number)

    def memory(self) -> dict[str, int]:
        """Returns the resident memory of each server, in bytes."""
        return {name: server.rss() for name, server in self.servers.items()}

    def stop(self) -> None:
        """Stops the servers, after which their reports can be read. May be called several times."""
        for server in self.servers.values():
            server.stop()
        self._loop.close()


@contextmanager
def contest(url: str, cores: str) -> Iterator[Contest]:
    """Yields a contest on a database, and stops its servers afterwards. Their logs are deleted; a StartError includes the end of the log.

    Raises FellBackError at the end if the breadth-first executor left an operation to graphql-core, since then it was not what was measured.
    """
    with tempfile.TemporaryDirectory(prefix="rollcall-bench-") as folder:
        running = Contest(url, Path(folder), cores)
        try:
            yield running
        finally:
            running.stop()
        found = {name: server.fallbacks() for name, server in running.servers.items() if server.fallbacks()}
        if found:
            raise FellBackError(f"operations were left to graphql-core: {found}")
