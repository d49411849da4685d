"""Compiles query templates to statements: visibility rules become conditions, named parameters become numbered ones.

Each combination of a template and what is chosen in it is compiled once and cached. Values always travel as parameters.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from db.json_sql import columns_read, constants_of, object_sql, with_json_columns
from db.query_templates import PARAMETER, REACH, VISIBLE, Columns, QueryTemplate, QueryVariant
from db.result_columns import JSON, KEYS, PARENT_KEY, PARENTS
from db.sql_lexer import substitute
from json_tree import JsonObject, ToOne
from sized_cache import SizedCache

__all__ = ["COMPILED", "Query", "Reach", "Statement"]

# The size of the cache of all templates' statements, in bytes: a school's screens use some hundred of them, of 1 to 15 kB.
_MAX_BYTES = 12 << 20
# A cached statement beside its text: its key, with the names of columns, and the JSON tree, which is about as long as the text.
_ENTRY_BYTES = 3_000


class Reach(Protocol):
    """Describes the rows that a viewer may see: all rows of the nouns in `open`; ids that restrict the other nouns are attributes, read by name."""

    @property
    def open(self) -> frozenset[str]: ...


@dataclass(frozen=True, slots=True)
class Statement:
    """Holds SQL with numbered parameters, and the parameters' names in order. With `needs_reach` some of them are the viewer's visible ids.

    `constants` are the values of parameters that don't change from call to call: those of the lists within a JSON tree.
    """

    sql: str
    parameters: tuple[str, ...]
    needs_reach: bool
    constants: Mapping[str, Any] = field(default_factory=dict)

    def arguments(self, values: Mapping[str, Any], reach: Reach | None) -> list[Any]:
        """Returns the arguments in order. Raises KeyError for a parameter without a value. `reach` may be None when it is not needed."""
        if self.constants:
            values = {**values, **self.constants}
        if not self.needs_reach:
            return [values[name] for name in self.parameters]
        return [getattr(reach, name[len(REACH) :]) if name.startswith(REACH) else values[name] for name in self.parameters]


def _size(statement: Statement) -> int:
    return _ENTRY_BYTES + 3 * len(statement.sql)


# By query and by the options of the compiled form, such as its filters, order and columns.
COMPILED: SizedCache[tuple["Query", Any], Statement] = SizedCache(_MAX_BYTES)


class Query(QueryTemplate):
    """Compiles a template to statements; each method returns one of its forms.

    Every method but `bind` takes `unrestricted_nouns`, the nouns of which the viewer sees all rows: their visibility rules are left out.
    """

    __slots__ = ()

    def statement(self, unrestricted_nouns: frozenset[str] = frozenset()) -> Statement:
        """Compiles the template without adding filters, order or limit."""
        return self._cached(unrestricted_nouns, lambda: self.body, unrestricted_nouns)

    def bind(self, **values: Any) -> tuple[Any, ...]:
        """Returns the plain statement's SQL and its arguments in order: `await connection.fetchrow(*queries.account_by_id.bind(user_id=…))`.

        Raises KeyError for a parameter without a value.
        """
        statement = self.statement()
        return statement.sql, *(values[name] for name in statement.parameters)

    def by(
        self,
        name: str,
        unrestricted_nouns: frozenset[str] = frozenset(),
        columns: Columns = None,
        objects: tuple[ToOne, ...] = (),
        *,
        single: bool = False,
    ) -> Statement:
        """Selects the rows whose key `name` is one of `$keys` (`single`: is `$key`), in no order.

        `columns` are selected in addition to the id; None selects all. The rows that `objects` lead to are serialised as JSON, in columns `json.0`,
        `json.1` and so on.
        """

        def make() -> str:
            return with_json_columns(self.row_where(self._key_condition(name, single=single), columns), objects)

        key = (name, unrestricted_nouns, columns, objects, single)
        return self._cached(key, make, unrestricted_nouns, lambda: _constants_of_columns(objects))

    def page(
        self,
        variant: QueryVariant,
        unrestricted_nouns: frozenset[str] = frozenset(),
        columns: Columns = None,
        objects: tuple[ToOne, ...] = (),
    ) -> Statement:
        """Selects a page of up to `$limit` rows, each with its `cursor_value`; with `variant.per` one page for each of `$parents`, with `parent_key`.

        The rows of a backward page are in reverse order, and the caller reverses them. For `columns` and `objects` see `by`.
        """

        def make() -> str:
            return _per_parent(with_json_columns(self.page_rows(variant, columns), objects), variant)

        return self._cached(
            (variant, unrestricted_nouns, columns, objects), make, unrestricted_nouns, lambda: _constants_of_columns(objects)
        )

    def json_page(self, variant: QueryVariant, tree: JsonObject, unrestricted_nouns: frozenset[str] = frozenset()) -> Statement:
        """Selects a page serialised as JSON: one row with the list in `json`; with `variant.per` one row with the arrays `parents` and `json`."""
        return self._cached(
            ("json", variant, tree, unrestricted_nouns),
            lambda: self._json_page(variant, tree),
            unrestricted_nouns,
            lambda: constants_of(tree),
        )

    def json_by(self, name: str, tree: JsonObject, unrestricted_nouns: frozenset[str] = frozenset(), *, single: bool = False) -> Statement:
        """Selects the rows of `by` serialised as JSON: one row with two arrays, the `keys` that were found and their objects in `json`.

        With `single` the row has the object alone in `json`; there is no row if the key was not found.
        """
        key = ("json", name, tree, unrestricted_nouns, single)
        return self._cached(key, lambda: self._json_by(name, tree, single=single), unrestricted_nouns, lambda: constants_of(tree))

    def count(self, variant: QueryVariant, unrestricted_nouns: frozenset[str] = frozenset()) -> Statement:
        """Counts the rows that match the filters: one `total`, or with `variant.per` a `parent_key` and `total` for each of `$parents`."""
        return self._cached(
            ("count", variant, unrestricted_nouns), lambda: _per_parent(self.count_rows(variant), variant), unrestricted_nouns
        )

    def totals(self, variant: QueryVariant, unrestricted_nouns: frozenset[str] = frozenset()) -> Statement:
        """Selects the aggregates over the rows that match the filters: one row, or one for each group.

        With `variant.per` they are selected for each of `$parents`, with `parent_key`.
        """
        return self._cached(
            ("totals", variant, unrestricted_nouns), lambda: _per_parent(self.total_rows(variant), variant), unrestricted_nouns
        )

    def _cached(
        self, key: Any, make: Callable[[], str], unrestricted_nouns: frozenset[str], constants: Callable[[], dict[str, Any]] = dict
    ) -> Statement:
        """Returns the cached statement for `key`, or compiles it. The cache is bounded, since clients choose the columns."""
        return COMPILED.get_or_make((self, key), lambda: self._bind_parameters(make(), unrestricted_nouns, constants()), _size)

    def _bind_parameters(self, sql: str, unrestricted_nouns: frozenset[str], constants: Mapping[str, Any]) -> Statement:
        """Replaces visibility rules by conditions and named parameters by numbered ones."""

        def visible(match: re.Match[str]) -> str:
            return "true" if match["noun"] in unrestricted_nouns else f"({self.visible_sql(match['noun'], match['alias'])})"

        names: list[str] = []

        def number(match: re.Match[str]) -> str:
            name = match["name"]
            if name not in names:
                names.append(name)
            return f"${names.index(name) + 1}"

        numbered = substitute(PARAMETER, number, substitute(VISIBLE, visible, sql))
        return Statement(f"/* {self.name} */ {numbered}", tuple(names), any(name.startswith(REACH) for name in names), constants)

    def _key_condition(self, name: str, *, single: bool) -> str:
        """Returns the condition that a row's key `name` is among `$keys`, or for `single` is `$key`.

        PostgreSQL assumes ten elements in an array parameter. For an array of one it would therefore prefer a custom plan each time, and planning takes
        longer than execution; an array also takes longer to send.
        """
        sql, sql_type = self.keys[name]
        return f"{sql} = $key::{sql_type}" if single else f"{sql} = ANY($keys::{sql_type}[])"

    def _json_page(self, variant: QueryVariant, tree: JsonObject) -> str:
        rows = f"SELECT {object_sql(tree, 'json_0')} AS {JSON}\nFROM (\n{self.page_rows(variant, columns_read(tree))}\n) AS json_0"
        listed = f"SELECT '[' || coalesce(string_agg(found.{JSON}, ','), '') || ']' AS {JSON}\nFROM (\n{rows}\n) AS found"
        if variant.per is None:
            return listed
        lists = _per_parent(listed, variant)
        return f"SELECT array_agg(lists.{PARENT_KEY}) AS {PARENTS}, array_agg(lists.{JSON}) AS {JSON}\nFROM (\n{lists}\n) AS lists"

    def _json_by(self, name: str, tree: JsonObject, *, single: bool) -> str:
        condition, columns = self._key_condition(name, single=single), columns_read(tree)
        if single:
            return f"SELECT {object_sql(tree, 'json_0')} AS {JSON}\nFROM (\n{self.row_where(condition, columns)}\n) AS json_0"
        rows = self.row_where(condition, columns, also=f"{self.keys[name][0]} AS asked_key")
        return (
            f"SELECT array_agg(json_0.asked_key) AS {KEYS}, array_agg({object_sql(tree, 'json_0')}) AS {JSON}\nFROM (\n{rows}\n) AS json_0"
        )


def _constants_of_columns(objects: tuple[ToOne, ...]) -> dict[str, Any]:
    """Returns the values of the parameters that `with_json_columns` adds, by name."""
    return {name: value for number, each in enumerate(objects) for name, value in constants_of(each.object, f"_{number}").items()}


def _per_parent(sql: str, variant: QueryVariant) -> str:
    """Returns SQL that runs a query once for each of `$parents`; unchanged for a variant without parents."""
    if variant.per is None:
        return sql
    return f"SELECT asked.{PARENT_KEY}, found.*\nFROM unnest($parents::uuid[]) AS asked ({PARENT_KEY})\nCROSS JOIN LATERAL (\n{sql}\n) AS found"
