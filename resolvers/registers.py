"""Registers: which were taken, and which are still missing."""

from datetime import date

from db.rows import Row
from db.sql_catalog import queries
from resolvers.classes import Class
from resolvers.context import Context
from resolvers.loaders import by_key
from resolvers.paging import Page, fetch_root_page, page_request

__all__ = ["Register", "classes_without_register", "register_by_id"]


class Register(Row):
    __slots__ = ()
    type_name = "Register"
    tag = "reg"


register_by_id = by_key(queries.registers, Register)


async def classes_without_register(context: Context, day: date, first: int | None, after: str | None) -> Page:
    """Returns a page of the classes without a whole-day register on a school day, among those whose registers the viewer takes."""
    request = page_request(
        queries.classes_without_register,
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
    return await fetch_root_page(context, queries.classes_without_register, Class, request)
