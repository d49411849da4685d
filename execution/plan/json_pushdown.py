"""Finds the selections whose objects a loader's source may serialise as JSON itself: leaves of its rows, and edges to one or many such rows.

What is serialised there is neither decoded nor made into objects nor encoded again: it goes into the answer as it came. A loader with a
`source` is given the `JsonObject` of what is selected of its rows; it answers `RawJson` in the place of rows, or rows all the same when it can't
this time. Whatever comes, the answer is equal.

Aliases are left to the executor: what a source puts into its statements are the schema's names, never a client's.
"""

from collections.abc import Callable

from graphql import GraphQLObjectType
from graphql.execution.values import VariableValues

from execution.field_error import FieldError
from execution.loaders import Loader
from execution.plan.arguments import coerce_arguments
from execution.plan.json_kinds import enum_names, json_kind_of
from execution.plan.selections import Field, FieldKind, Selection
from json_tree import JsonConstant, JsonLeaf, JsonObject, JsonPart, ToMany, ToOne, json_object

__all__ = ["pushdown_by_field"]


def pushdown_by_field(top: list[Field], below: Callable[[Field], list[Field]]) -> dict[Field, JsonObject]:
    """Returns the fields whose loader may answer JSON, each with the tree of what it selects.

    `top` are the fields that loaders of rows fill and that no other such field leads to, `below(field)` those that one leads to next. Fields
    below a pushed-down selection are resolved only if the pushdown fell back to rows, so they are not planned here.
    """
    read: set[Loader] = set()
    while True:
        trees: dict[Loader, set[JsonObject | None]] = {}
        pushed: list[Field] = []
        waiting = list(top)
        while waiting:
            field = waiting.pop()
            loader = field.declared.loader
            tree = None if loader in read else _of_field(field)
            trees.setdefault(loader, set()).add(tree)
            if tree is None:
                waiting += below(field)
            else:
                pushed.append(field)
        # Two fields that select otherwise share their rows: one statement.
        shared = {loader: wanted.pop() if len(wanted) == 1 else None for loader, wanted in trees.items()}
        more = {loader for loader, tree in shared.items() if tree is None} - read
        if not more:
            return {field: tree for field in pushed if (tree := shared[field.declared.loader]) is not None}
        read |= more


def _of_field(field: Field) -> JsonObject | None:
    """Returns the tree of what a field selects of its loader's rows, wherever they are in its values; None if it cannot be serialised."""
    loader, selection = field.declared.loader, _selection(field)
    at = loader.row_paths.paths[0]
    if selection is None:
        return None
    if not at:
        return None if field.list_depth else _of_rows(selection, loader)
    return _on_the_way(selection, at[0], loader)


def _on_the_way(selection: Selection, column: str, loader: Loader) -> JsonObject | None:
    """Returns the tree of a page's rows, which are in one of its columns; None if anything else that is selected looks at them."""
    trees = set()
    for field in selection.fields:
        if field.kind is FieldKind.COLUMN and field.column == column:
            below = _selection(field)
            trees.add(None if below is None else _of_rows(below, loader))
        elif field.kind not in (FieldKind.TYPENAME, FieldKind.EDGE):
            return None
    return trees.pop() if len(trees) == 1 else None


def _of_rows(selection: Selection, loader: Loader) -> JsonObject | None:
    if loader.source is None or selection.type.name != loader.source.type_name:
        return None
    parts = []
    for field in selection.fields:
        part = _part(field)
        if part is None:
            return None
        parts.append(part)
    return json_object(loader.source, tuple(parts))


def _part(field: Field) -> JsonPart | None:
    if field.key != field.name or field.list_depth:
        return None
    if field.kind is FieldKind.TYPENAME:
        return JsonConstant(field.key, field.parent_type.name)
    if field.kind is FieldKind.COLUMN and field.is_leaf:
        kind = json_kind_of(field.named)
        return None if kind is None else JsonLeaf(field.key, (str(field.column),), kind, field.nullable, enum_names(field.named))
    if field.kind is FieldKind.COMPUTED and field.is_leaf and field.declared.json_kind is not None:
        return JsonLeaf(field.key, field.declared.columns, field.declared.json_kind, field.nullable)
    if field.kind is FieldKind.EDGE and field.declared.allowed is None:
        return _to_one(field) if field.declared.prepare is None else _to_many(field)
    return None


def _to_many(field: Field) -> ToMany | None:
    """Returns the part of an edge to a page if its arguments are the same for every request: a plan does not know variables."""
    declared = field.declared
    loader = declared.loader
    selection = _selection(field)
    if loader.source is None or not field.has_constant_arguments or selection is None:
        return None
    [inner, *others] = selection.fields
    below = _selection(inner)
    plain = inner.kind is FieldKind.COLUMN and inner.key == inner.name and (inner.column,) == loader.row_paths.paths[0]
    tree = None if others or not plain or below is None else _of_rows(below, loader)
    if tree is None:
        return None
    try:
        given = coerce_arguments(field.definition, field.nodes[0], VariableValues({}, {}), hide_suggestions=True)
        prepared = declared.prepare(None, **(given if field.converter is None else field.converter(given)))
    except Exception:  # noqa: BLE001 - whatever it is, it is the field's error when the operation runs
        return None
    return ToMany(field.key, inner.key, declared.key, prepared, tree) if loader.source.can_nest(prepared) else None


def _to_one(field: Field) -> ToOne | None:
    selection = _selection(field)
    tree = None if selection is None else _of_rows(selection, field.declared.loader)
    return None if tree is None else ToOne(field.key, field.declared.key, tree, field.nullable)


def _selection(field: Field) -> Selection | None:
    if not isinstance(field.named, GraphQLObjectType):
        return None
    found = field.select(field.named)
    return None if isinstance(found, FieldError) else found
