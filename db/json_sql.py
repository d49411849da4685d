"""Compiles a JSON tree (json_tree.py) to SQL that serialises rows, so that they need not be decoded, combined and encoded again in Python.

The SQL is put together from the schema's names and committed templates; values, and names that a client made up, are never in it.
A value that its leaf cannot have (a null where none may be, a text that is no value of its enum) makes the expression null: the place of its row
then holds `IRREGULAR`, which no JSON has in it, and the caller fetches the rows instead, to find out what is wrong.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from db.query_templates import QueryTemplate, QueryVariant
from db.result_columns import JSON, json_column
from db.rows import Row
from json_tree import JsonConstant, JsonLeaf, JsonObject, ToMany, ToOne

__all__ = [
    "IRREGULAR",
    "KeySource",
    "PageArguments",
    "PageSource",
    "columns_read",
    "constants_of",
    "is_regular",
    "object_sql",
    "with_json_columns",
]

# JSON escapes control characters.
IRREGULAR = "\x01"
_IRREGULAR_SQL = "E'\\x01'"

# A moment as isoformat writes it: no fraction of a second, or six digits.
_SECONDS, _MICROSECONDS = (f"""'YYYY-MM-DD"T"HH24:MI:SS{each}"+00:00"'""" for each in ("", ".US"))
_ISO = f"to_char({{0}} AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', {{0}}) = {{0}} THEN {_SECONDS} ELSE {_MICROSECONDS} END)"
# By kind: what stands on both sides of a value that is not null, and the SQL that serialises the value.
_LEAVES = {
    "text": ("", "to_json({0}::text)::text"),
    "words": ("", "to_json({0} || ' ' || {1})::text"),
    "int": ("", "CASE WHEN {0} BETWEEN -2147483648 AND 2147483647 THEN {0}::text END"),
    "bigint": ("", "{0}::text"),
    "boolean": ("", "CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END"),
    # Python knows no other years.
    "date": ("", "CASE WHEN {0} BETWEEN '0001-01-01' AND '9999-12-31' THEN to_json({0})::text END"),
    "datetime": ('"', f"CASE WHEN {{0}} >= '0001-01-02' AND {{0}} < '9999-12-31' THEN {_ISO} END"),
    "time": (
        '"',
        "CASE WHEN {0} >= '24:00' THEN NULL WHEN {0} = {0}::time(0) THEN {0}::text ELSE to_char({0}::interval, 'HH24:MI:SS.US') END",
    ),
    # Python writes smaller ones with an exponent.
    "decimal": ('"', "CASE WHEN scale({0}) <= 6 OR abs({0}) >= 0.000001 THEN {0}::text END"),
    "uuid": ('"', "{0}::text"),
    "global_id": ('"', "encode(uuid_send({0}), 'hex')"),
}


class PageArguments(Protocol):
    """The arguments of a list, as a page's loader takes them."""

    @property
    def backward(self) -> bool: ...

    @property
    def guarded(self) -> tuple[str, ...]: ...

    def variant(self, query: QueryTemplate, per: str | None) -> QueryVariant: ...

    def values(self, more: int) -> dict[str, Any]: ...


@dataclass(frozen=True, eq=False, slots=True)
class KeySource:
    """Reads single rows of a class with a query, by its key `name`."""

    query: QueryTemplate
    key: str
    row: type[Row]

    @property
    def type_name(self) -> str:
        """The GraphQL type of the rows."""
        return self.row.type_name

    def can_nest(self, arguments: Any) -> bool:
        """Returns False: these are no lists."""
        return False


@dataclass(frozen=True, eq=False, slots=True)
class PageSource:
    """Pages of a query's rows, of a class: those of each parent of this name, or (None) of the whole list."""

    query: QueryTemplate
    per: str | None
    row: type[Row]

    @property
    def type_name(self) -> str:
        """The GraphQL type of the rows."""
        return self.row.type_name

    def can_nest(self, arguments: PageArguments) -> bool:
        """Returns whether a page can stand within its parent's row.

        A page from the end comes in reversed order; one with guarded arguments is for its own loader to refuse.
        """
        return self.per is not None and not arguments.backward and not arguments.guarded


def columns_read(tree: JsonObject) -> frozenset[str]:
    """Returns the columns that are read of the object's own rows."""
    read: set[str] = set()
    for each in tree.parts:
        if isinstance(each, JsonLeaf):
            read.update(each.columns)
        elif not isinstance(each, JsonConstant):
            read.add(each.column)
    return frozenset(read)


def constants_of(tree: JsonObject, place: str = "") -> dict[str, Any]:
    """Returns the values of the parameters of the lists in a tree, by the names that `object_sql` gives them at this place."""
    found: dict[str, Any] = {}
    for number, each in enumerate(tree.parts):
        here = f"{place}_{number}"
        if isinstance(each, ToMany):
            arguments: PageArguments = each.arguments
            found |= {f"{name}{here}": value for name, value in arguments.values(more=0).items()}
        if isinstance(each, (ToOne, ToMany)):
            found |= constants_of(each.object, here)
    return found


def object_sql(tree: JsonObject, alias: str, depth: int = 0, place: str = "") -> str:
    """Returns SQL for the JSON text of the row that `alias` stands for; `IRREGULAR` when it cannot be serialised.

    `place` is the object's position in the whole tree: the names of its lists' parameters end with it.
    """
    pieces: list[str] = []
    literal = "{"
    for number, each in enumerate(tree.parts):
        literal += f"{',' if number else ''}{_quoted(each.key)}:"
        if isinstance(each, JsonConstant):
            literal += _quoted(each.text)
            continue
        here = f"{place}_{number}"
        if isinstance(each, JsonLeaf):
            before, sql, after = _leaf(each, alias, _source(tree).row.tag)
        else:
            before, after = "", ""
            sql = _to_one(each, alias, depth + 1, here) if isinstance(each, ToOne) else _to_many(each, alias, depth + 1, here)
        pieces += [_literal(literal + before), f"({sql})"]
        literal = after
    return f"coalesce({' || '.join([*pieces, _literal(literal + '}')])}, {_IRREGULAR_SQL})"


def with_json_columns(rows: str, objects: tuple[ToOne, ...]) -> str:
    """Adds the JSON of other rows to these, in columns named by `json_column`; null where the viewer sees no such row."""
    if not objects:
        return rows
    columns = ", ".join(f'({_to_one(each, "json_0", 1, f"_{number}")}) AS "{json_column(number)}"' for number, each in enumerate(objects))
    return f"SELECT json_0.*, {columns}\nFROM (\n{rows}\n) AS json_0"


def is_regular(text: str) -> bool:
    """Returns whether every row could be serialised."""
    return IRREGULAR not in text


def _source(tree: JsonObject) -> KeySource | PageSource:
    if not isinstance(tree.source, (KeySource, PageSource)):
        raise TypeError(f"{tree.source} is not a source of the database's rows")
    return tree.source


def _leaf(leaf: JsonLeaf, alias: str, tag: str) -> tuple[str, str, str]:
    """Returns the text before a value, the SQL for the value, and the text after it."""
    columns = [f"{alias}.{each}" for each in leaf.columns]
    if leaf.kind == "enum":
        cases = " ".join(f"WHEN {_literal(known)} THEN {_literal(name)}" for known, name in leaf.names)
        around, sql = '"', f"CASE {columns[0]} {cases} END"
    else:
        around, template = _LEAVES[leaf.kind]
        sql = template.format(*columns)
    before = f'"{tag}_' if leaf.kind == "global_id" else around
    if not leaf.nullable:
        return before, sql, around
    quoted = f"{_literal(before)} || ({sql}) || {_literal(around)}" if before else sql
    return "", f"CASE WHEN {columns[0]} IS NULL THEN 'null' ELSE {quoted} END", ""


def _to_one(part: ToOne, alias: str, depth: int, place: str) -> str:
    # In the list of columns, not joined: the rows stay in their order.
    source = _source(part.object)
    if not isinstance(source, KeySource):
        raise TypeError(f"{part.key} leads to one row, and {source} has pages")
    rows = source.query.row_where(f"{source.query.keys[source.key][0]} = {alias}.{part.column}", columns_read(part.object))
    found = f"SELECT {object_sql(part.object, f'json_{depth}', depth, place)} FROM (\n{rows}\n) AS json_{depth}"
    return f"coalesce(({found}), 'null')" if part.nullable else found


def _to_many(part: ToMany, alias: str, depth: int, place: str) -> str:
    source = _source(part.object)
    arguments: PageArguments = part.arguments
    if not isinstance(source, PageSource):
        raise TypeError(f"{part.key} leads to a page, and {source} has single rows")
    variant = arguments.variant(source.query, source.per)
    rows = source.query.rows_of(variant, columns_read(part.object), f"{alias}.{part.column}", place)
    objects = f"SELECT {object_sql(part.object, f'json_{depth}', depth, place)} AS {JSON} FROM (\n{rows}\n) AS json_{depth}"
    before, after = _literal("{" + _quoted(part.inner) + ":["), _literal("]}")
    return f"SELECT {before} || coalesce(string_agg(found.{JSON}, ','), '') || {after} FROM (\n{objects}\n) AS found"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
