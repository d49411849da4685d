"""Whether the books add up."""

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST
from execution.fields import computed
from resolvers.books import check_the_books
from schema.roots import root

__all__ = ["BooksCheckQueries"]


@strawberry.type(description="One thing that must hold in the books.")
class BookCheck:
    name: str = computed(lambda finding: finding.check.name, description="Its name, for programs.")
    says: str = computed(lambda finding: finding.check.says, description="What must hold.")
    holds: bool = computed(lambda finding: finding.broken == 0, description="Whether it does.")
    broken: int = strawberry.field(description="How many records break it.")
    examples: list[UUID] = strawberry.field(description="The UUIDs of a few of them.")


@strawberry.type(description="What the check of the books found: balances and ledger, receipts, registers, grades, histories.")
class BooksCheck:
    checked_at: datetime = strawberry.field(description="When it was checked. All checks are of one moment.")
    holds: bool = strawberry.field(description="Whether everything adds up.")
    checks: list[BookCheck] = strawberry.field(description="Every check, whether it holds or not.")


@strawberry.type
class BooksCheckQueries:
    # It reads every ledger entry, mark and grade there is.
    @root(Capability.READ_BOOKS, metadata={COST: 40_000}, description="Checks that the books add up, now.")
    async def books_check(self, info: Info) -> BooksCheck | None:
        return await check_the_books(info.context)  # type: ignore[return-value]  # its attributes are the type's
