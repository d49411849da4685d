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
# Every operation runs on the selected executor, and queries also on the other one.
_CHOSEN, _OTHER = (_CORE, BREADTH_FIRST) if load_settings().executor == "graphql_core" else (BREADTH_FIRST, _CORE)


@dataclass
class Answer:
    """Holds a result: `data`, `errors` as clients see them, and the number of SQL statements."""

    data: Any
    errors: list[dict[str, Any]]
    statements: int

    @property
    def codes(self) -> list[str]:
        return [each["extensions"]["code"] for each in self.errors]


@lru_cache(2_000)
def _document(query: str) -> Document:
    """Returns a valid document with one operation. It is cached as the server caches documents, so that the same plan runs again."""
    parsed = parse(query)
    invalid = validate(SCHEMA._schema, parsed)
    assert not invalid, invalid
    (node,) = [each for each in parsed.definitions if isinstance(each, OperationDefinitionNode)]
    return Document(parsed, (node,), introspects=False, tokens=0)


def assert_alike(answer: Answer, other: Answer) -> None:
    """Asserts that the results of two executors are equal, including the order of keys but not of errors, and except for the ids of masked errors."""
    assert orjson.dumps(answer.data) == orjson.dumps(other.data)
    assert sorted(map(_comparable, answer.errors)) == sorted(map(_comparable, other.errors))


def _comparable(error: dict[str, Any]) -> str:
    masked = error["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    return str((error.get("path"), error.get("locations"), error["extensions"]["code"], "" if masked else error["message"]))


class School:
    """Queries a database through the schema."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.services: Any = SimpleNamespace()
        self.url = ""
        self._sessions: dict[UUID, UUID] = {}

    async def viewer(self, email: str | None) -> Viewer:
        """Returns the viewer for the user with this e-mail address, signed in."""
        if email is None:
            return ANONYMOUS
        row = await self.database.fetchrow("SELECT id, role FROM users WHERE lower(email) = lower($1)", email)
        if row["id"] not in self._sessions:
            self._sessions[row["id"]] = await self.database.fetchval(
                "INSERT INTO sessions (user_id, expires_at) VALUES ($1, now() + interval '1 day') RETURNING id", row["id"]
            )
        return Viewer(row["id"], row["role"], self._sessions[row["id"]])

    async def ask(self, query: str, viewer: Viewer | str | None = "admin@demo.school", **variables: Any) -> Answer:
        """Runs an operation as a viewer, as the user with an e-mail address, or anonymously."""
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
        """Returns the data of an operation, which must not have errors."""
        answer = await self.ask(query, viewer, **variables)
        assert not answer.errors, answer.errors
        return answer.data

    async def value(self, sql: str, *arguments: Any) -> Any:
        return await self.database.fetchval(sql, *arguments)

    async def id(self, tag: str, sql: str, *arguments: Any) -> str:
        """Returns the global id for the UUID that a statement returns; `tag` is the prefix of its type."""
        found: UUID = await self.database.fetchval(sql, *arguments)
        return f"{tag}_{found.hex}"


def cost(ours: int, theirs: int) -> int:
    """Returns the number of statements that an operation takes on the selected executor."""
    return theirs if _CHOSEN is _CORE else ours


class _Counting:
    """Counts the statements of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.statements = 0

    def __getattr__(self, name: str) -> Any:
        if name in ("fetch", "fetchrow", "fetchval", "execute"):
            self.statements += 1
        return getattr(self._database, name)
