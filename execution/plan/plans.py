"""Plans operations: analyses each once, plans it once for each set of values of its @skip and @include variables, and keeps both with its document."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
)
from graphql.execution.collect_fields import FragmentDetails
from graphql.execution.values import VariableValues

from execution.documents.document_cache import Document
from execution.plan.lookahead import projections_by_field
from execution.plan.selections import Field, FieldCollector, Selection
from execution.plan.variables import Variables

__all__ = ["OperationAnalysis", "Plan", "Planner"]

_CONDITIONS = ("skip", "include")
_INTROSPECTION = ("__schema", "__type")
# Plans of one operation: a screen has one or two switches.
_MAX_PLANS = 8
# What they take in memory at most, measured: tests/execution/documents/test_document_cache.py.
_ANALYSIS_BYTES = 1_500
_VARIABLE_BYTES = 1_000
_FIELD_BYTES = 2_500


class OperationAnalysis:
    """What is known of an operation independently of the values of its variables. `variables` coerces these.

    `fallback_reason` says why it cannot be run breadth-first: `subscription`, `directive` (one that this executor does not implement) or
    `introspection`; None if it can. `condition_variables` are those that @skip and @include use; `plans` holds a plan for each set of their
    values.
    """

    __slots__ = ("condition_variables", "fallback_reason", "fragment_definitions", "fragments", "operation", "plans", "variables")

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode, variables: Variables) -> None:
        self.plans: OrderedDict[tuple[Hashable, ...], Plan] = OrderedDict()
        self.variables = variables
        self.operation = operation
        self.fragment_definitions = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        self.fragments = {name: FragmentDetails(each) for name, each in self.fragment_definitions.items()}
        self.condition_variables: tuple[str, ...] = ()
        self.fallback_reason = self._analyse()

    def _analyse(self) -> str | None:
        if self.operation.operation is OperationType.SUBSCRIPTION:
            return "subscription"
        names: dict[str, None] = {}
        definitions: list[_Selecting] = [self.operation, *self.fragment_definitions.values()]
        for definition in definitions:
            for node in _selections_below(definition):
                for directive in node.directives or ():
                    if directive.name.value not in _CONDITIONS:
                        return "directive"
                    for argument in directive.arguments or ():
                        if isinstance(argument.value, VariableNode):
                            names[argument.value.name.value] = None
                if isinstance(node, FieldNode) and node.name.value in _INTROSPECTION:
                    return "introspection"
        self.condition_variables = tuple(names)
        return None


_Selecting = OperationDefinitionNode | FragmentDefinitionNode | FieldNode | FragmentSpreadNode | InlineFragmentNode


def _selections_below(node: _Selecting) -> Iterator[_Selecting]:
    """Yields a node and all selections below it, without following fragment spreads."""
    waiting: list[_Selecting] = [node]
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, FragmentSpreadNode) and each.selection_set is not None:
            for selection in each.selection_set.selections:
                assert isinstance(selection, (FieldNode, FragmentSpreadNode, InlineFragmentNode))
                waiting.append(selection)


class Plan:
    """What an operation selects for one set of values of its conditions.

    `projections` says of each field that a loader of rows fills what it needs of these rows. `counted_fields` is how many of the collected
    fields the document's size includes.
    """

    def __init__(self, schema: GraphQLSchema, analysis: OperationAnalysis, variables: VariableValues, *, hide_suggestions: bool) -> None:
        self.schema = schema
        self.operation = analysis.operation
        self.hide_suggestions = hide_suggestions
        self.counted_fields = 0
        self.conditions = VariableValues(
            {name: variables.sources[name] for name in analysis.condition_variables if name in variables.sources},
            {name: variables.coerced[name] for name in analysis.condition_variables if name in variables.coerced},
        )
        self.fragment_definitions = analysis.fragment_definitions
        root_type = schema.get_root_type(analysis.operation.operation)
        # Validation has made sure of it.
        assert root_type is not None, analysis.operation.operation
        self.is_mutation = analysis.operation.operation is OperationType.MUTATION
        self._collector = FieldCollector(schema, analysis.operation, analysis.fragments, self.conditions, hide_suggestions=hide_suggestions)
        self.root = self._collector.root_fields(root_type)
        self.projections = projections_by_field(self.root, schema.get_possible_types)
        self._single_root_fields: dict[str, Selection] = {}

    @property
    def field_count(self) -> int:
        """The number of fields planned so far; it grows as objects of further types appear."""
        return self._collector.field_count

    def single_root_field(self, field: Field) -> Selection:
        """Returns a field of the root as a selection of its own."""
        found = self._single_root_fields.get(field.key)
        if found is None:
            found = self._single_root_fields[field.key] = Selection(self.root.type, {field.key: field.details}, self._collector)
        return found


class Planner:
    """Analyses and plans the operations of one schema. The results are kept with the document and count in its size."""

    def __init__(self, schema: GraphQLSchema, *, suggest: bool = True) -> None:
        self._schema = schema
        self._hide_suggestions = not suggest

    def analyse(self, document: Document, operation: OperationDefinitionNode) -> OperationAnalysis:
        """Returns the analysis of an operation of this document, kept from the first time on."""
        # By the identity of the operation's node: nodes compare by their contents, which is slow.
        found = document.analyses.get(id(operation))
        if isinstance(found, OperationAnalysis):
            return found
        variables = Variables(self._schema, operation, hide_suggestions=self._hide_suggestions)
        analysis = document.analyses[id(operation)] = OperationAnalysis(document.node, operation, variables)
        document.grow(_ANALYSIS_BYTES + _VARIABLE_BYTES * len(operation.variable_definitions or ()))
        return analysis

    def find(self, analysis: OperationAnalysis, variables: VariableValues) -> Plan | None:
        """Returns the plan for these values; None if none is kept."""
        coerced = variables.coerced
        key = tuple([coerced.get(name) for name in analysis.condition_variables])
        found = analysis.plans.get(key)
        if found is not None and len(analysis.plans) > 1:
            analysis.plans.move_to_end(key)
        return found

    def make(self, analysis: OperationAnalysis, variables: VariableValues) -> Plan:
        """Makes the plan for these values. Raises GraphQLError for a condition with an invalid argument. May be called in a thread."""
        return Plan(self._schema, analysis, variables, hide_suggestions=self._hide_suggestions)

    def keep(self, document: Document, analysis: OperationAnalysis, plan: Plan) -> None:
        """Keeps a plan with its document; beyond a number of them it replaces the least recently used one."""
        coerced = plan.conditions.coerced
        analysis.plans[tuple([coerced.get(name) for name in analysis.condition_variables])] = plan
        if len(analysis.plans) > _MAX_PLANS:
            _, dropped = analysis.plans.popitem(last=False)
            document.grow(-dropped.counted_fields * _FIELD_BYTES)
        self.update_size(document, plan)

    def update_size(self, document: Document, plan: Plan) -> None:
        """Adds to the document's size the fields that its plan has collected since, as objects of further types appeared."""
        count = plan.field_count
        if count != plan.counted_fields:
            document.grow((count - plan.counted_fields) * _FIELD_BYTES)
            plan.counted_fields = count
