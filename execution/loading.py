"""Loaders: one batch of keys, one statement, for one request.

A `Loader` is declared once, at import; its `DataLoader` is made per request by `Loaders`,
one for each value of the arguments it is used with, and dies with the request.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from aiodataloader import DataLoader

__all__ = ["Batch", "Loader", "Loaders"]

# (request context, keys, arguments) -> one answer for each key, in key order.
# An answer may be an exception: it is raised for that key alone.
Batch = Callable[[Any, Sequence[Any], Any], Awaitable[Sequence[Any]]]


@dataclass(frozen=True, eq=False, slots=True)
class Loader:
    """Declares how the values of many keys are fetched at once.

    `batch` takes the request's context, the keys (no key twice, none of them None) and the
    arguments (None, or one hashable value that all these keys share), and returns one answer for each key, in order.
    `max_batch_size` bounds the keys of one call; None is no bound.
    """

    batch: Batch
    name: str
    max_batch_size: int | None = None


class Loaders:
    """The data loaders of one request."""

    __slots__ = ("_context", "_made")

    def __init__(self, context: Any) -> None:
        self._context = context
        self._made: dict[tuple[Loader, Hashable], DataLoader[Any, Any]] = {}

    def of(self, loader: Loader, arguments: Hashable = None) -> DataLoader[Any, Any]:
        """The request's data loader for this declaration and these arguments: the same one each time."""
        key = (loader, arguments)
        made = self._made.get(key)
        if made is None:
            context = self._context

            async def batch(keys: list[Any]) -> list[Any]:
                return list(await loader.batch(context, keys, arguments))

            made = DataLoader(batch, max_batch_size=loader.max_batch_size)
            self._made[key] = made
        return made

    def clear(self, *loaders: Loader) -> None:
        """Forget what these loaders have answered (all of them when none is named): a mutation changed it."""
        for (loader, _), made in self._made.items():
            if not loaders or loader in loaders:
                made.clear_all()
