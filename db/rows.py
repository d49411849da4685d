"""Rows as they come from the database, with attributes.

A resolver returns rows and Strawberry's default resolver reads their attributes: no models in between.
`record_class` of a fetch makes each row an instance of its noun's class, and the class says its GraphQL type.
"""

from typing import Any, ClassVar

import asyncpg

__all__ = ["Row"]


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
