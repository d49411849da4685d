"""The named statements of `db/sql/*.sql`, read once at import: `queries.students_by_id`. db/sql/README.md describes the format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from db.query_compiler import Query
from db.query_templates import Fragment, Order
from db.row_writes import Record
from db.sql_lexer import without_comments

__all__ = ["Queries", "queries"]

_ENTRY = re.compile(r"^-- (?P<kind>name|page|totals|visible|record): *(?P<title>.+)$", re.MULTILINE)
# Prose begins with a capital, an option with a word in lower case: what looks like an option and is none is a mistake, and is refused.
_LOOKS_LIKE_AN_OPTION = re.compile(r"-- ?[a-z]")
_OPTION = re.compile(r"^-- (?P<kind>[a-z]+)(?: (?P<name>[a-z_]+))?(?: (?P<type>[a-z]+))?(?: needs (?P<needs>[a-z_, ]+))?: *(?P<sql>.+)$")
# What each kind of entry may have, and whether the option has a name and an SQL type.
_OPTIONS = {
    "page": {"key", "public", "order", "filter", "flag", "per", "by", "guard", "ids"},
    "totals": {"public", "group", "filter", "flag", "per"},
    "name": set[str](),
}
_NAMED = {"order", "filter", "flag", "per", "by", "group", "guard", "ids"}
_TYPED = {"order", "by"}
_FOLDER = Path(__file__).parent / "sql"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a file; `line` is that of its header, counted from 1."""

    path: Path
    line: int
    kind: str
    title: str
    text: str

    def error(self, message: str, offset: int = 0) -> ValueError:
        return ValueError(f"{self.path.name}:{self.line + offset}: {message}")

    def purpose(self) -> tuple[str, int]:
        """What the entry says it is for (the comment lines that it begins with), and how many lines that takes."""
        lines = self.text.splitlines()
        said = 0
        while said < len(lines) and lines[said].startswith("-- "):
            said += 1
        if not said:
            raise self.error(f"{self.title} must say in its second line what it is for")
        return " ".join(line[3:].strip() for line in lines[:said]), said


class Queries:
    """All statements by name, as attributes. Raises ValueError with file and line for an entry that does not follow the format."""

    def __init__(self, folder: Path) -> None:
        entries = [entry for path in sorted(folder.glob("*.sql")) for entry in _entries(path)]
        self._visibility: dict[str, Fragment] = {}
        self._queries: dict[str, Query] = {}
        self.records: dict[str, Record] = {}
        for entry in entries:
            if entry.kind == "visible":
                noun, alias = entry.title.split()
                self._visibility[noun] = Fragment(_rest(entry), alias)
        for entry in entries:
            if entry.kind == "record":
                self.records[entry.title] = Record(entry.title, entry.purpose()[0], tuple(_rest(entry).split()))
            elif entry.kind != "visible":
                if entry.title in self._queries:
                    raise entry.error(f"another statement is called {entry.title} already")
                self._queries[entry.title] = self._read(entry)

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"no statement is called {name!r}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())

    @property
    def visible_nouns(self) -> frozenset[str]:
        return frozenset(self._visibility)

    def _read(self, entry: _Entry) -> Query:
        purpose, said = entry.purpose()
        query = Query(entry.title, purpose, "", entry.path.name, self._visibility)
        sql: list[str] = []
        seen: set[tuple[str, str | None]] = set()
        for offset, line in enumerate(entry.text.splitlines()[said:], start=said + 1):
            if not _LOOKS_LIKE_AN_OPTION.match(line):
                sql.append(line)
                continue
            option = _OPTION.match(line)
            problem = _problem(entry.kind, option, seen)
            if option is None or problem:
                raise entry.error(f"{problem}: {line}", offset)
            seen.add((option["kind"], option["name"]))
            _add_option(query, option)
        query.body = without_comments("\n".join(sql)).rstrip(";")
        if entry.kind != "name":
            _check_list(entry, query)
            head, where = query.body.split("\nWHERE ")
            # In brackets, or what is added with AND would bind to the last part of an OR alone.
            query.body = f"{head}\nWHERE (\n{where}\n)"
        unknown = {*query.nouns(), *query.guards.values(), *query.id_guards.values()} - set(self._visibility)
        if unknown:
            raise entry.error(f"no visibility rule is called {', '.join(sorted(unknown))}")
        for noun in query.id_guards.values():
            try:
                query.reach_of(noun)
            except ValueError as error:
                raise entry.error(f"{query.name} cannot guard ids: {error}") from None
        return query


def _problem(kind: str, option: re.Match[str] | None, seen: set[tuple[str, str | None]]) -> str | None:
    """What is wrong with a line that looks like an option; None when it is one that this kind of entry may have."""
    if option is None or option["kind"] not in _OPTIONS[kind]:
        allowed = ", ".join(sorted(_OPTIONS[kind])) or "none"
        return f"not an option of a {kind} (options: {allowed}; comments begin with a capital letter)"
    what, name, sql = option["kind"], option["name"], option["sql"]
    if (what in _NAMED) != (name is not None):
        return f"{what} {'needs a name' if name is None else 'has no name'}"
    if (what in _TYPED) != (option["type"] is not None):
        return f"{what} {'needs an SQL type' if option['type'] is None else 'has no SQL type'}"
    if (what, name) in seen:
        return f"{what} {name or ''} is given twice"
    if what == "filter" and f"${name}" not in sql:
        return f"filter {name} does not use its parameter ${name}"
    if what == "per" and "$parent" not in sql:
        return f"per {name} does not use $parent"
    return None


def _check_list(entry: _Entry, query: Query) -> None:
    """Raises ValueError when a page or totals lack what is needed to page, count and restrict them."""
    if query.body.count("\nWHERE ") != 1:
        raise entry.error(f"{query.name} needs one WHERE at the beginning of a line")
    if entry.kind == "page" and not (query.key and query.orders):
        raise entry.error(f"{query.name} needs a key and an order")
    if entry.kind == "totals" and not (query.groups and query.body.startswith("SELECT\n")):
        raise entry.error(f"{query.name} needs a group, and SELECT on a line of its own")
    if any(not set(order.needs) <= set(query.filters) for order in query.orders.values()):
        raise entry.error(f"an order of {query.name} needs a filter that it does not have")
    for name in (*query.guards, *query.id_guards):
        if not ({name, f"{name}=true"} & (query.orders.keys() | query.filters.keys())):
            raise entry.error(f"{query.name} has no order or filter {name} to guard")
    restricted = "@visible(" in query.body.split("\nWHERE ")[1]
    if restricted == bool(query.public):
        raise entry.error(
            f"{query.name} must say who sees its rows: `@visible(…)` in its WHERE, or `-- public: why` where everybody signed in may see all"
            + (", not both" if restricted else "")
        )


def _add_option(query: Query, option: re.Match[str]) -> None:
    name, sql_type, sql = option["name"], option["type"], option["sql"]
    match option["kind"]:
        case "key":
            query.key = sql
        case "public":
            query.public = sql
        case "order":
            query.orders[name] = Order(sql, sql_type, tuple((option["needs"] or "").replace(",", " ").split()))
        case "filter":
            query.filters[name] = sql
        case "flag":
            when, _, unless = sql.partition(" ELSE ")
            query.flags |= {name}
            query.filters |= {f"{name}=true": when, f"{name}=false": unless or f"NOT ({when})"}
        case "by":
            query.keys[name] = (sql, sql_type)
        case "group":
            query.groups[name] = sql
        case "guard":
            query.guards[name] = sql
        case "ids":
            query.id_guards[name] = sql
        case _:
            query.parents[name] = sql


def _entries(path: Path) -> Iterator[_Entry]:
    text = path.read_text(encoding="utf-8")
    found = list(_ENTRY.finditer(text))
    for header, following in zip(found, [*found[1:], None], strict=True):
        content = text[header.end() : following.start() if following else None].strip("\n")
        yield _Entry(path, text.count("\n", 0, header.start()) + 1, header["kind"], header["title"].strip(), content)


def _rest(entry: _Entry) -> str:
    return without_comments("\n".join(entry.text.splitlines()[entry.purpose()[1] :]))


queries = Queries(_FOLDER)
