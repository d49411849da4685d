"""Builds `School`: a database behind the GraphQL schema, queried in this process as any viewer, with a count of its SQL statements."""

from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import orjson
from graphql import OperationDefinitionNode, OperationType, parse, validate
from strawberry.execution.is_awaitable import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from auth.viewer import ANONYMOUS, Viewer
from config import load_settings
from db.pool import Database
from execution.breadth_first import BreadthFirst
from execution.documents.document_cache import Document
from execution.errors import ErrorWriter
from execution.operations import Execute, Operation, graphql_core
from resolvers.context import Context
from resolvers.error_translation import to_refusal
from schema import make_schema

__all__ = ["SCHEMA", "Answer", "School", "cost"]

SCHEMA = make_schema(StrawberryGraphQLCoreExecutionContext)
_ERRORS = ErrorWriter(to_refusal)
_CORE = graphql_core(SCHEMA._schema, StrawberryGraphQLCoreExecutionContext, optimized_is_awaitable)
BREADTH_FIRST = BreadthFirst(SCHEMA._schema, _CORE)
# Every operation runs on the executor that is set, and a query on the other one, too.
_CHOSEN, _OTHER = (_CORE, BREADTH_FIRST) if load_settings().executor == "graphql_core" else (BREADTH_FIRST, _CORE)


@dataclass
class Answer:
    """What came back: `data`, `errors` as a client sees them, and how many statements it took."""

    data: Any
    errors: list[dict[str, Any]]
    statements: int

    @property
    def codes(self) -> list[str]:
        return [each["extensions"]["code"] for each in self.errors]


@lru_cache(2_000)
def _document(query: str) -> Document:
    """A valid document with one operation, kept as the server keeps documents: whoever sends it again runs the same plan."""
    parsed = parse(query)
    invalid = validate(SCHEMA._schema, parsed)
    assert not invalid, invalid
    (node,) = [each for each in parsed.definitions if isinstance(each, OperationDefinitionNode)]
    return Document(parsed, (node,), introspects=False, tokens=0)


def assert_alike(answer: Answer, other: Answer) -> None:
    """Two executors' answers are the same, to the order of keys. Errors may come in another order; ids of those that are masked differ."""
    assert orjson.dumps(answer.data) == orjson.dumps(other.data)
    assert sorted(map(_comparable, answer.errors)) == sorted(map(_comparable, other.errors))


def _comparable(error: dict[str, Any]) -> str:
    masked = error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    return str((error.get("path"), error.get("locations"), error["extensions"]["code"], "" if masked else error["message"]))


class School:
    """A database behind the schema."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.services: Any = SimpleNamespace()
        self.url = ""
        self._sessions: dict[UUID, UUID] = {}

    async def viewer(self, email: str | None) -> Viewer:
        """The owner of an e-mail address, signed in."""
        if email is None:
            return ANONYMOUS
        row = await self.database.fetchrow("SELECT id, role FROM users WHERE lower(email) = lower($1)", email)
        if row["id"] not in self._sessions:
            self._sessions[row["id"]] = await self.database.fetchval(
                "INSERT INTO sessions (user_id, expires_at) VALUES ($1, now() + interval '1 day') RETURNING id", row["id"]
            )
        return Viewer(row["id"], row["role"], self._sessions[row["id"]])

    async def ask(self, query: str, viewer: Viewer | str | None = "admin@demo.school", **variables: Any) -> Answer:
        """Runs an operation as a viewer (or the owner of an e-mail address, or nobody)."""
        who = viewer if isinstance(viewer, Viewer) else await self.viewer(viewer)
        document = _document(query)
        answer = await self._run(_CHOSEN, document, who, variables)
        if document.operations[0].operation is OperationType.QUERY:
            other = await self._run(_OTHER, document, who, variables)
            assert_alike(answer, other)
            ours, theirs = (other, answer) if _CHOSEN is _CORE else (answer, other)
            assert ours.statements <= theirs.statements, "what rides along saves statements, and nothing costs more"
        return answer

    async def _run(self, execute: Execute, document: Document, who: Viewer, variables: dict[str, Any]) -> Answer:
        counting = _Counting(self.database)
        context = Context(counting, who, uuid4().hex, self.services)  # type: ignore[arg-type]
        result = await execute(Operation(document, document.operations[0], variables, context))
        if isinstance(result, bytes):
            return Answer(orjson.loads(result)["data"], [], counting.statements)
        data = orjson.loads(orjson.dumps(result.data))
        return Answer(data, _ERRORS.write_all(result.errors or [], "test"), counting.statements)

    async def data(self, query: str, viewer: Viewer | str | None = "admin@demo.school", **variables: Any) -> Any:
        """The data of an operation that must not have errors."""
        answer = await self.ask(query, viewer, **variables)
        assert not answer.errors, answer.errors
        return answer.data

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.database.fetchval(sql, *arguments)

    async def id(self, tag: str, sql: str, *arguments: Any) -> str:
        """A global id of this type, of the uuid that a statement answers."""
        found: UUID = await self.database.fetchval(sql, *arguments)
        return f"{tag}_{found.hex}"


def cost(ours: int, theirs: int) -> int:
    """How many statements an operation costs on the executor that is set."""
    return theirs if _CHOSEN is _CORE else ours


class _Counting:
    """A database that counts its statements."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("fetch", "fetchrow", "fetchval", "execute"):
            self.statements += 1
        return getattr(self._database, name)
