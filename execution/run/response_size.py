"""Limits the size of a response while it is being built."""

import orjson

from execution.errors import Refusal
from execution.opaque_types import JSONData

__all__ = ["ResponseOmittedError", "ResponseSize", "ResponseTooLargeError"]


class ResponseTooLargeError(Refusal):
    """Raised when the response to an operation, or a part of it, is larger than the limit."""

    def __init__(self, limit: int) -> None:
        super().__init__("ANSWER_TOO_LARGE", f"The response would be larger than {limit} bytes. Request less data at once.", limit=limit)
        self.limit = limit


class ResponseOmittedError(Refusal):
    """Reports that a mutation ran although its response is larger than the limit, so that the client does not consider it refused."""

    def __init__(self, limit: int) -> None:
        message = f"It ran to its end; only its answer is left out: answers have {limit} bytes at most. Look before you send it again."
        super().__init__("ANSWER_TOO_LARGE", message, limit=limit)


class ResponseSize:
    """Counts the bytes of a response against the limit."""

    __slots__ = ("_bytes", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._bytes = 0

    def add(self, size: int) -> None:
        """Counts bytes that the response will contain. Raises ResponseTooLargeError, and then has not counted them."""
        total = self._bytes + size
        if total > self.limit:
            raise ResponseTooLargeError(self.limit)
        self._bytes = total

    def part(self) -> "ResponseSize":
        """Returns a separate count with the same limit, for a part that is counted before what contains it."""
        return ResponseSize(self.limit)

    def encode(self, value: JSONData) -> bytes:
        """Returns a value as JSON. Raises ResponseTooLargeError."""
        text = orjson.dumps(value)
        if len(text) > self.limit:
            raise ResponseTooLargeError(self.limit)
        return text
