"""Declarations of loaders, and what an operation wants of the rows of one.

A `Loader` is declared once, at import; its `DataLoader` is made per request (run/dataloaders.py).
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["EVERYTHING", "Batch", "Cargo", "Columns", "Loader", "Rows", "Wants"]

# (request context, keys, arguments) -> one answer for each key, in key order.
# An answer may be an exception: it is raised for that key alone.
Batch = Callable[[Any, Sequence[Any], Any], Awaitable[Sequence[Any]]]
Columns = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Rows:
    """Where rows are in a loader's values, by the names of attributes on the way there: `(("nodes",), ("edges", "node"))`; `((),)`: they are rows.

    `read_by`: which columns attributes on the way read of the rows, by the attribute's name.
    """

    at: tuple[tuple[str, ...], ...] = ((),)
    read_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Loader:
    """Declares how the values of many keys are fetched at once.

    `batch` takes the request's context, the keys (no key twice, none of them None) and the
    arguments (None, or one hashable value that all these keys share), and returns one answer for each key, in order.
    `max_batch_size` bounds the keys of one call; None is no bound.
    With `rows`, `batch` takes a fourth: what is wanted of the rows (`Wants`).
    A `carrier` may bring rows along for others; `origin` is what carriers need to know of a loader to bring its rows; None: they can't.
    `writes` makes of the shape of what is selected of the rows (json_pushdown.py) what `Wants.written` will be; None: it can't be written.
    """

    batch: Callable[..., Awaitable[Sequence[Any]]]
    name: str
    max_batch_size: int | None = None
    rows: Rows | None = None
    carrier: bool = False
    origin: Any = None
    writes: Callable[[Any], Hashable] | None = None


@dataclass(frozen=True, slots=True)
class Cargo:
    """Rows that may ride along: those that `loader` has for the keys in this column of the carrier's rows, as they are wanted of it."""

    column: str
    loader: Loader
    wants: "Wants"


@dataclass(eq=False, slots=True)
class Wants:
    """What an operation wants of a loader's rows.

    `columns`: those that are read (others need not be fetched); None: all. `cargo`: what may ride along, to be given to the loaders that will be
    asked for it. `written`: not None when the loader may answer `Written` where rows would be.
    """

    columns: Columns = None
    cargo: tuple[Cargo, ...] = ()
    written: Any = None


EVERYTHING = Wants()
