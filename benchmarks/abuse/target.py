"""Defines the argument and the result of the abuse benchmark's parts: the server to attack, and the figures measured."""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.contest.load import Address
from benchmarks.contest.processes import Server

__all__ = ["Figure", "Target"]


@dataclass(frozen=True, slots=True)
class Figure:
    """Holds a measured value with its bound, `at_most` or `at_least`; neither if the value only explains others."""

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
        """Returns the bound as text; an empty string without one."""
        bounds = (("≤", self.at_most), ("≥", self.at_least))
        return " and ".join(f"{sign} {bound:g} {self.unit}" for sign, bound in bounds if bound is not None)


@dataclass(frozen=True, slots=True)
class Target:
    """Describes the server under attack: one worker on its own core, with a temporary copy of the seeded school.

    `tokens` maps each role (ADMIN, BURSAR, TEACHER, STUDENT, GUARDIAN) to an access token of a demo account.
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
        """Returns the resident memory of the server's largest process, in MB."""
        return self.server.rss() / 1e6
