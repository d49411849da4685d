"""Plans: what an operation selects, worked out once for each set of values of its @skip and @include variables, and kept with its document."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues

from execution.documents.document_cache import Document
from execution.plan.lookahead import wants_by_field
from execution.plan.selections import Field, Selection
from execution.plan.variables import Variables

__all__ = ["Outline", "Plan", "Plans"]

_CONDITIONS = ("skip", "include")
_INTROSPECTION = ("__schema", "__type")
# Plans of one operation: a screen has one or two switches.
_MAX_PLANS = 8
# What they take in memory at most, measured: tests/execution/documents/test_document_cache.py.
_OUTLINE_BYTES = 1_500
_VARIABLE_BYTES = 1_000
_FIELD_BYTES = 2_500


class Outline:
    """What of a document does not depend on variables' values. `variables` coerces these.

    `reason` says why it cannot be run breadth-first: one of `subscription`, `directive` (one that this executor does not know),
    `introspection`; None when it can. `depends_on`: the variables that @skip and @include look at. `plans`: by these variables' values.
    """

    __slots__ = ("depends_on", "fragments", "operation", "plans", "reason", "variables")

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Variables) -> None:
        self.plans: OrderedDict[tuple[Any, ...], Plan] = OrderedDict()
        self.variables = variables
        self.operation = operation
        self.fragments = {
            each.name.value: FragmentDetails(each) for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self.depends_on: tuple[str, ...] = ()
        self.reason = self._look()

    def _look(self) -> str | None:
        if self.operation.operation is OperationType.SUBSCRIPTION:
            return "subscription"
        names: dict[str, None] = {}
        for node in (self.operation, *(each.definition for each in self.fragments.values())):
            for each in _walk(node):
                for directive in each.directives or ():
                    if directive.name.value not in _CONDITIONS:
                        return "directive"
                    for argument in directive.arguments or ():
                        if isinstance(argument.value, VariableNode):
                            names[argument.value.name.value] = None
                if each.kind == "field" and each.name.value in _INTROSPECTION:
                    return "introspection"
        self.depends_on = tuple(names)
        return None


def _walk(node: Any) -> Iterator[Any]:
    """A node and all selections below it, fragments not followed."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield each
        selections = getattr(each, "selection_set", None)
        if selections is not None:
            waiting.extend(selections.selections)


class Plan:
    """What an operation selects for one set of conditions. `conditions`: the values of the variables that these depend on, and no others."""

    def __init__(self, schema: GraphQLSchema, outline: Outline, variables: VariableValues, *, hide_suggestions: bool) -> None:
        self.schema = schema
        self.operation = outline.operation
        self.fragments = outline.fragments
        self.hide_suggestions = hide_suggestions
        # How many fields it has so far, and how many of them its document's size has been told of.
        self.fields = self.counted = 0
        self.conditions = VariableValues(
            {name: variables.sources[name] for name in outline.depends_on if name in variables.sources},
            {name: variables.coerced[name] for name in outline.depends_on if name in variables.coerced},
        )
        self.fragment_definitions = {name: each.definition for name, each in outline.fragments.items()}
        root_type = schema.get_root_type(outline.operation.operation)
        # Validation has seen to it that there is one.
        assert root_type is not None, outline.operation.operation
        self.is_mutation = outline.operation.operation is OperationType.MUTATION
        self.root = Selection.of_root(root_type, self)
        self.wants = wants_by_field(self.root, schema.get_possible_types)
        self._alone: dict[str, Selection] = {}

    def alone(self, field: Field) -> Selection:
        """A field of the root as a selection of its own."""
        found = self._alone.get(field.key)
        if found is None:
            found = self._alone[field.key] = Selection(self.root.type, {field.key: field.details}, self)
        return found


class Plans:
    """Analyses the operations of one schema. What it finds out is kept with the document, and counts in its size."""

    def __init__(self, schema: GraphQLSchema, *, suggest: bool = True) -> None:
        self._schema = schema
        self._hide_suggestions = not suggest

    def outline(self, document: Document, operation: OperationDefinitionNode) -> Outline:
        # By the identity of the operation's node: nodes compare by their contents, which is slow.
        found: Outline | None = document.analyses.get(id(operation))
        if found is None:
            variables = Variables(self._schema, operation, hide_suggestions=self._hide_suggestions)
            found = document.analyses[id(operation)] = Outline(document.node, operation, variables)
            document.grow(_OUTLINE_BYTES + _VARIABLE_BYTES * len(operation.variable_definitions or ()))
        return found

    def find(self, outline: Outline, variables: VariableValues) -> Plan | None:
        """The plan for these values, if it is kept."""
        coerced = variables.coerced
        key = tuple([coerced.get(name) for name in outline.depends_on])
        found = outline.plans.get(key)
        if found is not None and len(outline.plans) > 1:
            outline.plans.move_to_end(key)
        return found

    def make(self, outline: Outline, variables: VariableValues) -> Plan:
        """Makes the plan for these values. Raises GraphQLError when a condition is none. May be called in a thread."""
        return Plan(self._schema, outline, variables, hide_suggestions=self._hide_suggestions)

    def keep(self, document: Document, outline: Outline, plan: Plan) -> None:
        """Keeps a plan with its document, in place of the one used least recently where there are many."""
        coerced = plan.conditions.coerced
        outline.plans[tuple([coerced.get(name) for name in outline.depends_on])] = plan
        if len(outline.plans) > _MAX_PLANS:
            _, dropped = outline.plans.popitem(last=False)
            document.grow(-dropped.counted * _FIELD_BYTES)
        self.count(document, plan)

    def count(self, document: Document, plan: Plan) -> None:
        """Adds to the document's size what its plan has grown by: what is selected of each type is worked out when the first such object comes."""
        if plan.fields != plan.counted:
            document.grow((plan.fields - plan.counted) * _FIELD_BYTES)
            plan.counted = plan.fields
