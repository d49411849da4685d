"""The fields that an operation selects of one object type, with how each is resolved and how its type is wrapped."""

from enum import Enum, auto
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, FragmentDetails, collect_fields, collect_subfields
from graphql.execution.values import VariableValues

from execution.field_error import FieldError
from execution.fields import ASKS_NO_LOADER, COMPUTED, EDGE, GUARD, ROOT
from execution.opaque_types import Source, StrawberryField
from execution.plan.arguments import Converter, has_variables, variable_arguments

__all__ = ["Field", "FieldCollector", "FieldKind", "Selection"]

_BACKREF = "strawberry-definition"


class FieldKind(Enum):
    """How a field is resolved."""

    TYPENAME = auto()
    COLUMN = auto()  # an attribute of the parent
    COMPUTED = auto()  # the declarations of execution/fields.py: ComputedField,
    GUARD = auto()  # GuardedField,
    EDGE = auto()  # LoaderField,
    ROOT = auto()  # RootField
    RESOLVER = auto()  # a function that is called for each parent


class Field:
    """One response key of a selection.

    `declared` is the field's declaration in execution/fields.py, if it has one, and `column` the attribute that it reads. `list_depth` counts
    the lists that its type is made of. `coordinate` is its schema coordinate, `Type.field`.

    A field that is `resolved_in_completion` is read from its parent when the response is completed. Every other field is resolved before, since
    it may have to wait, or leads to objects.
    """

    def __init__(
        self, key: str, details: list[FieldDetails], parent_type: GraphQLObjectType, definition: GraphQLField, collector: "FieldCollector"
    ) -> None:
        self.key = key
        self.details = details
        self.nodes = [each.node for each in details]
        self.name = self.nodes[0].name.value
        self.parent_type = parent_type
        self.coordinate = f"{parent_type}.{self.name}"
        self.definition = definition
        self.collector = collector
        self.type: GraphQLOutputType = definition.type
        self.named: GraphQLNamedType = get_named_type(self.type)
        self.is_leaf = is_leaf_type(self.named)
        self.nullable = not isinstance(self.type, GraphQLNonNull)
        self.list_depth = _list_depth(self.type)
        self.converter = Converter.of(definition, collector.schema)
        # One of the four declarations of fields.py; `kind` says which, and those who use it say so in an annotation.
        self.declared: Any = None
        self.column: str | None = None
        self.asks_no_loader = False
        self.kind = self._classify()
        self.resolved_in_completion = self.kind is FieldKind.TYPENAME or (
            self.is_leaf and self.kind in (FieldKind.COLUMN, FieldKind.COMPUTED, FieldKind.GUARD)
        )
        self.has_constant_arguments = not has_variables(self.nodes[0].arguments)
        # Set by the executor once for all requests, if the arguments are constant: the arguments of an edge's loader, or the key and the
        # arguments of a root field's.
        self.cached_arguments: Source = None
        declared = self.converter is not None and self.kind in (FieldKind.EDGE, FieldKind.ROOT)
        self.variable_arguments = (
            variable_arguments(definition, self.nodes[0], self.converter) if declared and self.converter is not None else None
        )
        self._selections: dict[str, Selection | FieldError] = {}

    def _classify(self) -> FieldKind:
        if self.name == "__typename":
            return FieldKind.TYPENAME
        made: StrawberryField = self.definition.extensions.get(_BACKREF)
        if made is None or self.converter is None or self.converter.has_handlers or made.extensions:
            return FieldKind.RESOLVER
        if made.is_basic_field and made.default_resolver is getattr:
            self.column = made.python_name
            return FieldKind.COLUMN
        self.asks_no_loader = bool(made.metadata.get(ASKS_NO_LOADER))
        for name, kind in ((EDGE, FieldKind.EDGE), (ROOT, FieldKind.ROOT), (GUARD, FieldKind.GUARD), (COMPUTED, FieldKind.COMPUTED)):
            if name in made.metadata:
                self.declared = made.metadata[name]
                self.column = self.declared.column if kind is FieldKind.GUARD else None
                return kind
        return FieldKind.RESOLVER

    def select(self, runtime_type: GraphQLObjectType) -> "Selection | FieldError":
        """Returns what is selected of the objects of a type, or the error of a condition with an invalid argument."""
        found = self._selections.get(runtime_type.name)
        if found is None:
            try:
                found = self.collector.subfields(runtime_type, self.details)
            except GraphQLError as error:
                return FieldError(error)
            self._selections[runtime_type.name] = found
        return found

    @property
    def can_share_children(self) -> bool:
        """Whether an object that several parents lead to can be resolved once: nothing selected of it may depend on its path."""
        if self.list_depth or self.kind is not FieldKind.EDGE or not isinstance(self.named, GraphQLObjectType):
            return False
        selection = self.select(self.named)
        return isinstance(selection, Selection) and selection.is_context_free


class Selection:
    """The fields selected of one object type, in the order of the response."""

    def __init__(self, object_type: GraphQLObjectType, grouped: dict[str, list[FieldDetails]], collector: "FieldCollector") -> None:
        self.type = object_type
        self.fields: list[Field] = []
        for key, details in grouped.items():
            definition = collector.schema.get_field(object_type, details[0].node.name.value)
            if definition is not None:
                self.fields.append(Field(key, details, object_type, definition, collector))
        collector.field_count += len(self.fields)
        self.resolved_before_completion = [each for each in self.fields if not each.resolved_in_completion]
        # The functions that complete objects of this selection, by the class of the objects: complete/codegen.py keeps them here.
        self.completers: dict[type | None, object] = {}
        self._is_context_free: bool | None = None

    @property
    def is_context_free(self) -> bool:
        """Whether the values depend on the object alone, since no field has a resolver of its own."""
        if self._is_context_free is None:
            self._is_context_free = all(_is_context_free(each) for each in self.fields)
        return self._is_context_free


class FieldCollector:
    """Collects the fields of one operation (the specification's CollectFields) for one set of values of its conditions.

    `conditions` has the values of the variables that @skip and @include use. `field_count` is the number of fields collected so far.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        conditions: VariableValues,
        *,
        hide_suggestions: bool,
    ) -> None:
        self.schema = schema
        self.operation = operation
        self.fragments = fragments
        self.conditions = conditions
        self.hide_suggestions = hide_suggestions
        self.field_count = 0

    def root_fields(self, root_type: GraphQLObjectType) -> Selection:
        """Returns what the operation selects of its root type. Raises GraphQLError for a condition with an invalid argument."""
        collected = collect_fields(self.schema, self.fragments, self.conditions, root_type, self.operation, self.hide_suggestions)
        return Selection(root_type, collected.grouped_field_set, self)

    def subfields(self, object_type: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        """Returns what these occurrences of a field select of an object type. Raises GraphQLError like `root_fields`."""
        collected = collect_subfields(
            self.schema, self.fragments, self.conditions, self.operation, object_type, details, self.hide_suggestions
        )
        return Selection(object_type, collected.grouped_field_set, self)


def _is_context_free(field: Field) -> bool:
    if field.kind is FieldKind.RESOLVER:
        return False
    if field.is_leaf or field.kind is FieldKind.TYPENAME:
        return True
    if not isinstance(field.named, GraphQLObjectType):
        return False
    selection = field.select(field.named)
    return isinstance(selection, Selection) and selection.is_context_free


def _list_depth(type_: GraphQLOutputType) -> int:
    depth = 0
    while isinstance(type_, (GraphQLNonNull, GraphQLList)):
        depth += isinstance(type_, GraphQLList)
        type_ = type_.of_type
    return depth
