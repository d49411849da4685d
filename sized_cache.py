"""Implements an LRU cache with a limit in bytes, for everything that clients can cause the process to keep."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

__all__ = ["SizedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SizedCache(Generic[K, V]):
    """Keeps the most recently used entries whose sizes add up to at most `max_bytes`.

    The caller states the size of each entry, including its key. Entries above `max_entry_bytes` (by default an eighth of `max_bytes`) are not kept, so
    that one entry cannot evict many. Thread-safe.
    """

    def __init__(self, max_bytes: int, *, max_entry_bytes: int | None = None) -> None:
        self.max_bytes = max_bytes
        self.max_entry_bytes = max_bytes // 8 if max_entry_bytes is None else max_entry_bytes
        self.bytes = 0
        self._entries: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        """Returns the value of a key and marks it as used; None if it is not in the cache."""
        found = self._entries.get(key)
        if found is None:
            return None
        # Use is recorded only while the cache is over half full: before that nothing will be evicted soon, and some keys are slow to hash.
        if 2 * self.bytes > self.max_bytes:
            try:  # noqa: SIM105 - contextlib.suppress takes longer than the look-up
                self._entries.move_to_end(key)
            except KeyError:
                # Another thread has just evicted it.
                pass
        return found[0]

    def put(self, key: K, value: V, size: int) -> None:
        """Stores a value under a key, replacing an earlier one, and evicts the least recently used entries above the limit."""
        with self._lock:
            self._remove(key)
            if size > self.max_entry_bytes:
                return
            self._entries[key] = (value, size)
            self.bytes += size
            self._evict()

    def resize(self, key: K, size: int) -> None:
        """Updates the size of an entry. Drops it if it is now larger than `max_entry_bytes`."""
        with self._lock:
            found = self._entries.get(key)
            if found is None:
                return
            if size > self.max_entry_bytes:
                self._remove(key)
                return
            self._entries[key] = (found[0], size)
            self.bytes += size - found[1]
            self._evict()

    def get_or_make(self, key: K, make: Callable[[], V], size_of: Callable[[V], int]) -> V:
        """Returns the value of a key; makes and stores it if it is not in the cache."""
        found = self.get(key)
        if found is None:
            found = make()
            self.put(key, found, size_of(found))
        return found

    def discard(self, key: K) -> None:
        """Drops the entry of a key, if there is one."""
        with self._lock:
            self._remove(key)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
            self.bytes = 0

    def _remove(self, key: K) -> None:
        removed = self._entries.pop(key, None)
        if removed is not None:
            self.bytes -= removed[1]

    def _evict(self) -> None:
        while self.bytes > self.max_bytes:
            _, (_, size) = self._entries.popitem(last=False)
            self.bytes -= size
