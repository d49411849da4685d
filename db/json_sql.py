"""Rows that PostgreSQL writes as JSON: what would be decoded, put together and encoded again comes as one text.

An expression is put together from the schema's names and committed templates; values, and names that a client made up, are never in it.
It is null for a value that its leaf can't have (a null where none may be, a text that is no value of its enum): the place of the row then holds
`IRREGULAR`, which no JSON has in it, and who asked fetches the rows instead, to find out what is wrong.
"""

from dataclasses import dataclass, field
from typing import Any

from db.query_templates import QueryTemplate, QueryVariant
from execution.json_tree import Constant, Value

__all__ = ["IRREGULAR", "Joined", "Listed", "Template", "is_regular", "linked_columns"]

# JSON escapes control characters.
IRREGULAR = "\x01"
_MARK = "E'\\x01'"

# A moment as isoformat writes it: no fraction of a second, or six digits.
_SECONDS, _MICROSECONDS = (f"""'YYYY-MM-DD"T"HH24:MI:SS{each}"+00:00"'""" for each in ("", ".US"))
_ISO = f"to_char({{0}} AT TIME ZONE 'UTC', CASE WHEN date_trunc('second', {{0}}) = {{0}} THEN {_SECONDS} ELSE {_MICROSECONDS} END)"
# By kind: the JSON of a value that is not null, and what stands on both sides of it.
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


@dataclass(frozen=True, slots=True)
class Joined:
    """The row of another query whose key `by` is in this column; null when there is none that the viewer sees."""

    key: str
    column: str
    query: QueryTemplate
    by: str
    row: "Template"
    nullable: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of another query's rows that belong to the value in this column: `{key: {inner: […]}}`. `values` are the page's parameters."""

    key: str
    inner: str
    column: str
    query: QueryTemplate
    variant: QueryVariant
    values: tuple[tuple[str, Any], ...]
    row: "Template"


@dataclass(eq=False, repr=False, slots=True)
class Template:
    """What is written of each row, in order. `tag` begins the rows' global ids; `parameters` are those of the lists in it, when it is the whole."""

    tag: str
    parts: tuple[Constant | Value | Joined | Listed, ...]
    parameters: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        # Asked for by each request.
        self.parameters = self.values("")

    @property
    def columns(self) -> frozenset[str]:
        """The columns that are read of the row itself."""
        read: set[str] = set()
        for each in self.parts:
            if isinstance(each, Value):
                read.update(each.columns)
            elif not isinstance(each, Constant):
                read.add(each.column)
        return frozenset(read)

    def values(self, place: str) -> dict[str, Any]:
        """The parameters of the lists in it, by the names that `expression` gives them at this place."""
        found: dict[str, Any] = {}
        for number, each in enumerate(self.parts):
            if isinstance(each, Listed):
                found |= {f"{name}{place}_{number}": value for name, value in each.values}
            if isinstance(each, (Joined, Listed)):
                found |= each.row.values(f"{place}_{number}")
        return found

    def expression(self, alias: str, depth: int = 0, place: str = "") -> str:
        """SQL that writes the row that `alias` stands for; `IRREGULAR` when it can't be written.

        `place` says where in the whole this is: parameters of lists have it behind their names.
        """
        return f"coalesce({self._object(alias, depth, place)}, {_MARK})"

    def _object(self, alias: str, depth: int, place: str) -> str:
        sql: list[str] = []
        plain = "{"
        for number, each in enumerate(self.parts):
            plain += f"{',' if number else ''}{_quoted(each.key)}:"
            if isinstance(each, Constant):
                plain += _quoted(each.text)
                continue
            if isinstance(each, Value):
                before, written, after = _pieces(each, alias, self.tag)
            else:
                here = f"{place}_{number}"
                write = _joined(each, alias, depth + 1, here) if isinstance(each, Joined) else _listed(each, alias, depth + 1, here)
                before, written, after = "", write, ""
            sql += [_literal(plain + before), f"({written})"]
            plain = after
        return " || ".join([*sql, _literal(plain + "}")])


def is_regular(text: str) -> bool:
    """Whether every row could be written."""
    return IRREGULAR not in text


def linked_columns(rows: str, linked: tuple[Joined, ...]) -> str:
    """Rows with the objects that they are linked to beside them, in columns `written.0` and so on; null where there is none to be seen."""
    if not linked:
        return rows
    written = ", ".join(f'({_joined(each, "written_0", 1, f"_{number}")}) AS "written.{number}"' for number, each in enumerate(linked))
    return f"SELECT written_0.*, {written}\nFROM (\n{rows}\n) AS written_0"


def _pieces(value: Value, alias: str, tag: str) -> tuple[str, str, str]:
    """What stands before a value, SQL for it, what stands behind it."""
    columns = [f"{alias}.{each}" for each in value.columns]
    if value.kind == "enum":
        cases = " ".join(f"WHEN {_literal(known)} THEN {_literal(name)}" for known, name in value.names)
        around, written = '"', f"CASE {columns[0]} {cases} END"
    else:
        around, template = _LEAVES[value.kind]
        written = template.format(*columns)
    before = f'"{tag}_' if value.kind == "global_id" else around
    if not value.nullable:
        return before, written, around
    quoted = f"{_literal(before)} || ({written}) || {_literal(around)}" if before else written
    return "", f"CASE WHEN {columns[0]} IS NULL THEN 'null' ELSE {quoted} END", ""


def _joined(each: Joined, alias: str, depth: int, place: str) -> str:
    # In the list of columns, not joined: the rows stay in their order.
    rows = each.query.row_where(f"{each.query.keys[each.by][0]} = {alias}.{each.column}", each.row.columns)
    found = f"SELECT {each.row.expression(f'written_{depth}', depth, place)} FROM (\n{rows}\n) AS written_{depth}"
    return f"coalesce(({found}), 'null')" if each.nullable else found


def _listed(each: Listed, alias: str, depth: int, place: str) -> str:
    rows = each.query.rows_of(each.variant, each.row.columns, f"{alias}.{each.column}", place)
    written = f"SELECT {each.row.expression(f'written_{depth}', depth, place)} AS written FROM (\n{rows}\n) AS written_{depth}"
    before, after = _literal("{" + _quoted(each.inner) + ":["), _literal("]}")
    return f"SELECT {before} || coalesce(string_agg(found.written, ','), '') || {after} FROM (\n{written}\n) AS found"


def _quoted(text: str) -> str:
    return f'"{text}"'


def _literal(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
