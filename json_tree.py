"""Describes JSON that a loader's source can serialise itself, so that rows need not be fetched and serialised in Python.

The plan makes a tree of what an operation selects of a loader's rows (execution/plan/json_pushdown.py); the source compiles it (db/json_sql.py).
This module knows neither GraphQL's types nor SQL, and imports nothing of ours but the cache.

`grades(first: 5) { nodes { percentage class { name } } }` of a student is

    ToMany("grades", "nodes", "id", <first: 5>, JsonObject(GRADES, (
        JsonLeaf("percentage", ("percentage",), "decimal", nullable=True),
        ToOne("class", "class_id", JsonObject(CLASSES, (JsonLeaf("name", ("name",), "text", nullable=False),)), nullable=True),
    )))

where GRADES and CLASSES are the sources of two loaders' rows.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from sized_cache import SizedCache

__all__ = ["JSON_OBJECTS", "JsonConstant", "JsonLeaf", "JsonObject", "JsonPart", "JsonSource", "ToMany", "ToOne", "json_object"]


class JsonSource(Protocol):
    """Describes where a loader's rows come from. The plan reads these declarations, and passes the source to the code that serialises the rows."""

    @property
    def type_name(self) -> str:
        """The GraphQL type of the rows."""

    def can_nest(self, arguments: Any) -> bool:
        """Returns whether the list that the loader has for these arguments can be serialised within its parent's row."""


@dataclass(frozen=True, slots=True)
class JsonConstant:
    """A text that is the same in every object: `__typename`."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class JsonLeaf:
    """A scalar or enum value made of these columns of the row.

    `kind` says how it is serialised: see execution/plan/json_kinds.py, and `ComputedField.json_kind` in execution/fields.py.
    `names` are an enum's, by the column's value.
    """

    key: str
    columns: tuple[str, ...]
    kind: str
    nullable: bool
    names: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ToOne:
    """An object for the row whose key is in this column; null if the viewer may not see such a row."""

    key: str
    column: str
    object: "JsonObject"
    nullable: bool


@dataclass(frozen=True, slots=True)
class ToMany:
    """A page of the rows that belong to the value in this column: `{key: {inner: […]}}`. `arguments` are the loader's, hashable."""

    key: str
    inner: str
    column: str
    arguments: Any
    object: "JsonObject"


JsonPart = JsonConstant | JsonLeaf | ToOne | ToMany


@dataclass(frozen=True, eq=False, slots=True)
class JsonObject:
    """An object for each row of `source`, its parts in the answer's order. Make one with `json_object`: equal objects are the same object."""

    source: JsonSource
    parts: tuple[JsonPart, ...]


# Clients decide what is selected: the objects of what they select are kept within this, in bytes.
_MAX_BYTES = 8 << 20
_OBJECT_BYTES = 600
_PART_BYTES = 500

# By source and parts.
JSON_OBJECTS: SizedCache[tuple[JsonSource, tuple[JsonPart, ...]], JsonObject] = SizedCache(_MAX_BYTES)


def json_object(source: JsonSource, parts: tuple[JsonPart, ...]) -> JsonObject:
    """Returns the one object of this source and these parts, so that operations that select the same share its compiled statement."""
    return JSON_OBJECTS.get_or_make((source, parts), lambda: JsonObject(source, parts), _size)


def _size(tree: JsonObject) -> int:
    """Returns an upper bound of the memory in bytes that an object takes, including those below it."""
    below = sum(_size(each.object) for each in tree.parts if isinstance(each, (ToOne, ToMany)))
    return _OBJECT_BYTES + _PART_BYTES * len(tree.parts) + below
