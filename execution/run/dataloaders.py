"""The data loaders of one request: one batch of keys, one statement.

`Loaders` makes one for each declared `Loader` and each value of the arguments it is used with; it dies with the request.
"""

import asyncio
from collections.abc import Callable, Collection, Hashable, Sequence
from typing import Any, cast

from aiodataloader import DataLoader

from execution.loaders import EVERYTHING, Loader, Wants

__all__ = ["Loaders"]


class _Shared(DataLoader[Any, Any]):
    """A data loader whose answers are waited for by several fields at once: one that is cancelled does not cancel the answer for the others.

    graphql-core cancels what is beside a field that fails; aiodataloader gives everyone who asks for a key the same future.
    Who asks for many keys at once needs no futures: `load_all` answers from, and fills, what is known beside the futures.
    """

    def __init__(self, batch: Callable[[list[Any]], Any], max_batch_size: int | None) -> None:
        # What aiodataloader's own does, but for looking through the function with `inspect`: that is most of what making one costs, and every
        # request makes some.
        self.loop = asyncio.get_running_loop()
        self.batch_load_fn = batch
        self.max_batch_size = max_batch_size
        self._cache = {}
        self._queue = []
        self._known: dict[Any, Any] = {}
        # The batches of `load_all` that run: their keys, and a future of what failed.
        self._coming: list[tuple[frozenset[Any], asyncio.Future[dict[Any, Any]]]] = []

    @staticmethod
    def get_cache_key(key: Any) -> Any:
        return key

    def load(self, key: Any) -> "asyncio.Future[Any]":
        if key in self._known:
            self.prime(key, self._known[key])
        for keys, failed in self._coming:
            if key in keys:
                return asyncio.ensure_future(self._when_there(key, failed))
        return asyncio.shield(super().load(key))

    async def _when_there(self, key: Any, failed: "asyncio.Future[dict[Any, Any]]") -> Any:
        answer = (await asyncio.shield(failed)).get(key, self._known.get(key))
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def load_all(self, keys: Collection[Any]) -> dict[Any, Any]:
        """What the loader has for these keys (none twice), by key: values, and exceptions for keys that failed. Others' may be among them."""
        known = self._known
        missing = [key for key in keys if key not in known] if known else keys
        failed: dict[Any, Any] = {}
        if missing and (self._cache or self._coming):
            coming = [(its, batch) for its, batch in self._coming if not its.isdisjoint(missing)]
            others = {key for its, _ in coming for key in its}
            asked = [key for key in missing if key in self._cache and key not in others]
            others.update(asked)
            missing = [key for key in missing if key not in others]
            batches = [asyncio.shield(batch) for _, batch in coming]
            for each in await asyncio.gather(self._loaded(asked), self._all_answered(missing), *batches):
                failed |= each
        elif missing:
            failed = await (self._answered(missing) if self.max_batch_size is None else self._all_answered(missing))
        return known | failed if failed else known

    async def load_list(self, keys: Sequence[Any]) -> list[Any]:
        """The values of many keys in their order, without a future for each. Raises the exception of the first key that failed."""
        found = await self.load_all(dict.fromkeys(keys))
        values = [found.get(key) for key in keys]
        for value in values:
            if isinstance(value, Exception):
                raise value
        return values

    def know(self, key: Any, value: Any) -> None:
        """The value of a key that came along with something else. What is known already stays."""
        self._known.setdefault(key, value)

    async def _loaded(self, keys: list[Any]) -> dict[Any, Any]:
        """Waits for what others have asked for; what failed."""
        failed = {}
        answers = await asyncio.gather(*[self.load(key) for key in keys], return_exceptions=True)
        for key, answer in zip(keys, answers, strict=True):
            if isinstance(answer, Exception):
                failed[key] = answer
            elif isinstance(answer, BaseException):
                raise answer
            else:
                self._known[key] = answer
        return failed

    async def _all_answered(self, keys: Collection[Any]) -> dict[Any, Any]:
        """Gets these keys, in as many batches as it takes; what failed."""
        size = self.max_batch_size
        if size is None or len(keys) <= size:
            return await self._answered(keys) if keys else {}
        listed = list(keys)
        failed: dict[Any, Any] = {}
        for each in await asyncio.gather(*[self._answered(listed[start : start + size]) for start in range(0, len(listed), size)]):
            failed |= each
        return failed

    async def _answered(self, keys: Collection[Any]) -> dict[Any, Any]:
        """Runs one batch. A batch that fails is not remembered: every key of it has failed."""
        failed: dict[Any, Any] = {}
        coming = (frozenset(keys), asyncio.get_running_loop().create_future())
        self._coming.append(coming)
        try:
            answers = await self.batch_load_fn(list(keys))
            if len(answers) != len(keys):
                raise TypeError(f"A loader was asked for {len(keys)} keys and answered {len(answers)}.")
            self._known.update(zip(keys, answers, strict=True))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is these keys' error
            failed = dict.fromkeys(keys, error)
        except BaseException:
            coming[1].cancel()
            raise
        finally:
            self._coming.remove(coming)
        coming[1].set_result(failed)
        return failed

    def clear(self, key: Any) -> "_Shared":
        self._known.pop(key, None)
        super().clear(key)
        return self

    def clear_all(self) -> "_Shared":
        self._known.clear()
        super().clear_all()
        return self

    def give_up(self) -> None:
        """Nobody waits for an answer any more."""
        for future in self._cache.values():
            future.cancel()


class Loaders:
    """The data loaders of one request.

    aiodataloader runs a batch in a task of its own, which nobody waits for: cancelling who asked leaves the statement running. `close` ends it.
    """

    __slots__ = ("_closed", "_context", "_made", "_running")

    def __init__(self, context: Any) -> None:
        self._context = context
        self._made: dict[tuple[Loader, Hashable, Wants], _Shared] = {}
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    def of(self, loader: Loader, arguments: Hashable = None, wants: Wants = EVERYTHING) -> _Shared:
        """The request's data loader for this declaration, these arguments and wants: the same one each time."""
        key = (loader, arguments, wants)
        made = self._made.get(key)
        if made is None:
            context = self._context

            async def batch(keys: list[Any]) -> list[Any]:
                if self._closed:
                    raise asyncio.CancelledError
                task = cast("asyncio.Task[Any]", asyncio.current_task())
                self._running.add(task)
                try:
                    if loader.rows is None:
                        return list(await loader.batch(context, keys, arguments))
                    return list(await loader.batch(context, keys, arguments, wants))
                finally:
                    self._running.discard(task)

            made = _Shared(batch, loader.max_batch_size)
            self._made[key] = made
        return made

    def close(self) -> None:
        """The request is over: batches that still run are cancelled, and none begins any more."""
        self._closed = True
        for made in self._made.values():
            made.give_up()
        for task in self._running:
            task.cancel()
        # The data loaders know the context, and the context them: what they hold would wait for the garbage collector.
        self._made.clear()

    def clear(self, *loaders: Loader) -> None:
        """Forget what these loaders have answered (all of them when none is named): a mutation changed it."""
        for (loader, *_), made in self._made.items():
            if not loaders or loader in loaders:
                made.clear_all()
