"""The named statements of `db/queries/*.sql`, read once at import: `queries.students_by_id`.

A file holds entries, each begun by its header:

    -- name: student_by_number          a statement
    -- One line that says what for.
    SELECT …  WHERE s.student_number = $number AND @visible(students s)

    -- page: students                   a list that is paged, filtered, sorted, counted, alone or per parent
    -- One line that says what for.
    SELECT s.id, …                      (no DISTINCT, GROUP BY, ORDER BY or LIMIT: the page adds what it needs)
    FROM students s
    WHERE @visible(students s)
    -- key: s.id                        breaks ties; a uuid
    -- order name text: s.sort_key      name, the SQL type, an expression that is never null; `needs class_ids` behind the type: a whole list
                                        is sorted so only with that filter (or one of several, after commas)
    -- filter is_active: s.is_active = $is_active       the parameter has the filter's name
    -- flag is_open: h.to_date IS NULL  a yes-or-no filter: one condition or its opposite (ELSE says another), no parameter
    -- per class: s.class_id = $parent  may be read for many parents at once
    -- by number text: s.student_number may be fetched by keys: name, the SQL type, an expression

    -- totals: attendance_totals        what is counted of a list, grouped or not, alone or per parent; filters, flags and parents as above
    -- One line that says what for.
    SELECT                              (on a line of its own)
        count(*) AS days, …
    FROM attendance a
    WHERE @visible(attendance a)
    -- group subject: a.subject_id AS subject_id        what it may be grouped by: a name, expressions with AS

    -- visible: students s              a visibility rule (visibility.sql alone), over a formal alias
    -- Who, in words.
    s.id = ANY($reach_students::uuid[])

    -- record: subjects                 a table whose single rows are written (records.py), and the columns that a writer may give
    -- One line that says what for.
    code name description

Parameters are named and become native ones; `$reach_…` are filled from the viewer's reach.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from db.records import Record
from db.statements import Fragment, Order, Query

__all__ = ["Queries", "queries"]

_ENTRY = re.compile(r"^-- (?P<kind>name|page|totals|visible|record): *(?P<title>.+)$", re.MULTILINE)
_OPTION = re.compile(
    r"^-- (?P<kind>key|order|filter|flag|per|by|group)(?: (?P<name>[a-z_]+))?(?: (?P<type>[a-z]+))?(?: needs (?P<needs>[a-z_, ]+))?: *(?P<sql>.+)$"
)
_FOLDER = Path(__file__).parent / "queries"


class Queries:
    """All statements by name, as attributes. Raises ValueError at import for a file that does not read as the module says."""

    def __init__(self, folder: Path) -> None:
        entries = [(path, *entry) for path in sorted(folder.glob("*.sql")) for entry in _entries(path)]
        self._visibility: dict[str, Fragment] = {}
        self._queries: dict[str, Query] = {}
        for path, kind, title, text in entries:
            if kind == "visible":
                noun, alias = title.split()
                _, sql = _purpose(text, path)
                self._visibility[noun] = Fragment(_without_comments(sql), alias)
        self.records: dict[str, Record] = {}
        for path, kind, title, text in entries:
            if kind == "record":
                purpose, columns = _purpose(text, path)
                self.records[title] = Record(title, purpose, tuple(columns.split()))
            elif kind != "visible":
                if title in self._queries:
                    raise ValueError(f"{path.name}: {title} is there already")
                self._queries[title] = self._read(kind, title, text, path)

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

    def _read(self, kind: str, title: str, text: str, path: Path) -> Query:
        purpose, rest = _purpose(text, path)
        lines: list[str] = []
        query = Query(title, purpose, "", path.name, self._visibility)
        for line in rest.splitlines():
            option = _OPTION.match(line)
            if option is None:
                lines.append(line)
            else:
                _add_option(query, option)
        query.body = _without_comments("\n".join(lines)).strip().rstrip(";")
        if kind == "page" and not (query.key and query.orders and "\nWHERE " in query.body):
            raise ValueError(f"{path.name}: the page {title} needs a key, an order and a WHERE")
        if kind == "totals" and not (query.groups and query.body.startswith("SELECT\n") and "\nWHERE " in query.body):
            raise ValueError(f"{path.name}: the totals {title} need a group, a WHERE and a SELECT on a line of its own")
        if any(not set(order.needs) <= set(query.filters) for order in query.orders.values()):
            raise ValueError(f"{path.name}: an order of {title} needs a filter that it does not have")
        unknown = set(query.nouns()) - set(self._visibility)
        if unknown:
            raise ValueError(f"{path.name}: {title} asks who sees {', '.join(sorted(unknown))}, and no rule says so")
        return query


def _add_option(query: Query, option: re.Match[str]) -> None:
    name, sql_type, sql = option["name"], option["type"], option["sql"]
    match option["kind"]:
        case "key":
            query.key = sql
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
        case _:
            query.parents[name] = sql


def _entries(path: Path) -> Iterator[tuple[str, str, str]]:
    text = path.read_text(encoding="utf-8")
    found = list(_ENTRY.finditer(text))
    for entry, following in zip(found, [*found[1:], None], strict=True):
        yield entry["kind"], entry["title"].strip(), text[entry.end() : following.start() if following else None].strip("\n")


def _purpose(text: str, path: Path) -> tuple[str, str]:
    """What the entry says it is for (the comment lines that it begins with), and the rest of it."""
    lines = text.splitlines()
    said = 0
    while said < len(lines) and lines[said].startswith("-- "):
        said += 1
    if not said:
        raise ValueError(f"{path.name}: an entry says in its second line what it is for, not {lines[:1]}")
    return " ".join(line[3:].strip() for line in lines[:said]), "\n".join(lines[said:])


def _without_comments(sql: str) -> str:
    return "\n".join(line for line in sql.splitlines() if not line.lstrip().startswith("--")).strip()


queries = Queries(_FOLDER)
