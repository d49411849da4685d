"""Documents: bounded, parsed and validated once, then remembered.

What is slow about a document is validating it, and graphql-core's rule that compares the fields of one name with each other grows with the
square of their number. It stops at a budget, which is lowered here: of the documents within the limits that were made to be slow, the slowest
(490 times the same object field) took 0.98 s with graphql-core's own budget and takes 0.25 s with this one, which a document
of 80 fragments that select the same seven fields stays below.
"""

from collections import OrderedDict
from dataclasses import dataclass, field

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType, parse, validate
from graphql.error import GraphQLSyntaxError
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from execution.costs import Costs
from execution.errors import Refusal
from execution.limits import Limits, check_shape, check_tokens

__all__ = ["Document", "Documents", "InvalidDocumentError"]

_MAX_ERRORS = 20
# Longer texts are read anew each time: a document within the other limits is this long only by the values written into it.
_MAX_KEPT_CHARACTERS = 16_384

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 100_000


class InvalidDocumentError(Exception):
    """A document that cannot be executed: `errors` are for the client, `code` says at which step it failed."""

    def __init__(self, code: str, errors: list[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document. `introspects`: it asks for the schema. `tokens`: its length. `costs`: those of its operations, once reckoned."""

    node: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    introspects: bool
    tokens: int
    costs: Costs = field(default_factory=Costs, compare=False)

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
    """The documents of one schema: the latest valid ones are kept, so that a repeated one costs a look-up.

    At most `size` of them, of at most `tokens` tokens together: a token takes up to 600 bytes once it is parsed.
    """

    def __init__(self, schema: GraphQLSchema, limits: Limits, *, size: int = 1_000, tokens: int = 100_000, suggest: bool = True) -> None:
        self._schema = schema
        self._limits = limits
        self._size = size
        self._max_tokens = tokens
        self._suggest = suggest
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._tokens = 0

    def read(self, text: str) -> Document:
        """The document of a text. Raises a refusal when it is beyond a limit, InvalidDocumentError when it is not valid."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        document = self._read(text)
        if len(text) <= _MAX_KEPT_CHARACTERS:
            self._keep(text, document)
        return document

    def _keep(self, text: str, document: Document) -> None:
        self._kept[text] = document
        self._tokens += document.tokens
        while len(self._kept) > self._size or self._tokens > self._max_tokens:
            _, dropped = self._kept.popitem(last=False)
            self._tokens -= dropped.tokens

    def _read(self, text: str) -> Document:
        try:
            tokens = check_tokens(text, self._limits)
            node = parse(text)
        except GraphQLSyntaxError as error:
            raise InvalidDocumentError("GRAPHQL_PARSE_FAILED", [error]) from None
        shape = check_shape(node, self._limits)
        errors = validate(self._schema, node, max_errors=_MAX_ERRORS, hide_suggestions=not self._suggest)
        if len(errors) == 1 and isinstance(errors[0], ValidationAbortedError):
            raise Refusal("QUERY_TOO_COMPLEX", "The operation selects the same fields too often, or through too many fragments.")
        if errors:
            raise InvalidDocumentError("GRAPHQL_VALIDATION_FAILED", list(errors))
        operations = tuple(each for each in node.definitions if isinstance(each, OperationDefinitionNode))
        return Document(node, operations, shape.introspects, tokens)


def is_mutation(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.MUTATION
