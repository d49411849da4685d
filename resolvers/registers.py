"""That registers were taken, and which were not."""

from datetime import date

from db.rows import Row
from db.sql_catalog import queries
from resolvers.classes import Class
from resolvers.context import Context
from resolvers.loaders import by_key
from resolvers.paging import Page, page_request, root_page

__all__ = ["Register", "register_by_id", "registers_not_taken"]


class Register(Row):
    __slots__ = ()
    type_name = "Register"
    tag = "reg"


register_by_id = by_key(queries.registers, Register)


async def registers_not_taken(context: Context, day: date, first: int | None, after: str | None) -> Page:
    """A page of the classes whose whole-day register was not taken on a school day, of those whose registers the viewer keeps."""
    request = page_request(
        queries.registers_not_taken,
        first=first,
        after=after,
        last=None,
        before=None,
        order="grade_level",
        descending=False,
        filters=[("on", day)],
        default=100,
        cap=100,
    )
    return await root_page(context, queries.registers_not_taken, Class, request)
