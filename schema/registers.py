"""Registers of classes."""

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
from schema.roots import query_fields, root

__all__ = ["Register", "RegisterQueries"]


@node(registers.Register, registers.register_by_id)
@strawberry.type(description="A submitted register of a class for a day. Students without a mark are not counted as present.")
class Register(Node):
    date: Date = strawberry.field(description="The date, in the school's time zone.")
    submitted_at: datetime = strawberry.field(description="When it was last submitted.")
    version: int = strawberry.field(description="The version of the record, which increases with every change.")
    class_ = to_one(classes.class_by_id, "class_id", name="class", description="The class.")
    subject = to_one(subjects.subject_by_id, "subject_id", description="The subject; null for the whole day.")
    submitted_by = to_one(users.user_by_id, "submitted_by", description="Who submitted it.")


@query_fields
class RegisterQueries:
    @root(
        Capability.TEACH,
        metadata={PAGE: (100, 100), COST: 200, COUNT: 200},
        description="The classes whose whole-day register has not been submitted for a day: all classes for the office, a teacher's"
        " own classes for a teacher. Empty on a day without school.",
    )
    async def classes_without_register(
        self,
        info: Info,
        date: Annotated[Date, strawberry.argument(description="The date, in the school's time zone.")],
        first: Annotated[
            int | None, strawberry.argument(description="How many objects to return from the start of the list, at most 100 (the default).")
        ] = None,
        after: Annotated[str | None, strawberry.argument(description="Return only objects after this cursor.")] = None,
    ) -> Connection[Class] | None:
        return await registers.classes_without_register(info.context, date, first, after)  # type: ignore[return-value]  # a page stands for it

    registers = root_connection(
        REGISTERS, Capability.SIGNED_IN, count_cost=150, description="The registers you may see, latest date first."
    )
