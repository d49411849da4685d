"""From a statement's template to SQL text: visibility, filters, keyset, parameters.

A template is committed text in `db/sql/*.sql`. What is put together here are fragments of those files, chosen by name from a fixed set;
values always travel as parameters. Each combination is compiled once and kept.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from db.sql_lexer import split_columns, substitute
from db.written import Joined, Template, linked_columns
from execution.sized_cache import SizedCache

__all__ = ["COMPILED", "Choice", "Fragment", "Order", "Query", "Reach", "Statement"]

_VISIBLE = re.compile(r"@visible\((?P<noun>[a-z_.]+) (?P<alias>[a-z_]+)\)")
_PARAMETER = re.compile(r"\$(?P<name>[a-z_][a-z_0-9]*)")
_REACH = "reach_"
_IDS_IN_REACH = re.compile(r"row\.id = ANY\(\$reach_(?P<name>[a-z_]+)::uuid\[\]\)")
_NAME = re.compile(r"[a-z_0-9]+$")
# The forms of all templates that are kept, in bytes: a school's screens use some hundred of them, of 1 to 15 kB.
_MAX_BYTES = 12 << 20
# Of a form beside its text: its key, with the names of columns, and the template of what is written as JSON, which is about as long as the text.
_FORM_BYTES = 3_000

# Which columns of a template are read; None: all.
Columns = frozenset[str] | None


class Reach(Protocol):
    """How far a viewer sees: `open` are the nouns they see all rows of; ids for the others are attributes, read by name."""

    @property
    def open(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with native parameters, and the names of what goes where. `asks_reach`: some of it is the viewer's reach."""

    sql: str
    parameters: tuple[str, ...]
    asks_reach: bool

    def arguments(self, values: Mapping[str, Any], reach: Reach | None) -> list[Any]:
        """The arguments in order. Raises KeyError for a parameter that nobody gave. A statement that does not ask for a reach needs none."""
        if not self.asks_reach:
            return [values[name] for name in self.parameters]
        return [getattr(reach, name[len(_REACH) :]) if name.startswith(_REACH) else values[name] for name in self.parameters]


def _size(statement: Statement) -> int:
    return _FORM_BYTES + 3 * len(statement.sql)


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named condition: `sql` over the aliases of its template, or over the formal `alias` of a visibility rule."""

    sql: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """What a page may be sorted by: an expression that is never null, and the SQL type that its text form casts back to.

    `needs`: no index has this order, so a whole list is sorted by it only with one of these filters, which leave little to sort.
    """

    sql: str
    sql_type: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One variant of a page: which filters, which order, from where, for which parent; of totals: grouped by what. Made of names only, never of values."""

    order: str = ""
    descending: bool = False
    filters: frozenset[str] = frozenset()
    after: bool = False
    before: bool = False
    backward: bool = False
    per: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Along:
    """Rows that ride along: of another query, those whose key of this name is in this column of the rows asked for, with these columns."""

    column: str
    query: "Query"
    key: str
    columns: "Columns"


# By query and what was chosen in it.
COMPILED: SizedCache[tuple["Query", Any], Statement] = SizedCache(_MAX_BYTES)


@dataclass(eq=False, repr=False, slots=True)
class Query:
    """A named template and everything that may be chosen in it."""

    name: str
    purpose: str
    body: str
    source: str
    visibility: Mapping[str, Fragment]
    key: str = ""
    orders: dict[str, Order] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    # Why everybody signed in may see all rows, in words; empty where a visibility rule decides.
    public: str = ""
    keys: dict[str, tuple[str, str]] = field(default_factory=dict)
    guards: dict[str, str] = field(default_factory=dict)
    id_guards: dict[str, str] = field(default_factory=dict)

    @property
    def is_page(self) -> bool:
        return bool(self.orders)

    @property
    def is_totals(self) -> bool:
        return bool(self.groups)

    def chosen(self, filters: Iterable[tuple[str, Any]]) -> frozenset[str]:
        """The names of the conditions that these filters stand for. A flag is one of two conditions, and no parameter: its plan can count on it."""
        return frozenset(f"{name}={'true' if value else 'false'}" if name in self.flags else name for name, value in filters)

    def guarded(self, names: Iterable[str]) -> tuple[str, ...]:
        """Those of these orders and filters that not every viewer may use."""
        if not self.guards and not self.id_guards:
            return ()
        return tuple(name for name in names if name in self.guards or name in self.id_guards)

    def shows(self, name: str, open_nouns: frozenset[str]) -> bool:
        """Whether a viewer sees, on every row of this list that they see, what the order or filter of this name is about.

        That is who sees all rows of its noun; and, where the list's own rule is the noun's, who does not see all rows of the list.
        """
        noun = self.guards[name]
        match = _VISIBLE.search(self.body[self.body.index("\nWHERE ") :])
        own = match["noun"] if match else None
        if noun in open_nouns:
            return True
        return own is not None and own not in open_nouns and self._rule(own) == self._rule(noun)

    def reach_of(self, noun: str) -> str:
        """The name in the reach of the ids that a viewer sees of a noun. Raises ValueError when the noun's rule is more than that list of ids."""
        match = _IDS_IN_REACH.fullmatch(self._rule(noun))
        if match is None:
            raise ValueError(f"the rule of {noun} is not a list of ids")
        return match["name"]

    def _rule(self, noun: str) -> str:
        rule = self.visibility[noun]
        return re.sub(rf"(?<![A-Za-z_]){rule.alias}[.]", "row.", rule.sql).strip()

    def columns(self) -> dict[str, str]:
        """The columns of the template by name, each as it is written."""
        start = len("SELECT")
        written = split_columns(self.body[start : self._from() - 1])
        return {_NAME.search(each)[0]: each for each in written}  # type: ignore[index]  # every expression of ours ends in a name

    def _narrowed(self, columns: Columns) -> str:
        """The template with the key and these of its columns; None: with all."""
        if columns is None:
            return self.body
        known = self.columns()
        kept = [written for name, written in known.items() if name in columns or name == "id"]
        return f"SELECT {', '.join(kept)}\n{self.body[self._from() :]}"

    def _kept(self, key: Any, make: Callable[[], str], open_nouns: frozenset[str]) -> Statement:
        """The statement under this key. Which columns are read is up to clients, so not all that ever were are kept."""
        return COMPILED.get_or_make((self, key), lambda: self._finish(make(), open_nouns), _size)

    def statement(self, open_nouns: frozenset[str] = frozenset()) -> Statement:
        """The plain statement, as a viewer sees it who sees all rows of `open_nouns`."""
        return self._kept(open_nouns, lambda: self.body, open_nouns)

    def by(
        self,
        name: str,
        open_nouns: frozenset[str] = frozenset(),
        columns: Columns = None,
        along: tuple["Along", ...] = (),
        linked: tuple[Joined, ...] = (),
        *,
        single: bool = False,
    ) -> Statement:
        """The rows whose key of this name is one of `$keys` (`single`: is `$key`), unsorted; with all columns, or with the id and these.

        What comes along is in columns called `0.id`, `0.name`, `1.id` and so on; all null where there is none that the viewer may see. What is
        linked is in columns `written.0`, `written.1` and so on.
        """
        key = (name, open_nouns, columns, along, linked, single)
        return self._kept(key, lambda: linked_columns(self._by(name, columns, along, single=single), linked), open_nouns)

    def _asked(self, name: str, *, single: bool) -> str:
        """That a row's key of this name is among `$keys`.

        Of an array that it does not know PostgreSQL expects ten keys, so for a single one it would rather plan anew each time, which takes longer
        than to run the plan. And an array takes longer to send.
        """
        sql, sql_type = self.keys[name]
        return f"{sql} = $key::{sql_type}" if single else f"{sql} = ANY($keys::{sql_type}[])"

    def _by(self, name: str, columns: Columns, along: tuple["Along", ...], *, single: bool) -> str:
        rows = self.row_where(self._asked(name, single=single), columns)
        if not along:
            return rows
        brought, joined = "", ""
        for number, each in enumerate(along):
            names = [name for name in each.query.columns() if each.columns is None or name in each.columns or name == "id"]
            brought += "".join(f', along_{number}.{name} AS "{number}.{name}"' for name in names)
            condition = f"{each.query.keys[each.key][0]} = carrier.{each.column}"
            joined += f"\nLEFT JOIN LATERAL (\n{each.query.row_where(condition, each.columns)}\n) AS along_{number} ON true"
        return f"SELECT carrier.*{brought}\nFROM (\n{rows}\n) AS carrier{joined}"

    def page(
        self, choice: Choice, open_nouns: frozenset[str] = frozenset(), columns: Columns = None, linked: tuple[Joined, ...] = ()
    ) -> Statement:
        """A page: `$limit` rows, each with its `cursor_value`; with `choice.per` that many for each of `$parents`, with their `parent_key`.

        Backward pages come in reversed order: the caller turns them round. With all columns, or with the id and these. Linked: see `by`.
        """
        return self._kept((choice, open_nouns, columns, linked), lambda: self._page(choice, columns, linked), open_nouns)

    def written_page(self, choice: Choice, template: Template, open_nouns: frozenset[str] = frozenset()) -> Statement:
        """A page whose rows are written as JSON: one row, with their `written` list; with `choice.per` the lists of all `parents`."""
        return self._kept(("written", choice, template, open_nouns), lambda: self._written_page(choice, template), open_nouns)

    def _written_page(self, choice: Choice, template: Template) -> str:
        rows = f"SELECT {template.expression('written_0')} AS written\nFROM (\n{self._rows(choice, template.columns)}\n) AS written_0"
        listed = f"SELECT '[' || coalesce(string_agg(found.written, ','), '') || ']' AS written\nFROM (\n{rows}\n) AS found"
        if choice.per is None:
            return listed
        lists = self._per_parent(listed, choice)
        return f"SELECT array_agg(lists.parent_key) AS parents, array_agg(lists.written) AS written\nFROM (\n{lists}\n) AS lists"

    def written_by(self, name: str, template: Template, open_nouns: frozenset[str] = frozenset(), *, single: bool = False) -> Statement:
        """The rows that `by` gives, written as JSON: one row with the `keys` that were found and their `written` objects; `single`: the row, `written`."""
        return self._kept(
            ("written", name, template, open_nouns, single), lambda: self._written_by(name, template, single=single), open_nouns
        )

    def _written_by(self, name: str, template: Template, *, single: bool) -> str:
        if single:
            return f"SELECT {template.expression('written_0')} AS written\nFROM (\n{self.row_where(self._asked(name, single=True), template.columns)}\n) AS written_0"
        rows = self.row_where(self._asked(name, single=False), template.columns, also=f"{self.keys[name][0]} AS asked_key")
        return (
            f"SELECT array_agg(written_0.asked_key) AS keys, array_agg({template.expression('written_0')}) AS written\n"
            f"FROM (\n{rows}\n) AS written_0"
        )

    def row_where(self, condition: str, columns: Columns, *, also: str = "") -> str:
        """The template's rows that fulfil one more condition, with the id and these columns; `also` is one column more."""
        rows = f"{self._narrowed(columns)}\n  AND {condition}"
        return rows.replace("SELECT ", f"SELECT {also}, ", 1) if also else rows

    def count(self, choice: Choice, open_nouns: frozenset[str] = frozenset()) -> Statement:
        """How many rows the filters leave: one `total`, or with `choice.per` a `parent_key` and `total` for each of `$parents`."""
        return self._kept(("count", choice, open_nouns), lambda: self._count(choice), open_nouns)

    def _count(self, choice: Choice) -> str:
        return self._per_parent(f"SELECT count(*) AS total\n{self.body[self._from() :]}{self._conditions(choice)}", choice)

    def totals(self, choice: Choice, open_nouns: frozenset[str] = frozenset()) -> Statement:
        """The body's aggregates over the rows that the filters leave: one row, or one for each group; with `choice.per` so for each of `$parents`, with their `parent_key`."""
        return self._kept(("totals", choice, open_nouns), lambda: self._totals(choice), open_nouns)

    def _totals(self, choice: Choice) -> str:
        group = self.groups[choice.group] if choice.group else ""
        sql = self.body.replace("SELECT\n", f"SELECT {group},\n" if group else "SELECT\n", 1) + self._conditions(choice)
        if group:
            places = ", ".join(str(n + 1) for n in range(group.count(" AS ")))
            sql += f"\nGROUP BY {places}\nORDER BY {places}"
        return self._per_parent(sql, choice)

    def _from(self) -> int:
        return self.body.index("\nFROM ") + 1

    def _conditions(self, choice: Choice, parent: str = "asked.parent_key") -> str:
        conditions = [self.filters[name] for name in sorted(choice.filters)]
        if choice.per is not None:
            conditions.append(self.parents[choice.per].replace("$parent", parent))
        return "".join(f"\n  AND ({condition})" for condition in conditions)

    def _page(self, choice: Choice, columns: Columns, linked: tuple[Joined, ...]) -> str:
        return self._per_parent(linked_columns(self._rows(choice, columns), linked), choice)

    def rows_of(self, choice: Choice, columns: Columns, parent: str, suffix: str) -> str:
        """A page of the rows of one parent, which an expression of the statement around it names. Its parameters have a suffix."""

        def named(match: re.Match[str]) -> str:
            return match[0] if match["name"].startswith(_REACH) else f"{match[0]}{suffix}"

        return substitute(_PARAMETER, named, self._rows(choice, columns, parent))

    def _rows(self, choice: Choice, columns: Columns, parent: str = "asked.parent_key") -> str:
        order = self.orders[choice.order]
        descending = choice.descending != choice.backward
        direction = "DESC" if descending else "ASC"
        after, before = (">", "<") if not choice.descending else ("<", ">")
        bounds = ""
        for wanted, name, operator in ((choice.after, "after", after), (choice.before, "before", before)):
            if wanted:
                bounds += f"\n  AND ({order.sql}, {self.key}) {operator} (${name}_value::text::{order.sql_type}, ${name}_id::uuid)"
        place = f",\n    ({order.sql})::text AS cursor_value" if columns is None or "cursor_value" in columns else ""
        body = self._narrowed(columns)
        start = body.index("\nFROM ") + 1
        return (
            f"{body[:start].rstrip()}{place}\n"
            f"{body[start:]}{self._conditions(choice, parent)}{bounds}\n"
            f"ORDER BY {order.sql} {direction}, {self.key} {direction}\nLIMIT $limit::integer"
        )

    @staticmethod
    def _per_parent(sql: str, choice: Choice) -> str:
        if choice.per is None:
            return sql
        return f"SELECT asked.parent_key, found.*\nFROM unnest($parents::uuid[]) AS asked (parent_key)\nCROSS JOIN LATERAL (\n{sql}\n) AS found"

    def _finish(self, template: str, open_nouns: frozenset[str]) -> Statement:
        def visible(match: re.Match[str]) -> str:
            noun, alias = match["noun"], match["alias"]
            rule = self.visibility[noun]
            if noun in open_nouns:
                return "true"
            return f"({re.sub(rf'(?<![A-Za-z_]){rule.alias}[.]', f'{alias}.', rule.sql)})"

        names: list[str] = []

        def number(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"

        sql = substitute(_PARAMETER, number, substitute(_VISIBLE, visible, template))
        return Statement(f"/* {self.name} */ {sql}", tuple(names), any(name.startswith(_REACH) for name in names))

    def nouns(self) -> Iterable[str]:
        """The nouns whose visibility the template asks about."""
        return sorted(
            {match["noun"] for text in (self.body, *self.filters.values(), *self.parents.values()) for match in _VISIBLE.finditer(text)}
        )
