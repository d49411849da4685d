"""Checks, parses and validates documents once, and keeps them.

Validation is the slow part, and the time of graphql-core's rule that compares the fields of one name with each other grows with the square of
their number. The rule stops at a budget, which is lowered here: of the documents within the limits that were made to be slow, the slowest
(`class { teacher { id } }` 280 times) took 2.0 s with graphql-core's own budget and takes 0.4 s with this one. A document of 80 fragments that
select the same seven fields stays below it (docs/decisions/069). Documents are validated beside the event loop.
"""

import sys
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from hashlib import sha256

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, OperationType, parse, print_ast, validate
from graphql.error import GraphQLSyntaxError
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from execution.documents.indexed_source import IndexedSource, drop_tokens
from execution.documents.known_costs import KnownCosts
from execution.documents.limits import Limits, check_extent, check_size, check_tokens
from execution.errors import Refusal
from execution.serial_worker import SerialWorker
from sized_cache import SizedCache

__all__ = ["Document", "Documents", "InvalidDocumentError"]

_MAX_ERRORS = 20
# Longer texts are not kept: a document within the other limits is this long only if it contains values that belong into variables.
_MAX_KEPT_CHARACTERS = 16_384
# What a document takes in memory at most, measured on 40 that were made to be large: tests/execution/documents/test_document_cache.py.
_TOKEN_BYTES = 550
_DOCUMENT_BYTES = 4_000
# How long a document waits for shorter ones that came later, in seconds a character: 64 kB wait for 1.3 s.
_PATIENCE = 0.000_02
# How much longer one of an anonymous client waits.
_ANONYMOUS_PATIENCE = 0.25

overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 100_000


class InvalidDocumentError(Exception):
    """A document cannot be executed. `errors` are for the client; `code` says which step failed."""

    def __init__(self, code: str, errors: list[GraphQLError]) -> None:
        super().__init__(code)
        self.code = code
        self.errors = errors


@dataclass(eq=False, slots=True)
class Document:
    """A valid document, and what is known of it.

    `introspects` is true if it selects introspection fields; `digest` then identifies it whatever its layout. `tokens` is its length, `fields` the
    number of fields of its largest operation with fragments expanded. `costs` are the known costs of its operations; `analyses` are the executor's
    analyses of them, by the identity of the operation's node. `size` is the memory that all of this takes at most, in bytes.
    """

    node: DocumentNode
    operations: tuple[OperationDefinitionNode, ...]
    introspects: bool
    tokens: int
    fields: int = 0
    digest: bytes = b""
    size: int = 0
    costs: KnownCosts = field(default_factory=KnownCosts)
    analyses: dict[int, object] = field(default_factory=dict)
    _on_growth: Callable[["Document"], None] | None = None

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """Returns the operation to execute. Raises a refusal if the name does not identify one."""
        if name is None and len(self.operations) == 1:
            return self.operations[0]
        for each in self.operations:
            if name is not None and each.name is not None and each.name.value == name:
                return each
        if name is None:
            raise Refusal("OPERATION_RESOLUTION_FAILURE", "The document has several operations: say which with `operationName`.")
        raise Refusal("OPERATION_RESOLUTION_FAILURE", f"The document has no operation called {name[:80]!r}.")

    def grow(self, size: int) -> None:
        """Adds bytes to the document's size: the cache that keeps it may then evict other documents, or this one."""
        self.size += size
        if self._on_growth is not None:
            self._on_growth(self)


class Documents:
    """Keeps the most recently used documents of one schema.

    Documents of anonymous clients have their own limits and a small cache of their own, so that they cannot displace those of users. A document
    that is kept for users serves anonymous clients too, if it is within their limits. `worker` runs what `load` reads.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        *,
        anonymous_limits: Limits | None = None,
        max_bytes: int = 16 << 20,
        max_anonymous_bytes: int = 2 << 20,
        worker: SerialWorker | None = None,
        suggest: bool = True,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._anonymous_limits = anonymous_limits or limits
        self._suggest = suggest
        self._worker = worker or SerialWorker(name="documents")
        self._kept: SizedCache[str, Document] = SizedCache(max_bytes)
        self._kept_anonymous: SizedCache[str, Document] = SizedCache(max_anonymous_bytes)

    def find(self, text: str, *, anonymous: bool = False) -> Document | None:
        """Returns the document of a text; None if it is not kept. Raises a refusal if it exceeds the limits of an anonymous client."""
        if len(text) > _MAX_KEPT_CHARACTERS:
            return None
        if not anonymous:
            return self._kept.get(text) or self._promoted(text)
        found = self._kept_anonymous.get(text) or self._kept.get(text)
        if found is not None:
            check_size(text, found.tokens, self._anonymous_limits)
        return found

    def check_length(self, text: str, *, anonymous: bool = False) -> None:
        """Raises a refusal if a text is too long to be read at all."""
        limits = self._anonymous_limits if anonymous else self._limits
        if len(text) > limits.characters:
            check_size(text, 0, limits)

    async def load(self, text: str, *, flow: Hashable = None, anonymous: bool = False) -> Document:
        """Reads a document beside the event loop, once for all clients that send it meanwhile, and keeps it. Flows take turns.

        Raises what `read` raises, and an OVERLOADED refusal if too many other documents wait to be read.
        """
        self.check_length(text, anonymous=anonymous)
        limits = self._anonymous_limits if anonymous else self._limits
        patience = len(text) * _PATIENCE + (_ANONYMOUS_PATIENCE if anonymous else 0)
        document = await self._worker.run(
            ("document", anonymous, text), lambda: self._read(text, limits), flow=flow, patience=patience, low_priority=anonymous
        )
        self._keep(text, document, anonymous=anonymous)
        return document

    def read(self, text: str, *, anonymous: bool = False) -> Document:
        """Returns the document of a text, read at once. Raises a refusal if it exceeds a limit, InvalidDocumentError if it is not valid."""
        document = self.find(text, anonymous=anonymous)
        if document is None:
            document = self._read(text, self._anonymous_limits if anonymous else self._limits)
            self._keep(text, document, anonymous=anonymous)
        return document

    def _promoted(self, text: str) -> Document | None:
        """Moves a document that an anonymous client has sent before to the cache of users, and returns it; None if there is none."""
        found = self._kept_anonymous.get(text)
        if found is not None:
            self._kept_anonymous.discard(text)
            self._keep(text, found, anonymous=False)
        return found

    def _keep(self, text: str, document: Document, *, anonymous: bool) -> None:
        cache = self._kept_anonymous if anonymous else self._kept
        if len(text) <= _MAX_KEPT_CHARACTERS and text not in cache:
            document._on_growth = lambda grown: cache.resize(text, grown.size)
            cache.put(text, document, document.size)

    def _read(self, text: str, limits: Limits) -> Document:
        source = IndexedSource(text)
        try:
            tokens = check_tokens(source, limits)
            node = parse(source)
        except GraphQLSyntaxError as error:
            raise InvalidDocumentError("GRAPHQL_PARSE_FAILED", [error]) from None
        drop_tokens(node)
        extent = check_extent(node, limits)
        errors = validate(self._schema, node, max_errors=_MAX_ERRORS, hide_suggestions=not self._suggest)
        if len(errors) == 1 and isinstance(errors[0], ValidationAbortedError):
            raise Refusal("QUERY_TOO_COMPLEX", "The operation selects the same fields too often, or through too many fragments.")
        if errors:
            raise InvalidDocumentError("GRAPHQL_VALIDATION_FAILED", list(errors))
        operations = tuple(each for each in node.definitions if isinstance(each, OperationDefinitionNode))
        digest = sha256(print_ast(node).encode()).digest() if extent.introspects else b""
        # The text is the key and the source; literals and names are copies of parts of it.
        size = 2 * sys.getsizeof(text) + _TOKEN_BYTES * tokens + _DOCUMENT_BYTES + KnownCosts.max_bytes(operations)
        return Document(node, operations, extent.introspects, tokens, extent.fields, digest, size)


def is_mutation(operation: OperationDefinitionNode) -> bool:
    return operation.operation is OperationType.MUTATION
