"""Nodes: all objects with a global id, and the two root fields that find any of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from db.rows import Row
from execution.costs import EACH, SIZED_BY
from execution.errors import Refusal
from execution.fields import class_decides_type, computed
from execution.loaders import Loader
from resolvers.identifiers import read_any_id, read_id, write_id
from schema.references import NODE_TYPES
from schema.roots import query_fields, root

__all__ = ["MAX_NODES", "Node", "NodeQueries", "node", "node_types", "root_node"]

T = TypeVar("T", bound=type)

MAX_NODES = 100


@dataclass(frozen=True, slots=True)
class _NodeType:
    """A type with global ids: the GraphQL type, the class of its rows, and the loader that finds them by id."""

    cls: type
    row: type[Row]
    loader: Loader


_BY_TAG: dict[str, _NodeType] = {}


def _global_id(row: Any) -> str:
    return write_id(row.tag, row["id"])


def _global_ids(rows: list[Any]) -> list[str]:
    tag = rows[0].tag if rows else ""
    return [f"{tag}_{row['id'].hex}" for row in rows]


@strawberry.interface(description="Anything that has a global id.")
class Node:
    id: strawberry.ID = computed(
        _global_id,
        many=_global_ids,
        columns=("id",),
        json_kind="global_id",
        description="The global id: opaque, unique across all types, and accepted wherever an `ID` of this type is expected.",
    )

    @classmethod
    @class_decides_type
    def resolve_type(cls, row: Any, *_: Any) -> str:
        return str(type(row).type_name)


def node(row: type[Row], loader: Loader) -> Callable[[T], T]:
    """Declares a Strawberry type as the node type of these rows, which `loader` finds by id as far as the viewer may see them."""

    def decorate(cls: T) -> T:
        @class_decides_type
        def is_type_of(value: Any, info: Any) -> bool:
            return isinstance(value, row)

        cls.__strawberry_definition__.is_type_of = is_type_of  # type: ignore[attr-defined]  # strawberry's definition of the class
        if row.tag in _BY_TAG:
            raise ValueError(f"two node types have the tag {row.tag}")
        if not cls.__name__ == row.type_name == loader.type_name:
            raise ValueError(f"{cls.__name__} has rows of the type {row.type_name!r} and a loader of {loader.type_name!r}")
        _BY_TAG[row.tag] = _NodeType(cls, row, loader)
        NODE_TYPES[row.type_name] = cls
        return cls

    return decorate


def root_node(of: type, *, description: str, **options: Any) -> Any:
    """Declares a root field that finds one object of a node type by its global id."""
    [(row, loader)] = [(each.row, each.loader) for each in _BY_TAG.values() if each.cls is of]

    def ask(id: Any) -> tuple[UUID, None]:
        return read_id(id, row.tag, row.type_name), None

    async def resolve(self: Any, info: Info, id: Any) -> Any:
        return await info.context.loaders.of(loader).load(ask(id)[0])

    resolve.__annotations__ = {"info": Info, "id": strawberry.ID, "return": of | None}
    described = f"{description} Null if there is none that you may see."
    return root(Capability.SIGNED_IN, description=described, filled=(loader, ask), **options)(resolve)


def node_types() -> list[type]:
    """Returns all node types for the schema, since some can only be reached through `node`."""
    return [each.cls for each in _BY_TAG.values()]


def _loader(text: str, argument: str) -> tuple[Loader, Any]:
    tag, identifier = read_any_id(text, argument)
    found = _BY_TAG.get(tag)
    if found is None:
        raise Refusal("BAD_USER_INPUT", f"`{argument}` is not an id of any type: {text[:80]!r}.", argument=argument)
    return found.loader, identifier


@query_fields
class NodeQueries:
    @root(Capability.SIGNED_IN, description="The object with this global id; null if there is none that you may see.")
    async def node(self, info: Info, id: strawberry.ID) -> Node | None:
        loader, identifier = _loader(id, "id")
        return await info.context.loaders.of(loader).load(identifier)  # type: ignore[no-any-return]  # rows stand for types

    @root(
        Capability.SIGNED_IN,
        description=f"The objects with these global ids, in the same order, at most {MAX_NODES}; null for each that does not exist or that you may not see.",
        metadata={SIZED_BY: "ids", EACH: 3},
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description=f"At most {MAX_NODES} global ids, of any types.")],
    ) -> list[Node | None]:
        if len(ids) > MAX_NODES:
            raise Refusal("BAD_USER_INPUT", f"`ids` must have at most {MAX_NODES} items.", argument="ids")
        wanted = [_loader(each, "ids") for each in ids]
        waiting = [info.context.loaders.of(loader).load(identifier) for loader, identifier in wanted]
        return [await each for each in waiting]
