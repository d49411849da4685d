"""Defines the data structures that the executor fills: scopes of objects with the values of their fields."""

import weakref

from graphql.execution.values import VariableValues

from execution.field_error import FieldError
from execution.opaque_types import RequestContext, Source
from execution.plan.plans import Plan
from execution.plan.selections import Field, Selection
from execution.run.response_size import ResponseSize

__all__ = ["Children", "ExecutionScope", "ExecutionState"]


class Children:
    """The objects that a field leads to from all parents of its scope, in order; an object that parents share is in it once.

    `scopes` hold what is selected of them, one for each object type. `locations` has for each object its scope and its place there, or its
    error; None if all are in the only scope, in order. `shared` maps an object's identity to its place in `objects`.
    """

    __slots__ = ("locations", "objects", "scopes", "shared")

    def __init__(self, objects: list[Source], shared: dict[int, int] | None) -> None:
        self.objects = objects
        self.shared = shared
        self.scopes: list[ExecutionScope] = []
        self.locations: list[tuple[ExecutionScope, int] | FieldError] | None = None


class ExecutionScope:
    """Objects of one type with what is selected of them.

    `values` has the values of each field in the order of the parents, `children` the objects that a field leads to. `origin` is the scope and
    the field that led here, for paths; the reference is weak, so that a request's scopes are freed without the garbage collector.
    """

    __slots__ = ("__weakref__", "children", "origin", "parents", "selection", "values")

    def __init__(
        self, selection: Selection, parents: list[Source], origin: "tuple[weakref.ref[ExecutionScope], Field] | None" = None
    ) -> None:
        self.selection = selection
        self.parents = parents
        self.origin = origin
        self.values: dict[Field, list[Source]] = {}
        self.children: dict[Field, Children] = {}


class ExecutionState:
    """One run of a plan. `has_errors` is set once a FieldError is in any scope; `size`, if given, counts the JSON that loaders return."""

    def __init__(self, plan: Plan, variables: VariableValues, context: RequestContext, *, size: ResponseSize | None = None) -> None:
        self.plan = plan
        self.variables = variables
        self.context = context
        self.size = size
        self.has_errors = False
