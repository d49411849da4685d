"""Measures the time that every field takes per point of its cost, and fails on an outlier.

    python -m benchmarks.costs [--viewer teacher@demo.school] [--only Student]

Runs on the school-scale data set, without a network. A field is measured on every object at the end of a path, compared with the path alone. Then
it is selected as often as `MAX_COST` and the limit of aliases allow: no such operation may take longer than a second, or block the event loop for
20 ms.
"""

import argparse
import sys
from dataclasses import dataclass

import psycopg
import uvloop

from benchmarks.costs.operation_timer import Application, Taken
from benchmarks.costs.operations import Arguments, Probe, probes
from benchmarks.district_school import seeded
from config import load_settings
from schema import make_schema

__all__ = ["main"]

_ALIASES = 30
# The milliseconds that an operation with the highest cost may take. Each point may take its share of them.
_MOST = 1_000.0
# Differences below this, or below this share of the path's own time, are noise from other load on the machine.
_NOISE = 4.0
_NOISE_SHARE = 0.5
# The milliseconds for which an operation within the limits may block the event loop without interruption.
_MOST_HELD = 20.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Holds the figures of one field: the points and milliseconds that it adds to its path, and the operation that selects it as often as allowed."""

    name: str
    points: int
    ms: float
    base_ms: float
    aliases: int
    whole_points: int
    whole: Taken

    @property
    def per_point(self) -> float:
        """The microseconds per point of cost."""
        return max(0.0, self.ms - _NOISE - _NOISE_SHARE * self.base_ms) * 1000 / max(self.points, 1)

    def is_outlier(self, limit: int) -> bool:
        within = self.whole_points <= limit
        return self.per_point > _MOST * 1000 / limit or (within and (self.whole.ms > _MOST or self.whole.held_ms > _MOST_HELD))

    def __str__(self) -> str:
        return (
            f"{self.name:60} {self.points:7} points {self.ms:8.1f} ms {self.per_point:6.1f} µs a point | × {self.aliases:<2} {self.whole_points:7} points"
            f" {self.whole.ms:6.0f} ms ({self.whole.clock_ms:.0f} by the clock), held {self.whole.held_ms:5.0f} ms, {self.whole.size / 1e6:5.1f} MB {' '.join(sorted(self.whole.codes))}"
        )


async def _measured(app: Application, probe: Probe, limit: int, *, whole: bool) -> Measured:
    alone, once = probe.write(0), probe.write(1)
    before, points = app.cost(alone), app.cost(once)
    base, taken = await app.taken(alone), await app.taken(once)
    added, aliases, most = points - before, 1, taken
    if whole and points < limit:
        aliases = max(1, min(_ALIASES, (limit - before) // max(added, 1)))
        # Stop early: an outlier is recognisable before all rounds have been run.
        while aliases > 2 and (taken.ms - base.ms) * aliases > 3 * _MOST:
            aliases //= 2
        most = await app.taken(probe.write(aliases), rounds=2)
    return Measured(probe.name, added, taken.ms - base.ms, base.ms, aliases, app.cost(probe.write(aliases)), most)


async def _run(url: str, viewer: str, only: str, limit: int, *, whole: bool) -> list[Measured]:
    with psycopg.connect(url) as connection:
        arguments = Arguments(connection)
    found = []
    async with Application.over(url) as app:
        await app.sign_in(viewer)
        for probe in probes(make_schema()._schema, arguments):
            if only in probe.name:
                found.append(await _measured(app, probe, limit, whole=whole))
                print(found[-1], flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.costs", description="Measures the milliseconds for each point of cost.")
    parser.add_argument("--viewer", default="admin@demo.school")
    parser.add_argument("--only", default="", help="fields whose name has this in it")
    parser.add_argument("--quick", action="store_true", help="each field once, not as often as is allowed")
    options = parser.parse_args()
    limit = load_settings().max_cost
    with seeded("school") as url:
        found = uvloop.run(_run(url, options.viewer, options.only, limit, whole=not options.quick))
    values = sorted(each.per_point for each in found)
    outliers = [each for each in found if each.is_outlier(limit)]
    print(
        f"{len(found)} operations; median {values[len(values) // 2]:.1f} µs a point; allowed {_MOST * 1000 / limit:.0f} µs and {_MOST:.0f} ms"
    )
    for each in outliers:
        print(f"OUTLIER {each}")
    sys.exit(bool(outliers))


if __name__ == "__main__":
    main()
