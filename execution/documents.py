"""Documents: parsed, bounded and validated once, then remembered."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType, parse, validate
from graphql.error import GraphQLSyntaxError

from execution.errors import Refusal
from execution.limits import Limits, check_shape, check_tokens

__all__ = ["Document", "Documents", "InvalidDocumentError"]

_MAX_ERRORS = 20


class InvalidDocumentError(Exception):
    """A document that cannot be executed: `errors` are for the client, `code` says at which step it failed."""

    def __init__(self, code: str, errors: list[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. `introspects`: it asks for the schema."""

    node: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    introspects: bool

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation to run. Raises a refusal when the name does not single one out."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        for each in self.operations:
            if name is not None and each.name is not None and each.name.value == name:
                return each
        if name is None:
            raise Refusal("OPERATION_RESOLUTION_FAILURE", "The document has several operations: say which with `operationName`.")
        raise Refusal("OPERATION_RESOLUTION_FAILURE", f"The document has no operation called {name[:80]!r}.")


class Documents:
    """The documents of one schema: the latest `size` valid ones are kept, so that a repeated one costs a look-up."""

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, size: int = 1_000, suggest: bool = True) -> None:
        self._schema = schema
        self._limits = limits
        self._size = size
        self._suggest = suggest
        self._kept: OrderedDict[str, Document] = OrderedDict()

    def read(self, text: str) -> Document:
        """The document of a text. Raises a refusal when it is beyond a limit, InvalidDocumentError when it is not valid."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        document = self._read(text)
        self._kept[text] = document
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
        return document

    def _read(self, text: str) -> Document:
        try:
            check_tokens(text, self._limits)
            node = parse(text)
        except GraphQLSyntaxError as error:
            raise InvalidDocumentError("GRAPHQL_PARSE_FAILED", [error]) from None
        shape = check_shape(node, self._limits)
        errors = validate(self._schema, node, max_errors=_MAX_ERRORS, hide_suggestions=not self._suggest)
        if errors:
            raise InvalidDocumentError("GRAPHQL_VALIDATION_FAILED", list(errors))
        operations = tuple(each for each in node.definitions if isinstance(each, OperationDefinitionNode))
        return Document(node, operations, shape.introspects)


def is_mutation(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.MUTATION
