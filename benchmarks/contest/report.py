"""Writes the results as a page: tables of medians, ratios, and the environment of the measurement."""

from collections.abc import Iterable
from statistics import median
from typing import Any

__all__ = ["TARGETS", "written"]

# The goals of this server, as (screen, compared with, how many times faster).
TARGETS = [
    ("small", "stock", 5.0),
    ("medium", "stock", 20.0),
    ("large", "stock", 20.0),
    ("small", "postgraphile", 2.0),
    ("medium", "postgraphile", 1.6),
    ("large", "postgraphile", 1.8),
    ("medium", "statement", 1.0),
    ("large", "statement", 1.0),
]
_SCREENS = {
    "small": "one student with user and class",
    "medium": "a class with 25 students and their 5 latest grades with subject",
    "large": "200 students with user, class and 10 attendance marks each",
}
_RSS_LIMIT_MB = 120


def _of(found: Iterable[dict[str, Any]], contestant: str, screen: str, connections: int | None = None) -> list[dict[str, Any]]:
    return [
        each
        for each in found
        if each["contestant"] == contestant and each["screen"] == screen and connections in (None, each["connections"])
    ]


def _rate(each: dict[str, Any]) -> float:
    return float(each["requests"] / each["seconds"])


def _rates(found: list[dict[str, Any]], contestant: str, screen: str) -> list[float]:
    return [_rate(each) for each in _of(found, contestant, screen) if each["connections"] > 1]


def _times(found: list[dict[str, Any]], contestant: str, other: str, screen: str) -> float | None:
    """Returns how many times faster a server is: the median of the ratios of each round, whose measurements are close in time."""
    pairs = list(zip(_rates(found, contestant, screen), _rates(found, other, screen), strict=False))
    return median(mine / others for mine, others in pairs) if pairs else None


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(head: list[str], rows: Iterable[list[str]]) -> list[str]:
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head), *(f"| {' | '.join(row)} |" for row in rows), ""]


def _per_request(found: list[dict[str, Any]], contestant: str, screen: str, what: str) -> float | None:
    values = [
        each[what] / each["requests"] * 1000
        for each in _of(found, contestant, screen)
        if each["connections"] > 1 and each[what] is not None
    ]
    return median(values) if values else None


def _screen(results: dict[str, Any], screen: str, ours: str) -> list[str]:
    found, rows = results["sections"]["screens"], []
    for name, title in results["titles"].items():
        rates = _rates(found, name, screen)
        if not rates:
            continue
        alone = _of(found, name, screen, 1)
        collected = [each for each in results["collections"].get(name, []) if each["screen"] == screen and "collecting" in each]
        seconds = sum(each["seconds"] for each in collected)
        rows.append(
            [
                f"**{title}**" if name == ours else title,
                _number(median(rates)),
                _number(_times(found, ours, name, screen)) if name != ours else "",
                f"{_number(median(each['p50'] for each in alone))} / {_number(median(each['p99'] for each in alone))}",
                _number(_per_request(found, name, screen, "server_cpu")),
                _number(_per_request(found, name, screen, "database_cpu")),
                f"{sum(each['collecting'] for each in collected) / seconds:.0%}, {max(each['longest'] for each in collected) * 1000:.1f}"
                if seconds
                else "–",
                f"{max(_rates_spread(rates)):.0%}",
            ]
        )
    head = [
        "", "requests/s, 32 connections", f"{results['titles'][ours]} is × faster", "p50 / p99, 1 connection, ms",
        "CPU of the server, ms a request", "CPU of PostgreSQL, ms a request", "garbage collector: share, longest ms", "rounds within",
    ]  # fmt: skip
    return [f"## {screen.capitalize()}: {_SCREENS[screen]}", "", *_table(head, rows)]


def _rates_spread(rates: list[float]) -> list[float]:
    middle = median(rates)
    return [abs(each - middle) / middle for each in rates]


def _less_cpu(found: list[dict[str, Any]], contestant: str, other: str, screen: str) -> float | None:
    mine, others = (_per_request(found, each, screen, "server_cpu") for each in (contestant, other))
    return None if not mine or others is None else others / mine


def _targets(results: dict[str, Any], ours: str) -> list[str]:
    found, rows = results["sections"]["screens"], []
    for screen, other, wanted in TARGETS:
        times = _times(found, ours, other, screen)
        if times is not None:
            said = "reached" if times >= wanted else "**not reached**"
            rows.append(
                [screen, results["titles"][other], f"{wanted:g}", _number(times), _number(_less_cpu(found, ours, other, screen)), said]
            )
    megabytes = results["memory"][ours] / 2**20
    said = "reached" if megabytes < _RSS_LIMIT_MB else "**not reached**"
    rows.append(["memory after the run, MB", "", f"< {_RSS_LIMIT_MB}", _number(megabytes), "", said])
    head = ["", "than", "× faster, wanted", "× faster, measured", "× less CPU of the server for a request", ""]
    return ["## What it is meant to reach", "", *_table(head, rows)]


def _growth(results: dict[str, Any]) -> list[str]:
    found = results["sections"]["growth"]
    sizes = list(dict.fromkeys(each["screen"] for each in found))
    rows = []
    for name, title in results["titles"].items():
        if _of(found, name, sizes[0]):
            rows.append([title, *(_number(median(each["p50"] for each in _of(found, name, size))) for size in sizes)])
    return ["## How the cost grows", "", "The large screen with one connection, ms for a page (median).", "", *_table(["", *sizes], rows)]


def _teacher(results: dict[str, Any]) -> list[str]:
    found = results["sections"]["teacher"]
    screens = list(dict.fromkeys(each["screen"] for each in found))
    names = dict.fromkeys(each["contestant"] for each in found)
    rows = [[results["titles"][name], *(_number(median(_rates(found, name, screen))) for screen in screens)] for name in names]
    return [
        "## As a teacher",
        "",
        "Requests/s with 32 connections. A teacher sees some of the students and of their marks (and no users), and each request reads first how far.",
        "",
        *_table(["", *screens], rows),
    ]


def _workers(results: dict[str, Any]) -> list[str]:
    found = results["sections"]["workers"]
    screens = list(dict.fromkeys(each["screen"] for each in found))
    names = list(dict.fromkeys(each["contestant"] for each in found))
    rows = [
        [name.replace("1 workers", "1 worker"), *(_number(median(_rates(found, name, screen))) for screen in screens)] for name in names
    ]
    note = "Requests/s with 32 connections; here the server may use every core, as PostgreSQL and the load do."
    return ["## Workers", "", note, "", *_table(["", *screens], rows)]


def _memory(results: dict[str, Any]) -> list[str]:
    rows = [[title, _number(results["memory"][name] / 2**20)] for name, title in results["titles"].items() if name in results["memory"]]
    return ["## Memory", "", "Resident after all rounds of the three screens, MB.", "", *_table(["", "MB"], rows)]


def _how(results: dict[str, Any]) -> list[str]:
    machine = results["machine"]
    share = max(each["load_cpu"] / each["seconds"] for each in results["sections"]["screens"])
    rounds = 1 + max(each["round"] for each in results["sections"]["screens"])
    where = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, Python {machine['python']}"
    )
    return [
        "# Reading, measured",
        "",
        f"By `make bench` on {results['at'][:10]}: {where}. The load of the machine before was {machine['load_before'][0]:.1f}.",
        "All figures, with their percentiles: [bench.json](bench.json).",
        "",
        "The district school (20,000 students, 2 million grades, 3 million marks), asked by an administrator, with a token in every request.",
        "Every server is one process pinned to the first core, with a pool of at most 25 connections. The load comes from another process on the",
        f"other core, of which it took {share:.0%} at most; PostgreSQL may use both. There were {rounds} rounds, in which the servers took turns; figures are",
        "medians of the rounds, ratios medians of the ratios within a round.",
        "",
        "Before anything is timed, every answer is compared with the reference's, key for key; under load every answer is compared, byte for byte,",
        "with the one that was compared. One that differs, or has errors, ends the run. What is not Rollcall looks at no token and hides no row from",
        "anybody: it does less.",
        "",
    ]


def written(results: dict[str, Any]) -> str:
    """Returns the page as Markdown."""
    ours = "breadth_first" if "breadth_first" in results["titles"] else "graphql_core"
    parts = [_how(results), _targets(results, ours)]
    parts += [_screen(results, screen, ours) for screen in _SCREENS]
    parts += [_growth(results), _teacher(results), _workers(results), _memory(results)]
    return "\n".join(line for part in parts for line in part)
