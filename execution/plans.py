"""Plans: what an operation selects, worked out once for each set of values of its @skip and @include variables, and remembered."""

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

from execution.demands import wants_by_field
from execution.selections import Field, Selection
from execution.variables import Variables

__all__ = ["Outline", "Plan", "Plans"]

_CONDITIONS = ("skip", "include")
_INTROSPECTION = ("__schema", "__type")


class Outline:
    """What of a document does not depend on variables' values. `variables` coerces these.

    `reason` says why it cannot be run breadth-first: one of `subscription`, `directive` (one that this executor does not know),
    `introspection`; None when it can. `depends_on`: the variables that @skip and @include look at.
    """

    __slots__ = ("depends_on", "document", "fragments", "operation", "reason", "variables")

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Variables) -> None:
        self.document = document
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
    """The plans of one schema, the latest used `size` of them."""

    def __init__(self, schema: GraphQLSchema, *, size: int = 1_000, suggest: bool = True) -> None:
        self._schema = schema
        self._size = size
        self._hide_suggestions = not suggest
        # By the identity of the operation's node, which its plan keeps alive: nodes compare by their contents, which is slow.
        self._outlines: OrderedDict[int, Outline] = OrderedDict()
        self._plans: OrderedDict[tuple[int, tuple[Any, ...]], Plan] = OrderedDict()

    def outline(self, document: DocumentNode, operation: OperationDefinitionNode) -> Outline:
        found = self._outlines.get(id(operation))
        if found is None:
            variables = Variables(self._schema, operation, hide_suggestions=self._hide_suggestions)
            found = self._outlines[id(operation)] = Outline(document, operation, variables)
            if len(self._outlines) > self._size:
                dropped, _ = self._outlines.popitem(last=False)
                for key in [key for key in self._plans if key[0] == dropped]:
                    del self._plans[key]
        else:
            self._outlines.move_to_end(id(operation))
        return found

    def plan(self, outline: Outline, variables: VariableValues) -> Plan:
        """The plan for these values. Raises GraphQLError when a condition is none."""
        coerced = variables.coerced
        key = (id(outline.operation), tuple([coerced.get(name) for name in outline.depends_on]))
        found = self._plans.get(key)
        if found is None:
            found = Plan(self._schema, outline, variables, hide_suggestions=self._hide_suggestions)
            self._plans[key] = found
            if len(self._plans) > self._size:
                self._plans.popitem(last=False)
        else:
            self._plans.move_to_end(key)
        return found
