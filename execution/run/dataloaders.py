"""Implements the data loaders of a request, which load many keys with one call of a loader's `batch`.

`RequestLoaders` makes one for each declared `Loader`, its arguments and its projection. They live as long as the request.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Hashable, Sequence

from aiodataloader import DataLoader

from execution.loaders import ALL_COLUMNS, Loader, Projection
from execution.opaque_types import LoaderKey, RequestContext, Source

__all__ = ["RequestLoader", "RequestLoaders"]

_Values = dict[LoaderKey, Source]
_Errors = dict[LoaderKey, Exception]


class RequestLoader:
    """Loads values by key, each key once per request.

    `load` is for resolvers that ask for one key each: aiodataloader collects their keys into batches. `load_all` is for the executor, which
    knows all keys at once and needs no future for each. Both share what was loaded, and what is being loaded.
    """

    __slots__ = ("_batch", "_batching", "_futures", "_in_flight", "_known", "_max_batch_size")

    def __init__(self, batch: Callable[[list[LoaderKey]], Coroutine[None, None, list[Source]]], max_batch_size: int | None) -> None:
        self._batch = batch
        self._max_batch_size = max_batch_size
        # Made when a resolver asks for the first key: most requests need none, and it takes longer to make than all the rest.
        self._batching: DataLoader[LoaderKey, Source] | None = None
        self._futures: dict[LoaderKey, asyncio.Future[Source]] = {}
        self._known: _Values = {}
        # The batches of `load_all` that run: their keys, and a future of the keys that failed.
        self._in_flight: list[tuple[frozenset[LoaderKey], asyncio.Future[_Errors]]] = []

    def load(self, key: LoaderKey) -> "asyncio.Future[Source]":
        """Returns a future of the value of a key. Cancelling it does not cancel the value for others that wait for the same key."""
        batching = self._batching
        if batching is None:
            batching = self._batching = DataLoader(self._batch, max_batch_size=self._max_batch_size, cache_map=self._futures)
        if key in self._known:
            batching.prime(key, self._known[key])
        for keys, failed in self._in_flight:
            if key in keys:
                return asyncio.ensure_future(self._when_loaded(key, failed))
        return asyncio.shield(batching.load(key))

    async def _when_loaded(self, key: LoaderKey, failed: "asyncio.Future[_Errors]") -> Source:
        value = (await asyncio.shield(failed)).get(key, self._known.get(key))
        if isinstance(value, Exception):
            raise value
        return value

    async def load_all(self, keys: Collection[LoaderKey]) -> _Values:
        """Returns the values of these distinct keys, and exceptions for keys that failed. It may contain other keys as well."""
        known = self._known
        missing = [key for key in keys if key not in known] if known else keys
        failed: _Errors = {}
        if missing and (self._futures or self._in_flight):
            in_flight = [(its_keys, errors) for its_keys, errors in self._in_flight if not its_keys.isdisjoint(missing)]
            others = {key for its_keys, _ in in_flight for key in its_keys}
            requested = [key for key in missing if key in self._futures and key not in others]
            others.update(requested)
            missing = [key for key in missing if key not in others]
            batches = [asyncio.shield(errors) for _, errors in in_flight]
            for each in await asyncio.gather(self._await_requested(requested), self._run_batches(missing), *batches):
                failed |= each
        elif missing:
            failed = await (self._run_batch(missing) if self._max_batch_size is None else self._run_batches(missing))
        return known | failed if failed else known

    async def load_list(self, keys: Sequence[LoaderKey]) -> list[Source]:
        """Returns the values of many keys in their order. Raises the exception of the first key that failed."""
        found = await self.load_all(dict.fromkeys(keys))
        values = [found.get(key) for key in keys]
        for value in values:
            if isinstance(value, Exception):
                raise value
        return values

    def prime(self, key: LoaderKey, value: Source) -> None:
        """Sets the value of a key that was fetched along with something else, unless the key is loaded already."""
        self._known.setdefault(key, value)

    async def _await_requested(self, keys: list[LoaderKey]) -> _Errors:
        """Waits for keys that resolvers have requested one by one. Returns the errors."""
        failed: _Errors = {}
        values = await asyncio.gather(*[self.load(key) for key in keys], return_exceptions=True)
        for key, value in zip(keys, values, strict=True):
            if isinstance(value, Exception):
                failed[key] = value
            elif isinstance(value, BaseException):
                raise value
            else:
                self._known[key] = value
        return failed

    async def _run_batches(self, keys: Collection[LoaderKey]) -> _Errors:
        """Loads these keys in as many batches as it takes. Returns the errors."""
        size = self._max_batch_size
        if size is None or len(keys) <= size:
            return await self._run_batch(keys) if keys else {}
        listed = list(keys)
        failed: _Errors = {}
        for each in await asyncio.gather(*[self._run_batch(listed[start : start + size]) for start in range(0, len(listed), size)]):
            failed |= each
        return failed

    async def _run_batch(self, keys: Collection[LoaderKey]) -> _Errors:
        """Loads one batch. Returns the errors; they are not remembered, so that a later request for the key tries again."""
        failed: _Errors = {}
        batch: tuple[frozenset[LoaderKey], asyncio.Future[_Errors]] = (frozenset(keys), asyncio.get_running_loop().create_future())
        self._in_flight.append(batch)
        try:
            values = await self._batch(list(keys))
            if len(values) != len(keys):
                raise TypeError(f"A loader was asked for {len(keys)} keys and answered {len(values)}.")
            self._known.update(zip(keys, values, strict=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is these keys' error
            failed = dict.fromkeys(keys, error)
        except BaseException:
            batch[1].cancel()
            raise
        finally:
            self._in_flight.remove(batch)
        batch[1].set_result(failed)
        return failed

    def clear(self, key: LoaderKey) -> None:
        """Forgets the value of a key."""
        self._known.pop(key, None)
        self._futures.pop(key, None)

    def clear_all(self) -> None:
        """Forgets all values."""
        self._known.clear()
        self._futures.clear()

    def cancel(self) -> None:
        """Cancels what was requested one by one; nobody waits for it any more."""
        for future in self._futures.values():
            future.cancel()


class RequestLoaders:
    """The data loaders of one request.

    aiodataloader runs a batch in a task of its own: cancelling those who wait for it leaves its statement running. `close` cancels it.
    """

    __slots__ = ("_closed", "_context", "_loaders", "_running")

    def __init__(self, context: RequestContext) -> None:
        self._context: RequestContext | None = context
        self._loaders: dict[tuple[Loader, Hashable, Projection], RequestLoader] = {}
        self._running: set[asyncio.Task[object]] = set()
        self._closed = False

    def of(self, loader: Loader, arguments: Hashable = None, projection: Projection = ALL_COLUMNS) -> RequestLoader:
        """Returns the request's data loader for a declaration, its arguments and its projection: the same one each time."""
        key = (loader, arguments, projection)
        found = self._loaders.get(key)
        if found is None:
            context = self._context

            async def batch(keys: list[LoaderKey]) -> list[Source]:
                if self._closed:
                    raise asyncio.CancelledError
                task = asyncio.current_task()
                assert task is not None, "a batch runs in a task"
                self._running.add(task)
                try:
                    if loader.row_paths is None:
                        return list(await loader.batch(context, keys, arguments))
                    return list(await loader.batch(context, keys, arguments, projection))
                finally:
                    self._running.discard(task)

            found = self._loaders[key] = RequestLoader(batch, loader.max_batch_size)
        return found

    def close(self) -> None:
        """Ends the request: cancels the batches that still run, and lets none begin."""
        self._closed = True
        for each in self._loaders.values():
            each.cancel()
        for task in self._running:
            task.cancel()
        # The data loaders refer to the context and the context to them: without this they would wait for the garbage collector, which comes
        # late to what has waited for a while.
        self._loaders.clear()
        self._context = None

    def clear(self, *loaders: Loader) -> None:
        """Forgets what these loaders have loaded, or what all have if none is named, since a mutation changed it."""
        for (loader, *_), each in self._loaders.items():
            if not loaders or loader in loaders:
                each.clear_all()
