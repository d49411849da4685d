"""JSON that came from a loader's source as it goes into the answer."""

from typing import Any

import orjson

__all__ = ["Written"]


class Written:
    """One value (an object, a list of objects) as its source wrote it: see json_pushdown.py."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def fragment(self) -> orjson.Fragment:
        """What orjson puts into a larger answer as it is."""
        return orjson.Fragment(self.text)

    def value(self) -> Any:
        return orjson.loads(self.text)
