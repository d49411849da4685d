"""Defines query templates: the committed SQL of an entry in `db/sql/*.sql`, and the fragments that may be added to it.

A template gives pieces of SQL in which visibility rules (`@visible(…)`) and named parameters (`$number`) still stand;
db/query_compiler.py makes statements of them. Everything here is chosen by name from a fixed set; values are never part of the text.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from db.sql_lexer import split_columns, substitute

__all__ = ["PARAMETER", "REACH", "VISIBLE", "Columns", "Fragment", "Order", "QueryTemplate", "QueryVariant"]

VISIBLE = re.compile(r"@visible\((?P<noun>[a-z_.]+) (?P<alias>[a-z_]+)\)")
PARAMETER = re.compile(r"\$(?P<name>[a-z_][a-z_0-9]*)")
# Parameters that begin like this are filled from the viewer's visible ids.
REACH = "reach_"
_IDS_IN_REACH = re.compile(r"row\.id = ANY\(\$reach_(?P<name>[a-z_]+)::uuid\[\]\)")
_NAME = re.compile(r"[a-z_0-9]+$")

# The columns of a template that are read; None: all.
Columns = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Fragment:
    """A named condition: `sql` over the aliases of its template, or over the formal `alias` of a visibility rule."""

    sql: str
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """An expression that a page may be sorted by. It is never null; a cursor's text is cast back to `sql_type`.

    `needs` are filters that leave few rows. If it is not empty, no index has this order, and a list may be sorted by it only with one of them.
    """

    sql: str
    sql_type: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueryVariant:
    """One variant of a page (its filters, order, bounds and parent) or of totals (their filters, group and parent).

    It is made of names only, never of values: with the selected columns it decides the statement's text.
    """

    order: str = ""
    descending: bool = False
    filters: frozenset[str] = frozenset()
    after: bool = False
    before: bool = False
    backward: bool = False
    per: str | None = None
    group: str | None = None


@dataclass(eq=False, repr=False, slots=True)
class QueryTemplate:
    """An entry of a file, and the options that may be chosen in it. db/sql/README.md describes each option."""

    name: str
    purpose: str
    body: str
    file: str
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

    def filter_keys(self, filters: Iterable[tuple[str, Any]]) -> frozenset[str]:
        """Returns the keys in `self.filters` of these pairs of a filter's name and its value.

        A flag is one of two conditions and no parameter, so that PostgreSQL plans for the value.
        """
        return frozenset(f"{name}={'true' if value else 'false'}" if name in self.flags else name for name, value in filters)

    def guarded(self, names: Iterable[str]) -> tuple[str, ...]:
        """Returns those of these orders and filters that not every viewer may use."""
        if not self.guards and not self.id_guards:
            return ()
        return tuple(name for name in names if name in self.guards or name in self.id_guards)

    def shows(self, name: str, unrestricted_nouns: frozenset[str]) -> bool:
        """Returns whether a viewer sees the value behind a guarded order or filter on every row of this list that they see.

        True for a viewer who sees all rows of the guard's noun; also, where the list's own rule is the noun's rule, for a viewer whom that
        rule restricts.
        """
        noun = self.guards[name]
        match = VISIBLE.search(self.body[self.body.index("\nWHERE ") :])
        own = match["noun"] if match else None
        if noun in unrestricted_nouns:
            return True
        return own is not None and own not in unrestricted_nouns and self._rule(own) == self._rule(noun)

    def reach_of(self, noun: str) -> str:
        """Returns the name, in the reach, of a noun's ids that a viewer sees. Raises ValueError when its rule is more than that list of ids."""
        match = _IDS_IN_REACH.fullmatch(self._rule(noun))
        if match is None:
            raise ValueError(f"the rule of {noun} is not a list of ids")
        return match["name"]

    def _rule(self, noun: str) -> str:
        return self.visible_sql(noun, "row").strip()

    def visible_sql(self, noun: str, alias: str) -> str:
        """Returns a noun's visibility rule over this alias."""
        rule = self.visibility[noun]
        return re.sub(rf"(?<![A-Za-z_]){rule.alias}[.]", f"{alias}.", rule.sql)

    def nouns(self) -> Iterable[str]:
        """Returns the nouns whose visibility rules the template uses, sorted."""
        return sorted(
            {match["noun"] for text in (self.body, *self.filters.values(), *self.parents.values()) for match in VISIBLE.finditer(text)}
        )

    def columns(self) -> dict[str, str]:
        """Returns the template's columns by name, each as the SELECT list has it."""
        expressions = split_columns(self.body[len("SELECT") : self._from() - 1])
        return {_NAME.search(each)[0]: each for each in expressions}  # type: ignore[index]  # every expression of ours ends in a name

    def row_where(self, condition: str, columns: Columns, *, also: str = "") -> str:
        """Returns SQL for the rows that meet one more condition, with the id and these columns; `also` is an additional column."""
        rows = f"{self._narrowed(columns)}\n  AND {condition}"
        return rows.replace("SELECT ", f"SELECT {also}, ", 1) if also else rows

    def rows_of(self, variant: QueryVariant, columns: Columns, parent: str, suffix: str) -> str:
        """Returns SQL for a page of the rows of one parent, which is an expression of the enclosing statement. Its parameters get a suffix."""

        def named(match: re.Match[str]) -> str:
            return match[0] if match["name"].startswith(REACH) else f"{match[0]}{suffix}"

        return substitute(PARAMETER, named, self.page_rows(variant, columns, parent))

    def page_rows(self, variant: QueryVariant, columns: Columns, parent: str = "asked.parent_key") -> str:
        """Returns SQL for a page's rows, with their `cursor_value` when `columns` has it; backward pages in reversed order."""
        order = self.orders[variant.order]
        descending = variant.descending != variant.backward
        direction = "DESC" if descending else "ASC"
        after, before = (">", "<") if not variant.descending else ("<", ">")
        bounds = ""
        for wanted, name, operator in ((variant.after, "after", after), (variant.before, "before", before)):
            if wanted:
                bounds += f"\n  AND ({order.sql}, {self.key}) {operator} (${name}_value::text::{order.sql_type}, ${name}_id::uuid)"
        place = f",\n    ({order.sql})::text AS cursor_value" if columns is None or "cursor_value" in columns else ""
        body = self._narrowed(columns)
        start = body.index("\nFROM ") + 1
        return (
            f"{body[:start].rstrip()}{place}\n"
            f"{body[start:]}{self._conditions(variant, parent)}{bounds}\n"
            f"ORDER BY {order.sql} {direction}, {self.key} {direction}\nLIMIT $limit::integer"
        )

    def count_rows(self, variant: QueryVariant) -> str:
        """Returns SQL for the number of rows that the filters leave, in the column `total`."""
        return f"SELECT count(*) AS total\n{self.body[self._from() :]}{self._conditions(variant)}"

    def total_rows(self, variant: QueryVariant) -> str:
        """Returns SQL for the body's aggregates over the rows that the filters leave, one row for each group."""
        group = self.groups[variant.group] if variant.group else ""
        sql = self.body.replace("SELECT\n", f"SELECT {group},\n" if group else "SELECT\n", 1) + self._conditions(variant)
        if group:
            places = ", ".join(str(n + 1) for n in range(group.count(" AS ")))
            sql += f"\nGROUP BY {places}\nORDER BY {places}"
        return sql

    def _narrowed(self, columns: Columns) -> str:
        """Returns the template with the key and the given columns; with all columns for None."""
        if columns is None:
            return self.body
        kept = [expression for name, expression in self.columns().items() if name in columns or name == "id"]
        return f"SELECT {', '.join(kept)}\n{self.body[self._from() :]}"

    def _from(self) -> int:
        return self.body.index("\nFROM ") + 1

    def _conditions(self, variant: QueryVariant, parent: str = "asked.parent_key") -> str:
        conditions = [self.filters[name] for name in sorted(variant.filters)]
        if variant.per is not None:
            conditions.append(self.parents[variant.per].replace("$parent", parent))
        return "".join(f"\n  AND ({condition})" for condition in conditions)
