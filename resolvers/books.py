"""The check of the books, for who keeps them."""

from dataclasses import dataclass
from datetime import UTC, datetime

from db.books import Finding, check_books
from resolvers.context import Context

__all__ = ["BooksCheck", "check_the_books"]


@dataclass(frozen=True, slots=True)
class BooksCheck:
    """What every check found at one moment (UTC)."""

    checked_at: datetime
    checks: list[Finding]

    @property
    def holds(self) -> bool:
        return not any(each.broken for each in self.checks)


async def check_the_books(context: Context) -> BooksCheck:
    async with context.database.acquire() as connection:
        return BooksCheck(datetime.now(UTC), await check_books(connection))
