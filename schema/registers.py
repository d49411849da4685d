"""That registers were taken."""

from datetime import date as Date  # noqa: N812 - the field is called date
from datetime import datetime
from typing import Annotated

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from execution.costs import COST, COUNT, PAGE
from resolvers import classes, registers, subjects, users
from schema.classes import Class
from schema.connections import Connection, root_connection
from schema.listings.attendance import REGISTERS
from schema.nodes import Node, node
from schema.references import to_one
from schema.roots import root

__all__ = ["Register", "RegisterQueries"]


@node(registers.Register, registers.register_by_id)
@strawberry.type(description="That the register of a class was taken on a day. Silence is not presence.")
class Register(Node):
    date: Date = strawberry.field(description="The day, where the school is.")
    submitted_at: datetime = strawberry.field(description="When it was submitted, the last time.")
    version: int = strawberry.field(description="Counts the changes of the record.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null for the whole day.")
    submitted_by = to_one(users.user_by_id, "submitted_by", description="Who submitted it.")


@strawberry.type
class RegisterQueries:
    @root(
        Capability.TEACH,
        metadata={PAGE: (100, 100), COST: 200, COUNT: 200},
        description="The classes whose whole-day register was not taken on a day: all for the office, a teacher's own for a teacher."
        " None on a day without school.",
    )
    async def registers_not_taken(
        self,
        info: Info,
        date: Annotated[Date, strawberry.argument(description="The day, where the school is.")],
        first: Annotated[
            int | None, strawberry.argument(description="How many from the start, at most 100, which is also the default.")
        ] = None,
        after: Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")] = None,
    ) -> Connection[Class] | None:
        return await registers.registers_not_taken(info.context, date, first, after)  # type: ignore[return-value]  # a page stands for it

    registers = root_connection(REGISTERS, Capability.SIGNED_IN, count_cost=150, description="The registers you may see, latest day first.")
