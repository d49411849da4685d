"""The size of an answer, bounded while it is put together: what is too large is refused before it is whole."""

from typing import Any

import orjson

from execution.errors import Refusal

__all__ = ["AnswerLeftOutError", "AnswerSize", "AnswerTooLargeError"]


class AnswerTooLargeError(Refusal):
    """An answer, or a part of it, that is larger than answers may be."""

    def __init__(self, limit: int) -> None:
        super().__init__("ANSWER_TOO_LARGE", f"The answer is larger than {limit} bytes: ask for less at once.", limit=limit)
        self.limit = limit


class AnswerLeftOutError(Refusal):
    """A mutation whose answer is larger than answers may be: it has run, and its client must not take it for refused."""

    def __init__(self, limit: int) -> None:
        message = f"It ran to its end; only its answer is left out: answers have {limit} bytes at most. Look before you send it again."
        super().__init__("ANSWER_TOO_LARGE", message, limit=limit)


class AnswerSize:
    """Bytes counted against the limit."""

    __slots__ = ("_bytes", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = 0

    def add(self, size: int) -> None:
        """Counts bytes that the answer will contain. Raises AnswerTooLargeError, and then has not counted them."""
        total = self._bytes + size
        if total > self.limit:
            raise AnswerTooLargeError(self.limit)
        self._bytes = total

    def part(self) -> "AnswerSize":
        """A count of its own, for a part that is counted before what contains it."""
        return AnswerSize(self.limit)

    def encoded(self, value: Any) -> bytes:
        """A value as JSON. Raises AnswerTooLargeError."""
        text = orjson.dumps(value)
        if len(text) > self.limit:
            raise AnswerTooLargeError(self.limit)
        return text
