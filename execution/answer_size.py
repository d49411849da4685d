"""The size of an answer, bounded while it is put together: what is too large is refused before it is whole."""

from typing import Any

import orjson

from execution.errors import Refusal

__all__ = ["AnswerSize", "AnswerTooLargeError"]


class AnswerTooLargeError(Refusal):
    """An answer, or a part of it, that is larger than answers may be."""

    def __init__(self, limit: int) -> None:
        super().__init__("ANSWER_TOO_LARGE", f"The answer is larger than {limit} bytes: ask for less at once.", limit=limit)


class AnswerSize:
    """Bytes counted against the limit."""

    __slots__ = ("_bytes", "_limit")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._bytes = 0

    def add(self, size: int) -> None:
        """Counts bytes that the answer will contain. Raises AnswerTooLargeError."""
        self._bytes += size
        if self._bytes > self._limit:
            raise AnswerTooLargeError(self._limit)

    def part(self) -> "AnswerSize":
        """A count of its own, for a part that is counted before what contains it."""
        return AnswerSize(self._limit)

    def encoded(self, value: Any) -> bytes:
        """A value as JSON. Raises AnswerTooLargeError."""
        text = orjson.dumps(value)
        if len(text) > self._limit:
            raise AnswerTooLargeError(self._limit)
        return text
