"""Declarations of fields, which need no call for each parent: filled by a loader, guarded, or computed from the parent.

Both executors use the one declaration. graphql-core calls the resolver made here for each parent; the breadth-first executor calls the loader
once for all parents of a depth.

    homeroom_teacher: Teacher | None = edge(teachers_by_id, "teacher_id", description="…")

    @edge_with(grades_of_students, "id", description="…")
    def grades(self, info: Info, first: int | None = None) -> GradeConnection:
        return page_arguments(first=first)      # the loader's arguments: hashable, the same for all parents

The request's context has an attribute `loaders`, a `RequestLoaders`.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import TypeVar

import strawberry
from strawberry.types import Info

from execution.costs import BATCH, STATEMENT
from execution.loaders import Loader
from execution.opaque_types import ArgumentValue, LoaderKey, RequestContext, Source, StrawberryField

__all__ = [
    "ASKS_NO_LOADER",
    "COMPUTED",
    "EDGE",
    "GUARD",
    "ROOT",
    "ComputedField",
    "GuardedField",
    "LoaderField",
    "RootField",
    "class_decides_type",
    "computed",
    "edge",
    "edge_with",
    "guarded",
    "is_decided_by_class",
]

T = TypeVar("T", bound=Callable[..., object])

# The keys under which a field's declaration is in Strawberry's metadata: `strawberry_field.metadata[EDGE]`.
EDGE = "edge"
GUARD = "guard"
COMPUTED = "computed"
ROOT = "root"
# True for a resolver that uses no loader, so that the plan knows what is needed of all loaders without calling it.
ASKS_NO_LOADER = "asks no loader"


@dataclass(frozen=True, slots=True)
class LoaderField:
    """A field that a loader fills.

    `key` is the attribute of the parent that holds the loader's key; None as the key gives null (or an empty edge). `prepare(None,
    **arguments)` turns the field's GraphQL arguments into the loader's. It depends on nothing else, so one call serves all parents, and all
    requests with the same document. It is None if the field has no arguments.

    `allowed`, if given, is a boolean attribute of the parent. If it is false, the field is null with the error that `refuse()` returns, and
    the loader is not asked.
    """

    loader: Loader
    key: str
    prepare: Callable[..., Hashable] | None = None
    allowed: str | None = None
    refuse: Callable[[], Exception] | None = None


@dataclass(frozen=True, slots=True)
class GuardedField:
    """A column that only some viewers may read, row by row. If `column` is None, the value is the parent itself.

    If the row's boolean attribute `allowed` is false, the field is null with the error that `refuse()` returns.
    """

    column: str | None
    allowed: str
    refuse: Callable[[], Exception]


@dataclass(frozen=True, slots=True)
class ComputedField:
    """A field that is a pure, synchronous function of the parent alone.

    `many`, if given, does the same for a list of parents of one class. `columns` are those that the function reads of a parent that is a row;
    None if they are not known. `json_kind` is the name under which a source that serialises rows as JSON knows the function.
    """

    function: Callable[[Source], Source]
    many: Callable[[list[Source]], list[Source]] | None = None
    columns: tuple[str, ...] | None = None
    json_kind: str | None = None


@dataclass(frozen=True, slots=True)
class RootField:
    """A field of a root type that a loader fills.

    `ask(**arguments)` returns the key and the loader's arguments. `check(context)`, which is called first, raises if the viewer may not have
    the field.
    """

    loader: Loader
    ask: Callable[..., tuple[LoaderKey, Hashable]]
    check: Callable[[RequestContext], None]


def class_decides_type(function: T) -> T:
    """Marks an `is_type_of` or `resolve_type` whose result depends only on the object's class, so that it is called once for each class."""
    function.decided_by_class = True  # type: ignore[attr-defined]  # functions accept it
    return function


def is_decided_by_class(function: object) -> bool:
    return bool(getattr(function, "decided_by_class", False))


def edge(loader: Loader, key: str, *, description: str, **options: StrawberryField) -> StrawberryField:
    """Declares a field without arguments that `loader` fills from the parent's attribute `key`. Its type is the annotation."""

    async def resolve(root: strawberry.Parent[Source], info: Info) -> Source:
        value = getattr(root, key)
        return None if value is None else await info.context.loaders.of(loader).load(value)

    metadata = {BATCH: STATEMENT, **options.pop("metadata", {}), EDGE: LoaderField(loader, key)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)


def edge_with(
    loader: Loader,
    key: str,
    *,
    description: str,
    allowed: str | None = None,
    refuse: Callable[[], Exception] | None = None,
    **options: StrawberryField,
) -> Callable[[Callable[..., Source]], StrawberryField]:
    """Declares a field with arguments: decorates the function that turns them into the loader's. `self` and `info` are None in it.

    The function's return annotation is the field's GraphQL type; what it returns is the loader's arguments (hashable). Errors that it raises
    are the field's. `allowed` and `refuse` go together: see `LoaderField`.
    """

    def decorate(prepare: Callable[..., Source]) -> StrawberryField:
        @wraps(prepare)
        async def resolve(self: Source, info: Info, **arguments: ArgumentValue) -> Source:
            if allowed is not None and refuse is not None and not getattr(self, allowed):
                raise refuse()
            value = getattr(self, key)
            made = info.context.loaders.of(loader, prepare(None, None, **arguments))
            return None if value is None else await made.load(value)

        resolve.__signature__ = signature(prepare)  # type: ignore[attr-defined]  # functions accept it; typeshed has no such attribute
        declared = LoaderField(loader, key, lambda info, **arguments: prepare(None, None, **arguments), allowed, refuse)
        metadata = {BATCH: STATEMENT, **options.pop("metadata", {}), EDGE: declared}
        return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)

    return decorate


def guarded(
    column: str | None, allowed: str, refuse: Callable[[], Exception], *, description: str, **options: StrawberryField
) -> StrawberryField:
    """Declares a column (None: the row itself) that is null with the error of `refuse()` unless the row's boolean `allowed` is true."""

    def resolve(root: strawberry.Parent[Source]) -> Source:
        if not getattr(root, allowed):
            raise refuse()
        return root if column is None else getattr(root, column)

    metadata = options.pop("metadata", {}) | {GUARD: GuardedField(column, allowed, refuse)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)


def computed(
    function: Callable[[Source], Source],
    *,
    description: str,
    many: Callable[[list[Source]], list[Source]] | None = None,
    columns: tuple[str, ...] | None = None,
    json_kind: str | None = None,
    **options: StrawberryField,
) -> StrawberryField:
    """Declares a field whose value is `function(parent)`: pure, synchronous, cheap. Its type is the annotation. The rest: see `ComputedField`."""

    def resolve(root: strawberry.Parent[Source]) -> Source:
        return function(root)

    metadata = options.pop("metadata", {}) | {COMPUTED: ComputedField(function, many, columns, json_kind)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)
