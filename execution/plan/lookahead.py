"""What an operation wants of each loader's rows: which columns, which rows it will ask for next, whether they may be written as JSON.

What a statement need not fetch is neither sent nor decoded; what it can bring along needs no statement of its own.

Known of loaders that say where their rows are in what is selected (`Loader.rows`), and only when everything that is selected of the rows is
declared: a column, a guard, an edge's key, a computed field that says what it reads. Otherwise all columns are fetched.
"""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLObjectType

from execution.field_error import Failure
from execution.loaders import Cargo, Loader, Rows, Wants
from execution.plan.json_pushdown import written_fields
from execution.plan.selections import Field, Kind, Selection

__all__ = ["wants_by_field"]

_Paths = tuple[tuple[str, ...], ...]


def wants_by_field(root: Selection, possible_types: Any) -> dict[Field, Wants]:
    """What each field wants of its loader, of those fields that loaders of rows fill; where that is not known, everything.

    Fields that want the same have the same `Wants`, and so share what the loader has for them.
    """
    fields = _loaded_fields(root, possible_types)
    if not fields:
        return {}
    written = written_fields(_nearest([root], possible_types), lambda field: _nearest(_selections(field, possible_types), possible_types))
    made: dict[tuple[Loader, Any], Wants] = {}
    columns = _columns_by_loader(fields)
    wants: dict[Field, Wants] = {}
    for field in fields:
        key = (field.declared.loader, written.get(field))
        if key not in made:
            made[key] = Wants(columns[key[0]], (), key[1])
        wants[field] = made[key]
    for field in fields:
        if field.declared.loader.carrier:
            cargo = {*wants[field].cargo, *_cargo(field, wants)}
            wants[field].cargo = tuple(sorted(cargo, key=lambda each: (each.column, each.loader.name, each.wants.written is None)))
    return wants


def _loaded_fields(root: Selection, possible_types: Any) -> list[Field]:
    """All fields of an operation that are filled by a loader of rows.

    None of them when a function of its own leads to objects, unless it says that it asks no loader: it may ask the same loaders for the same
    rows, with all columns, and what several ask for is fetched once.
    """
    found: list[Field] = []
    waiting = [root]
    while waiting:
        for field in waiting.pop().fields:
            if field.kind is Kind.RESOLVER and not field.is_leaf and not field.asks_no_loader:
                return []
            if _is_loaded(field):
                found.append(field)
            waiting += _selections(field, possible_types)
    return found


def _is_loaded(field: Field) -> bool:
    return field.kind in (Kind.EDGE, Kind.ROOT) and field.declared.loader.rows is not None


def _selections(field: Field, possible_types: Any) -> list[Selection]:
    """What is selected of the objects that a field leads to, by their types."""
    if field.is_leaf:
        return []
    kinds = [field.named] if isinstance(field.named, GraphQLObjectType) else possible_types(field.named)
    return [each for each in map(field.select, kinds) if isinstance(each, Selection)]


def _nearest(selections: list[Selection], possible_types: Any) -> list[Field]:
    """The fields that loaders of rows fill, here or behind fields that none fills."""
    found = []
    waiting = list(selections)
    while waiting:
        for field in waiting.pop().fields:
            if _is_loaded(field):
                found.append(field)
            else:
                waiting += _selections(field, possible_types)
    return found


def _columns_by_loader(fields: list[Field]) -> dict[Loader, frozenset[str] | None]:
    """Of each loader the columns that these fields read of its rows, together; None: all."""
    found: dict[Loader, frozenset[str] | None] = {}
    for field in fields:
        loader = field.declared.loader
        wanted = _of_field(field, loader.rows)
        known = found.get(loader, frozenset())
        found[loader] = None if wanted is None or known is None else known | wanted
    return found


def _cargo(field: Field, wants: dict[Field, Wants]) -> Iterator[Cargo]:
    """What may ride along with a field's rows: the rows of to-one edges that are selected of them."""
    for selection in _selections_of_rows(field, field.declared.loader.rows.at):
        for each in selection.fields:
            if (
                each.kind is Kind.EDGE
                and each.declared.prepare is None
                and each.declared.loader.origin is not None
                and not each.declared.allowed
            ):
                yield Cargo(each.declared.key, each.declared.loader, wants[each])


def _selections_of_rows(field: Field, at: _Paths) -> Iterator[Selection]:
    """What is selected of the rows that are at these paths from a field's values."""
    selection = field.select(field.named) if isinstance(field.named, GraphQLObjectType) else None
    if isinstance(selection, Selection):
        if () in at:
            yield selection
        for each in selection.fields:
            further = tuple(path[1:] for path in at if path and path[0] == each.column)
            if each.kind is Kind.COLUMN and further:
                yield from _selections_of_rows(each, further)


def _of_field(field: Field, rows: Rows) -> frozenset[str] | None:
    if not isinstance(field.named, GraphQLObjectType):
        return None
    selection = field.select(field.named)
    return None if isinstance(selection, Failure) else _of_selection(selection, rows.at, rows)


def _of_selection(selection: Selection, at: _Paths, rows: Rows) -> frozenset[str] | None:
    """What is read of rows that are at these paths from here; () is here."""
    read: frozenset[str] = frozenset()
    for field in selection.fields:
        wanted = _of_row(field, rows) if () in at else _on_the_way(field, at, rows)
        if wanted is None:
            return None
        read |= wanted
    return read


def _on_the_way(field: Field, at: _Paths, rows: Rows) -> frozenset[str] | None:
    if field.kind in (Kind.TYPENAME, Kind.EDGE):
        return frozenset()
    if field.kind is not Kind.COLUMN:
        return None
    read = frozenset(rows.read_by.get(str(field.column), ()))
    if field.is_leaf:
        return read
    further = tuple(path[1:] for path in at if path[0] == field.column)
    selection = field.select(field.named) if isinstance(field.named, GraphQLObjectType) else None
    below = _of_selection(selection, further, rows) if isinstance(selection, Selection) else None
    return None if below is None else read | below


def _of_row(field: Field, rows: Rows) -> frozenset[str] | None:
    """What one field reads of its row."""
    declared = field.declared
    if field.kind is Kind.TYPENAME:
        return frozenset()
    if field.kind is Kind.COLUMN:
        return frozenset((str(field.column),))
    if field.kind is Kind.COMPUTED:
        return None if declared.columns is None or not field.is_leaf else frozenset(declared.columns)
    if field.kind is Kind.EDGE:
        return frozenset((declared.key, declared.allowed)) if declared.allowed else frozenset((declared.key,))
    if field.kind is Kind.GUARD:
        below = _of_field(field, _HERE) if field.column is None else frozenset((field.column,))
        return None if below is None else below | {declared.allowed}
    return None


_HERE = Rows()
