"""What of a row stands in an answer as it is: said where selections are read, and where rows are written. Knows neither GraphQL's types nor SQL."""

from dataclasses import dataclass

__all__ = ["Constant", "Value"]


@dataclass(frozen=True, slots=True)
class Constant:
    """A text that is the same in every row: `__typename`."""

    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Value:
    """A leaf made of these columns of the row; `kind` says how: see `leaves.writing_of`, and `Computed.written`. `names`: an enum's, by value."""

    key: str
    columns: tuple[str, ...]
    kind: str
    nullable: bool
    names: tuple[tuple[str, str], ...] = ()
