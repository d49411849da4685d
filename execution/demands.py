"""Which columns of a loader's rows an operation reads: what its statement need not fetch is neither sent nor decoded.

Known of loaders that say where their rows are in what is selected (`Loader.rows`), and only when everything that is selected of the rows is
declared: a column, a guard, an edge's key, a computed field that says what it reads. Otherwise all columns are fetched.
"""

from typing import Any

from graphql import GraphQLObjectType

from execution.failures import Failure
from execution.loading import Loader, Rows
from execution.selections import Field, Kind, Selection

__all__ = ["columns_by_loader"]

_Paths = tuple[tuple[str, ...], ...]


def columns_by_loader(root: Selection, possible_types: Any) -> dict[Loader, frozenset[str] | None]:
    """Of each loader in an operation the columns that are read of its rows, wherever it is used; None: all."""
    found: dict[Loader, frozenset[str] | None] = {}
    waiting = [root]
    while waiting:
        selection = waiting.pop()
        for field in selection.fields:
            if field.kind in (Kind.EDGE, Kind.ROOT) and field.declared.loader.rows is not None:
                loader = field.declared.loader
                wanted = _of_field(field, loader.rows)
                known = found.get(loader, frozenset())
                found[loader] = None if wanted is None or known is None else known | wanted
            if not field.is_leaf:
                kinds = [field.named] if isinstance(field.named, GraphQLObjectType) else possible_types(field.named)
                waiting += [each for each in map(field.select, kinds) if isinstance(each, Selection)]
    return found


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
