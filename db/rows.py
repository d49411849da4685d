"""Rows as they come from the database, with attributes.

A resolver returns rows and Strawberry's default resolver reads their attributes: no models in between.
`record_class` of a fetch makes each row an instance of its noun's class, and the class says its GraphQL type.
"""

from typing import Any, ClassVar

import asyncpg

__all__ = ["Carried", "Row", "carried"]


class Row(asyncpg.Record):
    """One row; a column is `row["name"]` (fast) or `row.name`. Raises AttributeError for a column the statement did not select.

    `type_name` is the GraphQL type that rows of this class are and `tag` begins their global ids; both are `""` for rows of no type.
    Columns must not be called items, values, keys or get: those are methods of the record.
    """

    __slots__ = ()
    # What the executor reads as attributes it may read as items, which takes a fiftieth of the time.
    columns_are_items: ClassVar[bool] = True
    type_name: ClassVar[str] = ""
    tag: ClassVar[str] = ""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}") from None


class Carried:
    """A row that came within another, its columns called `<prefix><name>` there. `stands_for`: the class of row that it would be alone."""

    __slots__ = ("_prefix", "_row")
    columns_are_items: ClassVar[bool] = True
    stands_for: ClassVar[type[Row]] = Row
    type_name: ClassVar[str] = ""
    tag: ClassVar[str] = ""

    def __init__(self, row: Row, prefix: str) -> None:
        self._row = row
        self._prefix = prefix

    @classmethod
    def of(cls, row: Row, prefix: str) -> "Carried | None":
        """The row in this one; None when there is none, or none that the viewer may see."""
        return None if row[f"{prefix}id"] is None else cls(row, prefix)

    def __getitem__(self, name: str) -> Any:
        return self._row[self._prefix + name]

    def __getattr__(self, name: str) -> Any:
        try:
            return self._row[self._prefix + name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}") from None


def carried(row: type[Row]) -> type[Carried]:
    """The class of such rows that stands for a class of rows."""
    return type(f"Carried{row.__name__}", (Carried,), {"__slots__": (), "stands_for": row, "type_name": row.type_name, "tag": row.tag})
