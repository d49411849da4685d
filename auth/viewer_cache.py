"""Caches verified tokens in a worker: bounded in size, never beyond a token's expiry, and invalidated by revocations."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.viewer import Viewer

__all__ = ["Entry", "ViewerCache"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified token: its viewer, its expiry (UTC), and the (kind, id) pairs whose revocation ends it.

    These are the session and the user of an access token, or the service token itself.
    """

    viewer: Viewer
    expires_at: datetime
    rights: tuple[tuple[str, UUID], ...]


class ViewerCache:
    """An LRU cache of `size` tokens, keyed by SHA-256 so that no token is kept in memory.

    An entry that was read from the database before a revocation must not be stored after it. So a reader notes `generation` before it reads,
    and `put` ignores entries that were read in an earlier generation.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._tokens: dict[tuple[str, UUID], set[bytes]] = {}
        self.generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, token: bytes, now: datetime) -> Entry | None:
        """Returns the entry of a token that has not expired at `now`, or None."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        if entry.expires_at <= now:
            self._remove(token)
            return None
        self._entries.move_to_end(token)
        return entry

    def put(self, token: bytes, entry: Entry, generation: int) -> None:
        """Stores an entry that was read in `generation`, and evicts the least recently used one when the cache is full."""
        if generation != self.generation:
            return
        self._remove(token)
        self._entries[token] = entry
        for right in entry.rights:
            self._tokens.setdefault(right, set()).add(token)
        if len(self._entries) > self._size:
            self._remove(next(iter(self._entries)))

    def revoke(self, kind: str, identifier: UUID) -> None:
        """Removes every token that depends on this session, user or service token, and starts a new generation."""
        self.generation += 1
        for token in list(self._tokens.get((kind, identifier), ())):
            self._remove(token)

    def clear(self) -> None:
        """Removes all tokens, and starts a new generation."""
        self.generation += 1
        self._entries.clear()
        self._tokens.clear()

    def _remove(self, token: bytes) -> None:
        entry = self._entries.pop(token, None)
        if entry is None:
            return
        for right in entry.rights:
            tokens = self._tokens[right]
            tokens.discard(token)
            if not tokens:
                del self._tokens[right]
