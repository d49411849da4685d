"""What a worker remembers about the tokens it has verified: bounded, never past their end, dropped when their right is revoked."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from auth.viewer import Viewer

__all__ = ["Entry", "ViewerCache"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A verified token: who it stands for, when it ends (UTC), what it stands on: (kind, id) of session and user, or of a service token."""

    viewer: Viewer
    expires_at: datetime
    rights: tuple[tuple[str, UUID], ...]


class ViewerCache:
    """The most recently used `size` tokens, by their SHA-256: no token is kept in memory.

    What was read from the database before something was revoked must not be kept after it: a reader notes `generation` first, and
    `keep` ignores what was read in an earlier one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._tokens: dict[tuple[str, UUID], set[bytes]] = {}
        self.generation = 0

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, token: bytes, now: datetime) -> Entry | None:
        entry = self._entries.get(token)
        if entry is None:
            return None
        if entry.expires_at <= now:
            self._remove(token)
            return None
        self._entries.move_to_end(token)
        return entry

    def keep(self, token: bytes, entry: Entry, generation: int) -> None:
        if generation != self.generation:
            return
        self._remove(token)
        self._entries[token] = entry
        for right in entry.rights:
            self._tokens.setdefault(right, set()).add(token)
        if len(self._entries) > self._size:
            self._remove(next(iter(self._entries)))

    def revoke(self, kind: str, identifier: UUID) -> None:
        """Forgets every token that stands on this right."""
        self.generation += 1
        for token in list(self._tokens.get((kind, identifier), ())):
            self._remove(token)

    def clear(self) -> None:
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
