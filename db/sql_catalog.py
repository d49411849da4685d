"""Loads the named queries of `db/sql/*.sql` once at import, as attributes: `queries.students`. db/sql/README.md describes the format."""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from db.constraint_messages import CONSTRAINTS, Rule
from db.personal_data import Table, check_paths, parse_personal_data
from db.query_compiler import Query
from db.query_templates import VISIBLE, Fragment, Order
from db.row_writes import Record
from db.sql_checks import is_restricted, list_problem, split_flag
from db.sql_entries import Entry, Option, read_entries
from db.sql_lexer import masked

__all__ = ["Queries", "VisibilityRule", "queries"]

_FOLDER = Path(__file__).parent / "sql"
# The table of which a list's rows are. A subquery or a function in its place is not matched.
_MAIN_TABLE = re.compile(r"\nFROM (?P<table>[a-z_]+)(?=\s)")
_CONSTRAINT = re.compile(r"(?P<code>[A-Z_]+) (?P<field>-|[a-z][A-Za-z]*) (?P<message>[A-Z].*\.)")


@dataclass(frozen=True, slots=True)
class VisibilityRule:
    """Who sees which rows of a noun, in words: the roles that see all of them, and the comment of the rule that restricts everybody else."""

    unrestricted: frozenset[str]
    purpose: str


class Queries:
    """All queries by name, as attributes; all records in `records` and all tables with their personal data in `tables`, by table.

    `constraints` has the messages of the records' constraints by name, `visibility_rules` the rules of visibility.sql in words by noun.

    Raises ValueError with file and line for an entry that does not follow the format, and AttributeError for a name that no query has.
    """

    def __init__(self, folder: Path) -> None:
        entries = [entry for path in sorted(folder.glob("*.sql")) for entry in read_entries(path)]
        self._visibility: dict[str, Fragment] = {}
        self.visibility_rules: dict[str, VisibilityRule] = {}
        self._queries: dict[str, Query] = {}
        self.records: dict[str, Record] = {}
        self.tables: dict[str, Table] = {}
        self.constraints: dict[str, Rule] = {}
        for entry in entries:
            if entry.kind == "visible":
                noun, alias = entry.title.split()
                _refuse_second(entry, noun, self._visibility)
                self._visibility[noun] = Fragment(entry.sql, alias)
                roles = frozenset(role for option in entry.options for role in option.sql.split())
                self.visibility_rules[noun] = VisibilityRule(roles, entry.purpose)
            elif entry.kind == "table":
                _refuse_second(entry, entry.title, self.tables)
                self.tables[entry.title] = _table(entry)
        for entry in entries:
            if entry.kind == "record":
                _refuse_second(entry, entry.title, self.records)
                self.records[entry.title] = _record(entry)
                self.constraints |= _constraints(entry)
            elif entry.kind not in ("visible", "table"):
                _refuse_second(entry, entry.title, {*self._queries, *dir(self)})
                self._queries[entry.title] = _query(entry, self._visibility)
        for entry in entries:
            _check_table(entry, self.tables)

    def __getattr__(self, name: str) -> Query:
        try:
            return self._queries[name]
        except KeyError:
            raise AttributeError(f"no query is called {name!r}") from None

    def __iter__(self) -> Iterator[Query]:
        return iter(self._queries.values())

    @property
    def visible_nouns(self) -> frozenset[str]:
        return frozenset(self._visibility)


def _refuse_second(entry: Entry, name: str, known: Container[str]) -> None:
    if name in known:
        raise entry.error(f"another {entry.kind} is called {name} already")


def _record(entry: Entry) -> Record:
    columns = tuple(entry.sql.split())
    wrong = [each for each in columns if not each.isidentifier() or columns.count(each) > 1]
    if wrong:
        raise entry.error(f"{entry.title} has columns that are no names, or that are given twice: {' '.join(wrong)}")
    return Record(entry.title, entry.purpose, columns)


def _constraints(entry: Entry) -> dict[str, Rule]:
    """Returns the messages of a table's constraints by their names: `-- constraint name: CODE field message`, `-` for no one field."""
    found: dict[str, Rule] = {}
    for option in entry.options:
        match = _CONSTRAINT.fullmatch(option.sql)
        if match is None or not option.name.startswith(f"{entry.title}_"):
            raise entry.error(f"{option.name} must be a constraint of {entry.title}, with a code, a field (or -) and a message")
        found[option.name] = (match["code"], None if match["field"] == "-" else match["field"], match["message"])
    return found


def _table(entry: Entry) -> Table:
    other = tuple(entry.sql.split())
    named = [option for option in entry.options if option.name]
    reasons = [option.sql.partition("–")[2].strip() for option in entry.options if not option.name]
    if bool(named) == bool(reasons):
        raise entry.error(f"{entry.title} must say which of its columns are personal data, or why none is (`-- personal: none – why`)")
    personal = []
    for option in named:
        try:
            personal.append(parse_personal_data(option.name, option.sql_type, option.sql))
        except ValueError as error:
            raise entry.error(str(error), option) from None
    twice = {column.name for each in personal for column in each.columns}.intersection(other)
    wrong = [each for each in other if not each.isidentifier() or other.count(each) > 1 or each in twice]
    if wrong:
        raise entry.error(f"{entry.title} lists columns that are no names, that are given twice or are also personal: {' '.join(wrong)}")
    return Table(entry.title, entry.purpose, other, tuple(personal), "".join(reasons))


def _check_table(entry: Entry, tables: dict[str, Table]) -> None:
    """Raises ValueError for a list or a record whose table does not say which of its columns are personal data, and for a table whose paths lead nowhere."""
    match entry.kind:
        case "table":
            problem = check_paths(tables[entry.title], tables)
            if problem:
                raise entry.error(problem)
            return
        case "record":
            name, columns = entry.title, entry.sql.split()
        case "page" | "totals":
            main = _MAIN_TABLE.search(entry.sql)
            name, columns = main["table"] if main else "", []
        case _:
            return
    if name and name not in tables:
        raise entry.error(f"no entry `-- table: {name}` says which columns of {name} are personal data")
    undeclared = [each for each in columns if each not in tables[name].columns]
    if undeclared:
        raise entry.error(f"`-- table: {name}` does not say whether these columns are personal data: {', '.join(undeclared)}")


def _query(entry: Entry, visibility: dict[str, Fragment]) -> Query:
    query = Query(entry.title, entry.purpose, entry.sql, entry.path.name, visibility)
    for option in entry.options:
        _add_option(query, option)
    if entry.kind != "name":
        _check_list(entry, query)
        head, where = query.body.split("\nWHERE ")
        # In brackets, or what is added with AND would bind to the last part of an OR alone.
        query.body = f"{head}\nWHERE (\n{where}\n)"
    unknown = {*query.nouns(), *query.guards.values(), *query.id_guards.values()} - set(visibility)
    if unknown:
        raise entry.error(f"no visibility rule is called {', '.join(sorted(unknown))}")
    for noun in query.id_guards.values():
        try:
            query.reach_of(noun)
        except ValueError as error:
            raise entry.error(f"{query.name} cannot guard ids: {error}") from None
    return query


def _add_option(query: Query, option: Option) -> None:
    name, sql = option.name, option.sql
    match option.kind:
        case "key":
            query.key = sql
        case "public":
            query.public = sql
        case "order":
            query.orders[name] = Order(sql, option.sql_type, option.needs)
        case "filter":
            query.filters[name] = sql
        case "flag":
            when, unless = split_flag(sql)
            query.flags |= {name}
            query.filters |= {f"{name}=true": when, f"{name}=false": unless or f"NOT ({when})"}
        case "by":
            query.keys[name] = (sql, option.sql_type)
        case "group":
            query.groups[name] = sql
        case "guard":
            query.guards[name] = sql
        case "ids":
            query.id_guards[name] = sql
        case _:
            query.parents[name] = sql


def _check_list(entry: Entry, query: Query) -> None:
    """Raises ValueError when a page or totals lack what is needed to page, count and restrict them."""
    problem = list_problem(query.body, is_page=entry.kind == "page")
    if problem:
        raise entry.error(f"{query.name} {problem}")
    if entry.kind == "page" and not (query.key and query.orders):
        raise entry.error(f"{query.name} needs a key and an order")
    if entry.kind == "totals" and not (query.groups and query.body.startswith("SELECT\n")):
        raise entry.error(f"{query.name} needs a group, and SELECT on a line of its own")
    if any(not set(order.needs) <= set(query.filters) for order in query.orders.values()):
        raise entry.error(f"an order of {query.name} needs a filter that it does not have")
    for name in (*query.guards, *query.id_guards):
        if not ({name, f"{name}=true"} & (query.orders.keys() | query.filters.keys())):
            raise entry.error(f"{query.name} has no order or filter {name} to guard")
    where = query.body.split("\nWHERE ")[1]
    restricted = VISIBLE.search(masked(where)) is not None
    if restricted == bool(query.public):
        raise entry.error(
            f"{query.name} must say who sees its rows: `@visible(…)` in its WHERE, or `-- public: why` where everybody signed in may see all"
            + (", not both" if restricted else "")
        )
    if restricted and not is_restricted(where):
        raise entry.error(
            f"the rule of {query.name} must restrict its rows: AND joins it to all other conditions, and OR and NOT do not reach it"
        )


queries = Queries(_FOLDER)
CONSTRAINTS.update(queries.constraints)
