"""The bookkeeping check for administrators: whether the stored totals agree with the entries they come from."""

from dataclasses import dataclass
from datetime import UTC, datetime

from db.books import Finding, check_books
from resolvers.context import Context

__all__ = ["BooksCheck", "check_the_books"]


@dataclass(frozen=True, slots=True)
class BooksCheck:
    """The findings of every check, all read at one moment (UTC)."""

    checked_at: datetime
    rules: list[Finding]

    @property
    def passed(self) -> bool:
        return not any(each.broken for each in self.rules)


async def check_the_books(context: Context) -> BooksCheck:
    """Runs every check of db/books.py on one connection."""
    async with context.database.acquire() as connection:
        return BooksCheck(datetime.now(UTC), await check_books(connection))
