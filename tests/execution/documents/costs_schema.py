"""Builds a schema whose fields declare their costs in every possible way, and computes the cost of a query on it."""

from enum import Enum
from typing import Any

import strawberry
from graphql import parse

from execution.costs import BATCH, COST, COUNT, EACH, PAGE, SIZED_BY, ArgumentValues
from execution.documents.cost_analysis import check_cost
from execution.documents.limits import Limits


@strawberry.enum
class By(Enum):
    DAY = "day"
    WEEK = "week"


@strawberry.type
class Pages:
    nodes: "list[Thing]"
    edges: "list[Edge]"
    page_info: "PageInfo"
    total_count: int


@strawberry.type
class Edge:
    node: "Thing"


@strawberry.type
class PageInfo:
    has_next_page: bool


def _points(arguments: ArgumentValues) -> int:
    return 5 if arguments["days"] == "2026-01-01" else 400


def _length(arguments: ArgumentValues) -> int:
    return 100 if arguments["by"] == "DAY" else 14


@strawberry.type
class Thing:
    name: str
    costly: str = strawberry.field(resolver=lambda: "", metadata={COST: 7})

    @strawberry.field(metadata={PAGE: (25, 100)})
    def things(self, first: int | None = None, last: int | None = None) -> "list[Thing]":
        return []

    @strawberry.field(metadata={PAGE: (25, 100), COUNT: 300})
    def pages(self, first: int | None = None, last: int | None = None) -> "Pages":
        return Pages([], [], PageInfo(False), 0)

    @strawberry.field(metadata={PAGE: (25, 100)})
    def other_pages(self, first: int | None = None, last: int | None = None) -> "Pages":
        return Pages([], [], PageInfo(False), 0)

    @strawberry.field(metadata={COST: _points, SIZED_BY: _length, EACH: 1})
    def during(self, by: By, days: str | None = None) -> "list[Thing]":
        return []

    @strawberry.field
    def plain_list(self) -> "list[Thing]":
        return []

    @strawberry.field(metadata={EACH: 30})
    def heavy_list(self) -> "list[Thing]":
        return []

    @strawberry.field(metadata={BATCH: 40})
    def batched(self) -> "Thing":
        return self

    @strawberry.field
    def one(self) -> "Thing":
        return self


@strawberry.type
class Query(Thing):
    @strawberry.field(metadata={SIZED_BY: "ids"})
    def by_ids(self, ids: list[strawberry.ID]) -> list[Thing]:
        return []

    @strawberry.field(metadata={SIZED_BY: "first"})
    def found(self, first: int = 10) -> list[Thing]:
        return []


SCHEMA = strawberry.Schema(Query)._schema


def cost(query: str, variables: dict[str, Any] | None = None, limit: int = 10**30) -> int:
    document = parse(query)
    return check_cost(SCHEMA, document, document.definitions[0], variables or {}, Limits(cost=limit))  # type: ignore[arg-type]
