"""Consistency checks of accounts and records."""

from datetime import datetime
from uuid import UUID

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST
from execution.fields import computed
from resolvers.books import check_the_books
from schema.roots import query_fields, root

__all__ = ["BooksCheckQueries"]


@strawberry.type(description="A rule that the accounts and records must keep, and whether they do.")
class BooksRule:
    name: str = computed(lambda finding: finding.check.name, description="The name of the rule, for programs.")
    description: str = computed(lambda finding: finding.check.description, description="The rule, in words.")
    passed: bool = computed(lambda finding: finding.broken == 0, description="Whether no record violates the rule.")
    violation_count: int = computed(lambda finding: finding.broken, description="The number of records that violate it.")
    example_ids: list[UUID] = computed(lambda finding: finding.examples, description="The UUIDs of a few of these records.")


@strawberry.type(
    description="The result of the consistency checks: balances against transactions, receipts, registers, grades and class histories."
)
class BooksCheck:
    checked_at: datetime = strawberry.field(description="When the checks ran. All of them see the same moment.")
    passed: bool = strawberry.field(description="Whether all rules are kept.")
    rules: list[BooksRule] = strawberry.field(description="All rules, kept or violated.")


@query_fields
class BooksCheckQueries:
    # It reads every transaction, attendance mark and grade.
    @root(Capability.READ_BOOKS, metadata={COST: 40_000}, description="Checks the consistency of accounts and records now.")
    async def books_check(self, info: Info) -> BooksCheck | None:
        return await check_the_books(info.context)  # type: ignore[return-value]  # its attributes are the type's
