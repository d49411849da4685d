"""Selections whose objects a loader's source may write as JSON itself: leaves of its rows, and edges to one or many whose rows it can reach.

What is written there is neither decoded nor made into objects nor encoded again: it goes into the answer as it came. A loader that can have
its rows written (`Loader.writes`) is told what is selected of them, a `Shape`; it answers `Written` in the place of rows, or rows all the
same when it can't this time. Whatever comes, the answer is equal.

Aliases are left to the executor: what a source puts into its statements are the schema's names, never a client's.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from graphql import GraphQLObjectType
from graphql.execution.values import VariableValues

from execution.field_error import FieldError
from execution.json_tree import Constant, Value
from execution.loaders import Loader
from execution.plan.arguments import coerce_arguments
from execution.plan.json_kinds import enum_names, json_kind_of
from execution.plan.selections import Field, FieldKind, Selection

__all__ = ["Link", "Many", "Shape", "pushdown_by_field"]


@dataclass(frozen=True, slots=True)
class Link:
    """A to-one edge: what is selected of the row that `loader` has for this column."""

    key: str
    column: str
    loader: Loader
    shape: "Shape"
    nullable: bool


@dataclass(frozen=True, slots=True)
class Many:
    """An edge to a page: `{key: {inner: […]}}`, with what is selected of the rows that `loader` has for this column and these arguments."""

    key: str
    inner: str
    column: str
    loader: Loader
    arguments: Hashable
    shape: "Shape"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is selected of rows that are objects of one type, in the answer's order."""

    type_name: str
    parts: tuple[Constant | Value | Link | Many, ...]


def pushdown_by_field(top: list[Field], below: Callable[[Field], list[Field]]) -> dict[Field, Hashable]:
    """The fields whose loader may answer `Written`, each with what the loader made of the shape that it selects.

    `top` are the fields that loaders of rows fill and that no other such field leads to, `below(field)` those that one leads to next. Below what
    is written nobody asks, but for rows that came all the same: these fields are none of ours.
    """
    read: set[Loader] = set()
    while True:
        shapes: dict[Loader, set[Shape | None]] = {}
        asking: list[Field] = []
        waiting = list(top)
        while waiting:
            field = waiting.pop()
            loader = field.declared.loader
            shape = None if loader.writes is None or loader in read else _of_field(field)
            shapes.setdefault(loader, set()).add(shape)
            if shape is None:
                waiting += below(field)
            else:
                asking.append(field)
        # Two fields that select otherwise share their rows: one statement.
        made = {loader: _made(loader, wanted) for loader, wanted in shapes.items()}
        more = {loader for loader, written in made.items() if written is None} - read
        if not more:
            return {field: made[field.declared.loader] for field in asking}
        read |= more


def _made(loader: Loader, shapes: set[Shape | None]) -> Hashable:
    [shape, *others] = shapes
    return None if others or shape is None or loader.writes is None else loader.writes(shape)


def _of_field(field: Field) -> Shape | None:
    """What a field selects of its loader's rows, wherever they are in what it gives; None when that can't be written."""
    selection = _selection(field)
    at = field.declared.loader.row_paths.paths[0]
    if not at:
        return None if field.list_depth or selection is None else _of_rows(selection)
    return None if selection is None else _on_the_way(selection, at[0])


def _on_the_way(selection: Selection, column: str) -> Shape | None:
    """The rows of a page are in one of its columns; everything else that is selected must not look at them."""
    shapes = set()
    for field in selection.fields:
        if field.kind is FieldKind.COLUMN and field.column == column:
            below = _selection(field)
            shapes.add(None if below is None else _of_rows(below))
        elif field.kind not in (FieldKind.TYPENAME, FieldKind.EDGE):
            return None
    return shapes.pop() if len(shapes) == 1 else None


def _of_rows(selection: Selection) -> Shape | None:
    parts = []
    for field in selection.fields:
        part = _part(field)
        if part is None:
            return None
        parts.append(part)
    return Shape(selection.type.name, tuple(parts))


def _part(field: Field) -> Constant | Value | Link | Many | None:
    if field.key != field.name or field.list_depth:
        return None
    if field.kind is FieldKind.TYPENAME:
        return Constant(field.key, field.parent_type.name)
    if field.kind is FieldKind.COLUMN and field.is_leaf:
        kind = json_kind_of(field.named)
        return None if kind is None else Value(field.key, (str(field.column),), kind, field.nullable, enum_names(field.named))
    if field.kind is FieldKind.COMPUTED and field.is_leaf and field.declared.written is not None:
        return Value(field.key, field.declared.columns, field.declared.written, field.nullable)
    if field.kind is FieldKind.EDGE:
        return _link(field) if field.declared.prepare is None else _many(field)
    return None


def _many(field: Field) -> Many | None:
    """Only of an edge whose arguments are the same for every request: variables are not known when a plan is made."""
    declared = field.declared
    loader = declared.loader
    selection = _selection(field)
    if (
        loader.writes is None
        or loader.origin is None
        or declared.allowed is not None
        or not field.has_constant_arguments
        or selection is None
    ):
        return None
    [inner, *others] = selection.fields
    below = _selection(inner)
    plain = inner.kind is FieldKind.COLUMN and inner.key == inner.name and (inner.column,) == loader.row_paths.paths[0]
    shape = None if others or not plain or below is None else _of_rows(below)
    if shape is None:
        return None
    try:
        given = coerce_arguments(field.definition, field.nodes[0], VariableValues({}, {}), hide_suggestions=True)
        prepared = declared.prepare(None, **(given if field.converter is None else field.converter(given)))
    except Exception:  # noqa: BLE001 - whatever it is, it is the field's error when the operation runs
        return None
    return Many(field.key, inner.key, declared.key, loader, prepared, shape)


def _link(field: Field) -> Link | None:
    declared = field.declared
    selection = _selection(field)
    plain = declared.prepare is None and declared.allowed is None and declared.loader.origin is not None
    if not plain or selection is None or declared.loader.writes is None:
        return None
    shape = _of_rows(selection)
    return None if shape is None else Link(field.key, declared.key, declared.loader, shape, field.nullable)


def _selection(field: Field) -> Selection | None:
    if not isinstance(field.named, GraphQLObjectType):
        return None
    found = field.select(field.named)
    return None if isinstance(found, FieldError) else found
