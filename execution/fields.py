"""Edges: a field declared as "filled by that loader from that column".

Both executors read the one declaration: graphql-core calls the resolver made here once per parent,
the breadth-first executor calls the loader once for all parents of a depth.

    homeroom_teacher: Teacher | None = edge(teachers_by_id, "teacher_id", description="…")

    @edge_with(grades_of_students, "id", description="…")
    def grades(self, info: Info, first: int | None = None) -> GradeConnection:
        return page_arguments(first=first)      # the loader's arguments: hashable, the same for all parents

The request's context has an attribute `loaders`, a `Loaders`.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

import strawberry
from strawberry.types import Info

from execution.costs import BATCH, STATEMENT
from execution.loaders import Loader

__all__ = [
    "ASKS_NO_LOADER",
    "COMPUTED",
    "EDGE",
    "GUARD",
    "Computed",
    "Edge",
    "Guard",
    "by_class",
    "computed",
    "decided_by_class",
    "edge",
    "edge_with",
    "guarded",
]

T = TypeVar("T", bound=Callable[..., Any])

# Where a field's declaration is found: `strawberry_field.metadata[EDGE]`.
EDGE = "edge"
GUARD = "guard"
COMPUTED = "computed"
ROOT = "root"
# Of a field with a function of its own: it asks no loader, so what is wanted of the loaders can be told without it.
ASKS_NO_LOADER = "asks no loader"


@dataclass(frozen=True, slots=True)
class Edge:
    """One field's declaration.

    `key` is the attribute of the parent that holds the loader's key; a None key answers None (an empty edge).
    `prepare(None, **arguments)` turns the field's GraphQL arguments into the loader's: it depends on nothing but them, so one call
    serves all parents of a selection, and all requests with the same document. None: the field has no arguments.
    `allowed`, when given, is a boolean attribute of the parent: where it is false the field is null with the error that `refuse()` makes,
    and the loader is not asked.
    """

    loader: Loader
    key: str
    prepare: Callable[..., Hashable] | None = None
    allowed: str | None = None
    refuse: Callable[[], Exception] | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """A plain column that only some viewers may read, row by row. A `column` of None stands for the parent itself.

    The row's boolean attribute `allowed` says whether; where it is false the field is null with the error that `refuse()` makes.
    """

    column: str | None
    allowed: str
    refuse: Callable[[], Exception]


@dataclass(frozen=True, slots=True)
class Computed:
    """A field that is a pure, synchronous function of the parent alone.

    `many`, when given, is the same for a list of parents of one class; `columns` are what it reads of a parent that is a row, None: who knows.
    `written` is the name under which whoever writes rows as JSON knows it, made of `columns`.
    """

    function: Callable[[Any], Any]
    many: Callable[[list[Any]], list[Any]] | None = None
    columns: tuple[str, ...] | None = None
    written: str | None = None


@dataclass(frozen=True, slots=True)
class Root:
    """A field of a root type that a loader fills: `ask(**arguments)` gives the key and the loader's arguments, from the arguments alone.

    `check(context)` raises when whoever asks may not have the field; it is called first.
    """

    loader: Loader
    ask: Callable[..., tuple[Hashable, Hashable]]
    check: Callable[[Any], None]


def by_class(function: T) -> T:
    """Says of a function that tells an object's type (`is_type_of`, `resolve_type`) that the object's class alone decides."""
    function.decided_by_class = True  # type: ignore[attr-defined]  # functions accept it
    return function


def decided_by_class(function: Any) -> bool:
    return bool(getattr(function, "decided_by_class", False))


def edge(loader: Loader, key: str, *, description: str, **options: Any) -> Any:
    """A field without arguments, filled by `loader` from the parent's attribute `key`. Its type is the annotation."""

    async def resolve(root: strawberry.Parent[Any], info: Info) -> Any:
        value = getattr(root, key)
        return None if value is None else await info.context.loaders.of(loader).load(value)

    metadata = {BATCH: STATEMENT, **options.pop("metadata", {}), EDGE: Edge(loader, key)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)


def edge_with(
    loader: Loader,
    key: str,
    *,
    description: str,
    allowed: str | None = None,
    refuse: Callable[[], Exception] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """A field with arguments: decorates the function that turns them into the loader's arguments. It is given None for `self` and `info`.

    The function's return annotation is the field's GraphQL type; what it returns is the loader's arguments (hashable).
    Errors it raises are the field's errors. `allowed` and `refuse` go together: see `Edge`.
    """

    def decorate(prepare: Callable[..., Any]) -> Any:
        @wraps(prepare)
        async def resolve(self: Any, info: Info, **arguments: Any) -> Any:
            if allowed is not None and refuse is not None and not getattr(self, allowed):
                raise refuse()
            value = getattr(self, key)
            made = info.context.loaders.of(loader, prepare(None, None, **arguments))
            return None if value is None else await made.load(value)

        resolve.__signature__ = signature(prepare)  # type: ignore[attr-defined]  # functions accept it; typeshed has no such attribute
        declared = Edge(loader, key, lambda info, **arguments: prepare(None, None, **arguments), allowed, refuse)
        metadata = {BATCH: STATEMENT, **options.pop("metadata", {}), EDGE: declared}
        return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)

    return decorate


def guarded(column: str | None, allowed: str, refuse: Callable[[], Exception], *, description: str, **options: Any) -> Any:
    """A plain column (None: the row itself) that the row's boolean `allowed` opens; closed, it is null with the error of `refuse()`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        if not getattr(root, allowed):
            raise refuse()
        return root if column is None else getattr(root, column)

    metadata = options.pop("metadata", {}) | {GUARD: Guard(column, allowed, refuse)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)


def computed(
    function: Callable[[Any], Any],
    *,
    description: str,
    many: Callable[[list[Any]], list[Any]] | None = None,
    columns: tuple[str, ...] | None = None,
    written: str | None = None,
    **options: Any,
) -> Any:
    """A field whose value is `function(parent)`: pure, synchronous, cheap. Its type is the annotation. The others: see `Computed`."""

    def resolve(root: strawberry.Parent[Any]) -> Any:
        return function(root)

    metadata = options.pop("metadata", {}) | {COMPUTED: Computed(function, many, columns, written)}
    return strawberry.field(resolver=resolve, description=description, metadata=metadata, **options)
