"""Declarations of loaders, and what an operation needs of the rows that one fetches.

A `Loader` is declared once, at import. Each request makes data loaders of it (run/dataloaders.py).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from execution.opaque_types import Source
from json_tree import JsonObject, JsonSource

__all__ = ["ALL_COLUMNS", "Loader", "Prefetch", "Projection", "RowPaths"]


@dataclass(frozen=True, slots=True)
class RowPaths:
    """Says where the rows are in a loader's values.

    `paths` are names of attributes on the way to a row: `(("nodes",), ("edges", "node"))` for a page; `((),)` if the values are rows.
    `read_by` maps an attribute on the way to the columns that it reads of the rows, such as a cursor's.
    """

    paths: tuple[tuple[str, ...], ...] = ((),)
    read_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Loader:
    """Declares how the values of many keys are fetched at once.

    `batch` takes the request's context, the keys (distinct, none of them None) and the arguments (None, or one hashable value that all
    these keys share). It returns one value for each key, in order; an exception among them is raised for that key alone. A loader with
    `row_paths` passes `batch` a fourth argument, the `Projection` of the rows.

    `max_batch_size` limits the keys of one call; None is no limit. If `can_prefetch`, its rows can bring along rows of other loaders.
    `source` is where the rows come from: opaque here, passed on to the code that prefetches or serialises them; None if neither is possible.
    `type_name` names the GraphQL type of its values where each is an object of one type, or None; "" for other loaders.
    """

    batch: Callable[..., Awaitable[Sequence[Source]]]
    name: str
    max_batch_size: int | None = None
    row_paths: RowPaths | None = None
    can_prefetch: bool = False
    source: JsonSource | None = None
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Prefetch:
    """A to-one edge whose rows can be fetched together with the rows that it starts from.

    The rows are those that `loader` has for the keys in `column`; `projection` says what is needed of them.
    """

    column: str
    loader: Loader
    projection: "Projection"


@dataclass(eq=False, slots=True)
class Projection:
    """What an operation needs of the rows of one loader. Compared by identity: fields that share a projection share a data loader.

    `columns` are those that are read; None means all. `prefetches` are the rows that can be fetched along with these and given to the loaders
    that will be asked for them. If `json_object` is not None, the loader may return `RawJson` in the place of rows.
    """

    columns: frozenset[str] | None = None
    prefetches: tuple[Prefetch, ...] = ()
    json_object: JsonObject | None = None


ALL_COLUMNS = Projection()
