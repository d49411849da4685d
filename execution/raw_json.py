"""Represents JSON that a loader's source has already serialised."""

import orjson

from execution.opaque_types import JSONData

__all__ = ["RawJson"]


class RawJson:
    """Holds one completed value (an object, or a list of objects) as JSON text; it goes into the response unchanged."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def fragment(self) -> orjson.Fragment:
        """Returns the text as orjson embeds it into a larger document."""
        return orjson.Fragment(self.text)

    def value(self) -> JSONData:
        """Returns the text decoded."""
        return orjson.loads(self.text)
