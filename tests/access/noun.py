"""What a noun states about its access in its own test module."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

__all__ = ["Noun"]


@dataclass(frozen=True)
class Noun:
    """A noun in the access tests.

    `table` holds its rows and `tag` begins their ids; `type_name` is their GraphQL type, `list_field` and `by_id_field` the root fields that
    list and find them, `rule` their visibility rule. `rows(add, of)` writes rows into the small school, as `small_school.build` does;
    `sees` has the labels of the rows that each viewer sees, `writers` the roles that may call each mutation.
    """

    table: str
    tag: str
    type_name: str
    list_field: str | None
    by_id_field: str | None
    rule: str
    rows: Callable[[Callable[..., Awaitable[UUID]], Callable[[str, str], UUID]], Awaitable[Any]]
    sees: dict[str, set[str]]
    writers: dict[str, set[str]]
