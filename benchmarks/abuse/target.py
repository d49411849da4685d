"""What a part of the abuse benchmark gets, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.contest.load import Address
from benchmarks.contest.processes import Server

__all__ = ["Figure", "Target"]


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value, with its bound: `at_most` or `at_least`, or neither where the value only explains another."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        return (self.at_most is None or self.value <= self.at_most) and (self.at_least is None or self.value >= self.at_least)

    @property
    def wanted(self) -> str:
        """The bound as text; empty without one."""
        bounds = (("≤", self.at_most), ("≥", self.at_least))
        return " and ".join(f"{sign} {bound:g} {self.unit}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True)
class Target:
    """The server under attack: one worker on a core of its own, over a copy of the seeded school that is thrown away afterwards.

    `tokens` has an access token for each role (ADMIN, BURSAR, TEACHER, STUDENT, GUARDIAN), of the demo accounts.
    """

    server: Server
    database_url: str
    tokens: Mapping[str, str]

    @property
    def address(self) -> Address:
        return self.server.address

    @property
    def base_url(self) -> str:
        return f"http://{self.address.host}:{self.address.port}"

    @property
    def pid(self) -> int:
        return self.server.process.pid

    def memory(self) -> float:
        """The resident memory of the largest process of the server, in MB."""
        return self.server.rss() / 1e6
