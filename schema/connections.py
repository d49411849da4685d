"""Connections: paged lists with sorting, filters and counts, declared and not programmed.

grades = connection(...)              an edge: a page for each parent, one statement for all parents
students = root_connection(...)       a root field
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import strawberry
from strawberry.types import Info
from strawberry.utils.str_converters import to_camel_case

from auth.capabilities import Capability
from db.query_compiler import Query
from db.rows import Row
from execution.costs import COST, COUNT, PAGE
from execution.errors import Refusal
from execution.fields import edge, edge_with
from resolvers.identifiers import read_any_id, read_id
from resolvers.paging import WHOLE, PageRequest, count_loader, page_loader, page_request, root_page_loader
from rules.text import normal_text, storable_problem
from schema.references import reference
from schema.roots import root

__all__ = [
    "Connection",
    "Edge",
    "Listing",
    "OrderDirection",
    "PageInfo",
    "connection",
    "id_filter",
    "optional",
    "order_input",
    "root_connection",
]

T = TypeVar("T")


@strawberry.enum(description="The direction of sorting.")
class OrderDirection(Enum):
    ASC = strawberry.enum_value("ASC", description="Ascending: smallest, earliest or alphabetically first values first.")
    DESC = strawberry.enum_value("DESC", description="Descending: largest, latest or alphabetically last values first.")


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether there are more objects after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there are objects before this page.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first edge; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last edge; null on an empty page.")


@strawberry.type(description="An object of a page, with its cursor.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="The object.")
    cursor: str = strawberry.field(description="The position of the object in the list, for `after` and `before`.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The objects of the page, each with its cursor.")
    nodes: list[T] = strawberry.field(description="The objects of the page.")
    page_info: PageInfo = strawberry.field(description="Where the page stands in its list.")
    total_count: int = edge(count_loader, "count_key", description="The number of objects in the whole list. Counted only when selected.")


def order_input(noun: str, field: Any) -> Any:
    """Makes the input type `<noun>Order` for an enum of fields to sort by; the enum's values are names of the query's orders."""

    class Order:
        pass

    Order.__name__ = Order.__qualname__ = f"{noun}Order"
    Order.__annotations__ = {"field": field, "direction": OrderDirection}
    Order.field = strawberry.field(description="The field to sort by.")  # type: ignore[attr-defined]
    Order.direction = strawberry.field(default=OrderDirection.ASC, description="The direction of sorting.")  # type: ignore[attr-defined]
    return strawberry.input(Order, description=f"How to sort a list of {noun} objects.")


def id_filter(row: type[Row], noun: str, *, description: str) -> Any:
    """Declares a field of a filter input that takes a list of global ids of these rows."""
    return strawberry.field(default=strawberry.UNSET, description=description, metadata={"node": (row.tag, noun)})


def optional(description: str) -> Any:
    """Declares an optional field of a filter input."""
    return strawberry.field(default=strawberry.UNSET, description=description)


@dataclass(frozen=True, slots=True)
class Listing:
    """Describes how the objects of one type are listed, wherever they are.

    `row` is the class of the rows, which names their GraphQL type; `order` is an input made by `order_input`, and `filter` an input whose fields
    have the names of the query's filters.
    """

    query: Query
    row: type[Row]
    order: Any
    default_order: Enum
    filter: Any = None
    descending: bool = False
    default: int = 25
    cap: int = 100

    def metadata(self, cost: int, count_cost: int) -> dict[str, Any]:
        """Returns what execution/documents/cost_analysis.py needs: `cost` of a page, and `count_cost` of its `totalCount`."""
        return {PAGE: (min(self.default, self.cap), self.cap), COST: cost, COUNT: count_cost}

    def request(self, *, whole: bool, **given: Any) -> PageRequest:
        """Reads a field's GraphQL arguments into a request for a page, of the `whole` list or of a parent's. Raises a BAD_USER_INPUT refusal."""
        order = given.get("order_by") or None
        return page_request(
            self.query,
            first=_value(given.get("first")),
            after=_value(given.get("after")),
            last=_value(given.get("last")),
            before=_value(given.get("before")),
            order=(order.field if order else self.default_order).value,
            descending=(order.direction is OrderDirection.DESC) if order else self.descending,
            filters=_filters(given.get("filter")),
            default=self.default,
            cap=self.cap,
            whole=whole,
        )

    def signature(self, *, nullable: bool = False) -> Signature:
        described: dict[str, tuple[Any, str]] = {
            "first": (
                int,
                f"How many objects to return from the start of the list, at most {self.cap}. Defaults to {min(self.default, self.cap)} without `last`.",
            ),
            "after": (str, "Return only objects after this cursor."),
            "last": (int, f"How many objects to return from the end of the list, at most {self.cap}."),
            "before": (str, "Return only objects before this cursor."),
            "order_by": (self.order, "The order of the list."),
        }
        if self.filter is not None:
            described["filter"] = (self.filter, "Conditions for the objects of the list; all of them must hold.")
        parameters = [Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)]
        parameters.append(Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info))
        for name, (kind, text) in described.items():
            annotation: Any = Annotated[kind | None, strawberry.argument(description=text)]  # type: ignore[valid-type]  # made at run time
            parameters.append(Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=strawberry.UNSET, annotation=annotation))
        made: Any = Connection[reference(self.row.type_name)]  # type: ignore[misc]  # made at run time
        return Signature(parameters, return_annotation=made | None if nullable else made)


def connection(
    listing: Listing,
    per: str,
    key: str = "id",
    *,
    description: str,
    allowed: str | None = None,
    refuse: Callable[[], Exception] | None = None,
    cost: int = 1,
    count_cost: int = 10,
    **options: Any,
) -> Any:
    """Declares a to-many edge: the page of the list whose rows belong to the parent's `key`. With `allowed` and `refuse` it is nullable, see `edge`.

    `cost` and `count_cost` are the costs per parent of a page and of counting the list.
    """

    def prepare(self: Any, info: Any, **given: Any) -> PageRequest:
        return listing.request(whole=False, **given)

    return edge_with(
        page_loader(listing.query, per, listing.row),
        key,
        description=description,
        allowed=allowed,
        refuse=refuse,
        metadata=listing.metadata(cost, count_cost),
        **options,
    )(_signed(prepare, listing, nullable=allowed is not None))


def root_connection(
    listing: Listing, capability: Capability, *, description: str, cost: int = 50, count_cost: int = 100, **options: Any
) -> Any:
    """Declares a root field with a page of the whole list. `cost` and `count_cost` are the costs of a page and of counting the list."""
    loader = root_page_loader(listing.query, listing.row)

    def ask(**given: Any) -> tuple[str, PageRequest]:
        return WHOLE, listing.request(whole=True, **given)

    async def resolve(self: Any, info: Any, **given: Any) -> Any:
        key, request = ask(**given)
        return await info.context.loaders.of(loader, request).load(key)

    return root(capability, description=description, metadata=listing.metadata(cost, count_cost), filled=(loader, ask), **options)(
        # Null for viewers without the capability, so that the rest of their answer is unaffected.
        _signed(resolve, listing, nullable=capability is not Capability.SIGNED_IN)
    )


def _signed(function: Callable[..., Any], listing: Listing, *, nullable: bool) -> Callable[..., Any]:
    signature = listing.signature(nullable=nullable)
    function.__signature__ = signature  # type: ignore[attr-defined]  # functions accept it; typeshed has no such attribute
    function.__annotations__ = {
        name: each.annotation for name, each in signature.parameters.items() if each.annotation is not Parameter.empty
    }
    function.__annotations__["return"] = signature.return_annotation
    return function


def _value(given: Any) -> Any:
    return None if given is strawberry.UNSET else given


def _filters(given: Any) -> list[tuple[str, Any]]:
    """Returns the conditions of a filter input as names and values. Absent and null fields are no conditions."""
    if not given:
        return []
    chosen = []
    for each in fields(given):
        value = getattr(given, each.name)
        if value is strawberry.UNSET or value is None:
            continue
        node = each.metadata.get("node")
        if node is not None:
            value = tuple(read_id(one, node[0], node[1], f"filter.{each.name}") for one in value)
        elif each.metadata.get("any_node"):
            value = tuple(_any_uuid(one, f"filter.{each.name}") for one in value)
        elif isinstance(value, list):
            value = tuple(_plain(one, each.name) for one in value)
        chosen.append((each.name, _plain(value, each.name)))
    return chosen


def _any_uuid(text: str, argument: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return read_any_id(text, argument)[1]


def _plain(value: Any, name: str) -> Any:
    """Returns a filter's value as the statement takes it; texts are normalized as they are stored."""
    if not isinstance(value, str):
        return value.value if isinstance(value, Enum) else value
    text = normal_text(value)
    problem = storable_problem(text)
    if problem is not None:
        argument = f"filter.{to_camel_case(name)}"
        raise Refusal("BAD_USER_INPUT", f"`{argument}` {problem}.", argument=argument)
    return text
