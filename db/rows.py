"""Defines the base class of database rows, whose columns are also attributes.

Resolvers return rows, and Strawberry's default resolver reads their attributes, so that no models are needed in between. asyncpg's `record_class`
makes each row an instance of its noun's class, which determines its GraphQL type.
"""

from typing import Any, ClassVar

import asyncpg

__all__ = ["Row"]


class Row(asyncpg.Record):
    """Holds one row; a column is `row["name"]` (fast) or `row.name`. Raises AttributeError for a column that the statement did not select.

    `type_name` is the GraphQL type of the rows of this class, and `tag` is the prefix of their global ids; both are `""` for rows without a type.
    Columns must not be called items, values, keys or get, which are methods of asyncpg.Record.
    """

    __slots__ = ()
    # Lets the executor read columns as items instead of attributes, which takes a fiftieth of the time.
    columns_are_items: ClassVar[bool] = True
    type_name: ClassVar[str] = ""
    tag: ClassVar[str] = ""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{type(self).__name__} has no column {name!r}") from None
