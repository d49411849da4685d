"""Looks ahead: works out which columns an operation reads of each loader's rows, which rows it asks for next, and which can come as JSON.

A column that is not read is neither sent nor decoded, and a row that was prefetched needs no statement of its own.

This covers loaders that say where their rows are (`Loader.row_paths`), if everything selected of the rows is declared: a column, a guarded
column, a loader field's key, a computed field that names its columns. Otherwise all columns are fetched.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence

from graphql import GraphQLAbstractType, GraphQLObjectType, is_abstract_type

from execution.field_error import FieldError
from execution.fields import ComputedField, GuardedField, LoaderField
from execution.loaders import Loader, Prefetch, Projection, RowPaths
from execution.plan.json_pushdown import pushdown_by_field
from execution.plan.selections import Field, FieldKind, Selection

__all__ = ["projections_by_field"]

_Paths = tuple[tuple[str, ...], ...]
# The object types that an interface or union stands for: `GraphQLSchema.get_possible_types`.
_PossibleTypes = Callable[[GraphQLAbstractType], Sequence[GraphQLObjectType]]


def projections_by_field(root: Selection, possible_types: _PossibleTypes) -> dict[Field, Projection]:
    """Returns the projection of each field that a loader of rows fills; {} if resolvers may ask the same loaders for all columns.

    Fields that need the same have the same `Projection`, and so share a data loader.
    """
    fields = _loaded_fields(root, possible_types)
    if not fields:
        return {}
    pushed_down = pushdown_by_field(
        _nearest_loaded_fields([root], possible_types),
        lambda field: _nearest_loaded_fields(_selections(field, possible_types), possible_types),
    )
    made: dict[tuple[Loader, Hashable], Projection] = {}
    columns = _columns_by_loader(fields)
    projections: dict[Field, Projection] = {}
    for field in fields:
        loader: Loader = field.declared.loader
        template = pushed_down.get(field)
        if (loader, template) not in made:
            made[loader, template] = Projection(columns[loader], (), template)
        projections[field] = made[loader, template]
    for field in fields:
        if field.declared.loader.can_prefetch:
            prefetches = {*projections[field].prefetches, *_prefetches(field, projections)}
            projections[field].prefetches = tuple(sorted(prefetches, key=lambda each: (each.column, each.loader.name)))
    return projections


def _loaded_fields(root: Selection, possible_types: _PossibleTypes) -> list[Field]:
    """Returns all fields of an operation that loaders of rows fill.

    Returns none of them if any resolver returns objects, unless it declares that it asks no loader: it may ask the same loaders for the same
    rows with all columns, and what several fields ask for is fetched once.
    """
    found: list[Field] = []
    waiting = [root]
    while waiting:
        for field in waiting.pop().fields:
            if field.kind is FieldKind.RESOLVER and not field.is_leaf and not field.asks_no_loader:
                return []
            if _is_loaded(field):
                found.append(field)
            waiting += _selections(field, possible_types)
    return found


def _is_loaded(field: Field) -> bool:
    return field.kind in (FieldKind.EDGE, FieldKind.ROOT) and field.declared.loader.row_paths is not None


def _selections(field: Field, possible_types: _PossibleTypes) -> list[Selection]:
    """Returns what is selected of the objects that a field leads to, by their types."""
    types: Sequence[GraphQLObjectType] = ()
    if isinstance(field.named, GraphQLObjectType):
        types = [field.named]
    elif is_abstract_type(field.named):
        types = possible_types(field.named)
    return [each for each in map(field.select, types) if isinstance(each, Selection)]


def _nearest_loaded_fields(selections: list[Selection], possible_types: _PossibleTypes) -> list[Field]:
    """Returns the first fields on each way down that loaders of rows fill."""
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
    """Returns for each loader the columns that all these fields together read of its rows; None means all."""
    found: dict[Loader, frozenset[str] | None] = {}
    for field in fields:
        loader: Loader = field.declared.loader
        assert loader.row_paths is not None, loader.name
        columns = _columns_of_field(field, loader.row_paths)
        known = found.get(loader, frozenset())
        found[loader] = None if columns is None or known is None else known | columns
    return found


def _prefetches(field: Field, projections: dict[Field, Projection]) -> Iterator[Prefetch]:
    """Yields the to-one edges selected of a field's rows whose rows can come along with these as JSON."""
    for selection in _selections_of_rows(field, field.declared.loader.row_paths.paths):
        for each in selection.fields:
            if each.kind is FieldKind.EDGE:
                edge: LoaderField = each.declared
                needed = projections.get(each)
                if needed is not None and needed.json_object is not None and edge.prepare is None and not edge.allowed:
                    yield Prefetch(edge.key, edge.loader, needed)


def _selections_of_rows(field: Field, paths: _Paths) -> Iterator[Selection]:
    """Yields what is selected of the rows at these paths below a field."""
    selection = field.select(field.named) if isinstance(field.named, GraphQLObjectType) else None
    if isinstance(selection, Selection):
        if () in paths:
            yield selection
        for each in selection.fields:
            further = tuple(path[1:] for path in paths if path and path[0] == each.column)
            if each.kind is FieldKind.COLUMN and further:
                yield from _selections_of_rows(each, further)


def _columns_of_field(field: Field, rows: RowPaths) -> frozenset[str] | None:
    if not isinstance(field.named, GraphQLObjectType):
        return None
    selection = field.select(field.named)
    return None if isinstance(selection, FieldError) else _columns_of_selection(selection, rows.paths, rows)


def _columns_of_selection(selection: Selection, paths: _Paths, rows: RowPaths) -> frozenset[str] | None:
    """Returns the columns read of the rows at these paths below a selection; the path () is the selection's own object."""
    columns: frozenset[str] = frozenset()
    for field in selection.fields:
        read = _columns_of_row(field) if () in paths else _columns_on_the_way(field, paths, rows)
        if read is None:
            return None
        columns |= read
    return columns


def _columns_on_the_way(field: Field, paths: _Paths, rows: RowPaths) -> frozenset[str] | None:
    """Returns the columns that a field above the rows reads of them, and what is selected below it."""
    if field.kind in (FieldKind.TYPENAME, FieldKind.EDGE):
        return frozenset()
    if field.kind is not FieldKind.COLUMN:
        return None
    columns = frozenset(rows.read_by.get(str(field.column), ()))
    if field.is_leaf:
        return columns
    further = tuple(path[1:] for path in paths if path[0] == field.column)
    selection = field.select(field.named) if isinstance(field.named, GraphQLObjectType) else None
    below = _columns_of_selection(selection, further, rows) if isinstance(selection, Selection) else None
    return None if below is None else columns | below


def _columns_of_row(field: Field) -> frozenset[str] | None:
    """Returns the columns that one field reads of its row; None means any."""
    if field.kind is FieldKind.TYPENAME:
        return frozenset()
    if field.kind is FieldKind.COLUMN:
        return frozenset((str(field.column),))
    if field.kind is FieldKind.COMPUTED:
        computed: ComputedField = field.declared
        return None if computed.columns is None or not field.is_leaf else frozenset(computed.columns)
    if field.kind is FieldKind.EDGE:
        edge: LoaderField = field.declared
        return frozenset((edge.key, edge.allowed)) if edge.allowed else frozenset((edge.key,))
    if field.kind is FieldKind.GUARD:
        guarded: GuardedField = field.declared
        below = _columns_of_field(field, _ROW_ITSELF) if guarded.column is None else frozenset((guarded.column,))
        return None if below is None else below | {guarded.allowed}
    return None


_ROW_ITSELF = RowPaths()
