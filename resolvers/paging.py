"""Keyset paging of one list, or of the lists of many parents in one statement.

A page starts after a row and not after an offset, so page 10,000 costs as much as page 1.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from db.json_sql import PageSource
from db.naming import camel
from db.query_compiler import Query
from db.query_templates import QueryTemplate, QueryVariant
from db.result_columns import CURSOR_VALUE, JSON, PARENT_KEY, PARENTS, TOTAL
from db.rows import Row
from execution.errors import Refusal
from execution.loaders import Loader, Projection, RowPaths
from execution.raw_json import RawJson
from execution.time_slices import pause
from resolvers.context import Context
from resolvers.cursors import Cursor, read_cursor, write_cursor
from resolvers.hidden_fields import Filters, refuse_hidden
from resolvers.loaders import json_columns, prime, raw_json

__all__ = ["WHOLE", "Edge", "Page", "PageRequest", "count_loader", "fetch_root_page", "page_loader", "page_request", "root_page_loader"]


@dataclass(frozen=True, slots=True)
class PageRequest:
    """A request for a page of a list. Hashable, since it is a loader's argument. `filters` are pairs of name and value.

    `guarded` are the names of its order and filters that not every viewer may use, see `refuse_hidden`.
    """

    order: str
    descending: bool = False
    limit: int = 25
    backward: bool = False
    after: Cursor | None = None
    before: Cursor | None = None
    filters: Filters = ()
    guarded: tuple[str, ...] = ()

    def variant(self, query: QueryTemplate, per: str | None) -> QueryVariant:
        return QueryVariant(
            self.order,
            self.descending,
            query.filter_keys(self.filters),
            self.after is not None,
            self.before is not None,
            self.backward,
            per,
        )

    def values(self, more: int = 1) -> dict[str, Any]:
        # One more row than requested tells whether there is a next page.
        values: dict[str, Any] = {"limit": self.limit + more, **dict(self.filters)}
        for name, place in (("after", self.after), ("before", self.before)):
            if place is not None:
                values |= {f"{name}_value": place.value, f"{name}_id": place.id}
        return values


class Page:
    """A page of a list. `nodes` are rows in the requested order, or `RawJson`; `count_key` is what `count_loader` counts by."""

    __slots__ = ("count_key", "has_more", "nodes", "request")

    def __init__(self, query: Query, per: str | None, parent: UUID | None, request: PageRequest, rows: Any) -> None:
        self.request = request
        self.count_key = (query, per, request.filters, parent)
        self.has_more = False
        if type(rows) is RawJson:
            # Nothing else is selected of such a page, see `Projection.json_object`.
            self.nodes: Any = rows
            return
        self.has_more = len(rows) > request.limit
        if self.has_more:
            rows = rows[: request.limit]
        self.nodes = rows[::-1] if request.backward else rows

    @property
    def edges(self) -> list["Edge"]:
        of_list, order = self.count_key[0].name, self.request.order
        return [Edge(of_list, order, row) for row in self.nodes]

    @property
    def page_info(self) -> "Page":
        return self

    @property
    def has_next_page(self) -> bool:
        return self.request.before is not None if self.request.backward else self.has_more

    @property
    def has_previous_page(self) -> bool:
        return self.has_more if self.request.backward else self.request.after is not None

    @property
    def start_cursor(self) -> str | None:
        return self._cursor(self.nodes[0]) if self.nodes else None

    @property
    def end_cursor(self) -> str | None:
        return self._cursor(self.nodes[-1]) if self.nodes else None

    def _cursor(self, row: Any) -> str:
        return Edge(self.count_key[0].name, self.request.order, row).cursor


class Edge:
    """A row of a page with its cursor, which is encrypted only if it is selected."""

    __slots__ = ("node", "of_list", "order")

    def __init__(self, of_list: str, order: str, node: Any) -> None:
        self.of_list = of_list
        self.order = order
        self.node = node

    @property
    def cursor(self) -> str:
        return write_cursor(self.of_list, self.order, self.node[CURSOR_VALUE], self.node["id"])


def page_request(
    query: Query,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    order: str,
    descending: bool,
    filters: Iterable[tuple[str, Any]],
    default: int,
    cap: int,
    whole: bool = False,
) -> PageRequest:
    """Reads the arguments of a connection; `whole` says that it lists everything and not one parent's rows.

    Raises a BAD_USER_INPUT refusal that names every problem at once.
    """
    problems: list[dict[str, str]] = []

    def problem(argument: str, message: str, **more: str) -> None:
        problems.append({"argument": argument, "message": f"`{argument}` {message}.", **more})

    for argument, number in (("first", first), ("last", last)):
        if number is not None and number < 0:
            problem(argument, "must not be negative")
        elif number is not None and number > cap:
            problem(argument, f"must be at most {cap}")
    if first is not None and last is not None:
        problem("last", "cannot be combined with `first`")
    places: dict[str, Cursor | None] = {"after": None, "before": None}
    for argument, text in (("after", after), ("before", before)):
        if text is not None:
            try:
                places[argument] = read_cursor(text, query.name, order, query.orders[order].sql_type)
            except ValueError as error:
                problem(argument, str(error), code="BAD_CURSOR")
    chosen = tuple(sorted(filters))
    needs = query.orders[order].needs if whole else ()
    problems += _order_problems(order, needs, chosen)
    if problems:
        raise Refusal("BAD_USER_INPUT", " ".join(each["message"] for each in problems), problems=problems)
    backward = last is not None
    limit = last if last is not None else first if first is not None else min(default, cap)
    guarded = query.guarded((order, *(name for name, _ in chosen)))
    return PageRequest(order, descending, limit, backward, places["after"], places["before"], chosen, guarded)


def _order_problems(order: str, needs: Sequence[str], chosen: Filters) -> list[dict[str, str]]:
    """Returns a problem if the order requires one of several filters and none is given."""
    if not needs or any(name in needs for name, _ in chosen):
        return []
    filters = " or ".join(f"`filter.{camel(name)}`" for name in needs)
    message = f"`orderBy` {order.upper()} requires {filters}: the whole list is too long to sort this way."
    return [{"argument": "orderBy", "message": message}]


async def fetch_root_page(context: Context, query: Query, row: type[Row], request: PageRequest) -> Page:
    """Fetches a page of a whole list, as far as the viewer may see it: one statement."""
    if request.guarded:
        await refuse_hidden(context, query, request.guarded, request.filters)
    rows = await context.rows(query.page(request.variant(query, None), context.unrestricted_nouns), row, request.values())
    return Page(query, None, None, request, rows)


# Cursors read these columns of the rows, in addition to the selected ones.
_PLACE = ("id", CURSOR_VALUE)
_ROWS = RowPaths((("nodes",), ("edges", "node")), {"cursor": _PLACE, "start_cursor": _PLACE, "end_cursor": _PLACE})


def root_page_loader(query: Query, row: type[Row]) -> Loader:
    """Makes a loader of pages of a whole list: its only key is `WHOLE`, its argument a PageRequest."""

    async def batch(context: Context, keys: Sequence[str], request: PageRequest, projection: Projection) -> list[Page]:
        if request.guarded:
            await refuse_hidden(context, query, request.guarded, request.filters)
        variant = request.variant(query, None)
        if projection.json_object is not None and not request.backward:
            [answer] = await context.rows(
                query.json_page(variant, projection.json_object, context.unrestricted_nouns), Row, request.values(more=0)
            )
            lists = raw_json([answer[JSON]])
            if lists is not None:
                return [Page(query, None, None, request, lists[0])]
        statement = query.page(variant, context.unrestricted_nouns, projection.columns, json_columns(projection.prefetches))
        rows = await context.rows(statement, row, request.values())
        prime(context.loaders, projection.prefetches, rows)
        return [Page(query, None, None, request, rows)]

    return Loader(batch, query.name, row_paths=_ROWS, can_prefetch=True, source=PageSource(query, None, row))


WHOLE = "whole"
# Larger results are distributed in time slices.
_AT_ONCE = 500
# For more parents than this there is a pause before their pages are made: the list may be asked for under many aliases at once.
_MANY = 50


def page_loader(query: Query, per: str, row: type[Row]) -> Loader:
    """Makes a loader of pages: keys are ids of parents, the argument is a PageRequest. One statement for all parents."""

    async def batch(context: Context, parents: Sequence[UUID], request: PageRequest, projection: Projection) -> list[Page]:
        if request.guarded:
            await refuse_hidden(context, query, request.guarded, request.filters)
        variant = request.variant(query, per)
        if projection.json_object is not None and not request.backward:
            statement = query.json_page(variant, projection.json_object, context.unrestricted_nouns)
            [answer] = await context.rows(statement, Row, {"parents": parents, **request.values(more=0)})
            lists = raw_json(answer[JSON])
            if len(parents) > _MANY:
                await pause()
            if lists is not None:
                list_of = dict(zip(answer[PARENTS], lists, strict=True))
                return [Page(query, per, parent, request, list_of[parent]) for parent in parents]
        found: defaultdict[UUID, list[Row]] = defaultdict(list)
        statement = query.page(variant, context.unrestricted_nouns, projection.columns, json_columns(projection.prefetches))
        rows = await context.rows(statement, row, {"parents": parents, **request.values()})
        prime(context.loaders, projection.prefetches, rows)
        if len(parents) > _MANY:
            await pause()
        # Rows are ordered by parent.
        for parent, its_rows in groupby(rows, itemgetter(PARENT_KEY)):
            found[parent] += its_rows
            if len(rows) > _AT_ONCE:
                await pause()
        return [Page(query, per, parent, request, found[parent]) for parent in parents]

    return Loader(batch, f"{query.name} per {per}", row_paths=_ROWS, can_prefetch=True, source=PageSource(query, per, row))


async def _counts(context: Context, keys: Sequence[tuple[Query, str | None, Filters, UUID | None]], _: None) -> list[int]:
    groups: defaultdict[tuple[Query, str | None, Filters], list[UUID | None]] = defaultdict(list)
    for query, per, filters, parent in keys:
        groups[query, per, filters].append(parent)
    totals: dict[tuple[Query, str | None, Filters, UUID | None], int] = {}
    for (query, per, filters), parents in groups.items():
        statement = query.count(QueryVariant(filters=query.filter_keys(filters), per=per), context.unrestricted_nouns)
        for row in await context.rows(statement, Row, {"parents": parents, **dict(filters)}):
            totals[query, per, filters, row[PARENT_KEY] if per else None] = row[TOTAL]
    return [totals[key] for key in keys]


# Loads the total number of rows of a page's list: keys are `Page.count_key`. One statement for all parents of one list.
count_loader = Loader(_counts, "counts")
