"""What a selection asks of one object type, worked out once: each field with how it is resolved and what its type is made of."""

from enum import Enum, auto
from typing import Any

from graphql import GraphQLError, GraphQLField, GraphQLList, GraphQLNonNull, GraphQLObjectType, get_named_type, is_leaf_type
from graphql.execution.collect_fields import FieldDetails, collect_fields, collect_subfields

from execution.field_error import Failure
from execution.fields import ASKS_NO_LOADER, COMPUTED, EDGE, GUARD, ROOT
from execution.plan.arguments import Converter, has_variables, plain_arguments

__all__ = ["Field", "Kind", "Selection"]

_BACKREF = "strawberry-definition"


class Kind(Enum):
    """How a field is resolved."""

    TYPENAME = auto()
    COLUMN = auto()  # an attribute of the parent
    COMPUTED = auto()  # declared: see fields.py
    GUARD = auto()
    EDGE = auto()
    ROOT = auto()
    RESOLVER = auto()  # a function, called once for each parent


class Field:
    """One response key of a selection.

    `declared` is the field's declaration, where it has one; `column` the attribute it reads. `lists` is how many lists its type is made of.
    `inline` fields are read while the answer is composed; all others before, since there is something to wait for or to select from.
    """

    def __init__(self, key: str, details: list[FieldDetails], parent_type: GraphQLObjectType, definition: GraphQLField, plan: Any) -> None:
        self.key = key
        self.details = details
        self.nodes = [each.node for each in details]
        self.name = self.nodes[0].name.value
        self.parent_type = parent_type
        self.where = f"{parent_type}.{self.name}"
        self.definition = definition
        self.plan = plan
        self.type: Any = definition.type
        self.named: Any = get_named_type(self.type)
        self.is_leaf = is_leaf_type(self.named)
        self.nullable = not isinstance(self.type, GraphQLNonNull)
        self.lists = _lists(self.type)
        self.converter = Converter.of(definition, plan.schema)
        self.declared: Any = None
        self.column: str | None = None
        self.asks_no_loader = False
        self.kind = self._classify()
        self.inline = self.kind is Kind.TYPENAME or (self.is_leaf and self.kind in (Kind.COLUMN, Kind.COMPUTED, Kind.GUARD))
        self.constant = not has_variables(self.nodes[0].arguments)
        # What does not depend on variables, once it was worked out: of a declared edge the loader's arguments, of a root field key and arguments.
        self.prepared: Any = None
        declared = self.converter is not None and self.kind in (Kind.EDGE, Kind.ROOT)
        self.plain = plain_arguments(definition, self.nodes[0], self.converter) if declared and self.converter is not None else None
        self._selections: dict[str, Selection | Failure] = {}

    def _classify(self) -> Kind:
        if self.name == "__typename":
            return Kind.TYPENAME
        made = self.definition.extensions.get(_BACKREF)
        if made is None or self.converter is None or self.converter.has_handlers or made.extensions:
            return Kind.RESOLVER
        if made.is_basic_field and made.default_resolver is getattr:
            self.column = made.python_name
            return Kind.COLUMN
        self.asks_no_loader = bool(made.metadata.get(ASKS_NO_LOADER))
        for name, kind in ((EDGE, Kind.EDGE), (ROOT, Kind.ROOT), (GUARD, Kind.GUARD), (COMPUTED, Kind.COMPUTED)):
            if name in made.metadata:
                self.declared = made.metadata[name]
                self.column = self.declared.column if kind is Kind.GUARD else None
                return kind
        return Kind.RESOLVER

    def select(self, runtime_type: GraphQLObjectType) -> "Selection | Failure":
        """What is selected of the objects of a type. A Failure where that cannot be said: a directive's argument is not what it must be."""
        found = self._selections.get(runtime_type.name)
        if found is None:
            try:
                plan = self.plan
                collected = collect_subfields(
                    plan.schema, plan.fragments, plan.conditions, plan.operation, runtime_type, self.details, plan.hide_suggestions
                )
                found = Selection(runtime_type, collected.grouped_field_set, plan)
            except GraphQLError as error:
                return Failure(error)
            self._selections[runtime_type.name] = found
        return found

    @property
    def shares(self) -> bool:
        """Whether parents that lead to the same object can share what is selected of it: nothing in it may depend on the way there."""
        if self.lists or self.kind is not Kind.EDGE or not isinstance(self.named, GraphQLObjectType):
            return False
        selection = self.select(self.named)
        return isinstance(selection, Selection) and selection.pure


class Selection:
    """The fields selected of one object type, in the answer's order. `pure`: all of it is declared, so it depends on the object alone."""

    def __init__(self, object_type: GraphQLObjectType, grouped: dict[str, list[FieldDetails]], plan: Any) -> None:
        self.type = object_type
        self.fields: list[Field] = []
        for key, details in grouped.items():
            definition = plan.schema.get_field(object_type, details[0].node.name.value)
            if definition is not None:
                self.fields.append(Field(key, details, object_type, definition, plan))
        plan.fields += len(self.fields)
        self.early = [each for each in self.fields if not each.inline]
        self.composers: dict[Any, Any] = {}
        self._pure: bool | None = None

    @property
    def pure(self) -> bool:
        if self._pure is None:
            self._pure = all(_is_pure(each) for each in self.fields)
        return self._pure

    @classmethod
    def of_root(cls, root_type: GraphQLObjectType, plan: Any) -> "Selection":
        """What an operation selects of its root type. Raises GraphQLError."""
        collected = collect_fields(plan.schema, plan.fragments, plan.conditions, root_type, plan.operation, plan.hide_suggestions)
        return cls(root_type, collected.grouped_field_set, plan)


def _is_pure(field: Field) -> bool:
    if field.kind is Kind.RESOLVER:
        return False
    if field.is_leaf or field.kind is Kind.TYPENAME:
        return True
    if not isinstance(field.named, GraphQLObjectType):
        return False
    selection = field.select(field.named)
    return isinstance(selection, Selection) and selection.pure


def _lists(kind: Any) -> int:
    depth = 0
    while isinstance(kind, (GraphQLNonNull, GraphQLList)):
        depth += isinstance(kind, GraphQLList)
        kind = kind.of_type
    return depth
