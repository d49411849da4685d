"""Derives from the schema and the statements what the access tests must cover. The table itself stays written by hand, in table.py."""

from graphql import GraphQLInterfaceType, GraphQLList, GraphQLObjectType, get_named_type, get_nullable_type

from tests.access.table import TYPES
from tests.graphql_school import SCHEMA

__all__ = ["NODE_TYPES", "ROOT_FIELDS", "TO_MANY", "TO_ONE", "WITHIN"]

_TYPES = {name: kind for name, kind in SCHEMA._schema.type_map.items() if isinstance(kind, GraphQLObjectType) and not name.startswith("__")}
_NODE = SCHEMA._schema.type_map["Node"]
assert isinstance(_NODE, GraphQLInterfaceType)
# Every type that has a global id.
NODE_TYPES = {kind.name for kind in SCHEMA._schema.get_possible_types(_NODE)}
ROOT_FIELDS = set(SCHEMA._schema.query_type.fields)


def _leads_to(field):
    """The node type that a field leads to, and whether over a connection; None for any other field."""
    kind = get_named_type(field.type)
    nodes = getattr(kind, "fields", {}).get("nodes") if kind.name.endswith("Connection") else None
    end = get_named_type(nodes.type).name if nodes else kind.name
    return (end, nodes is not None) if end in NODE_TYPES else None


_EDGES = [
    (name, field_name, found[0], found[1], isinstance(get_nullable_type(field.type), GraphQLList))
    for name, kind in _TYPES.items()
    for field_name, field in kind.fields.items()
    if (found := _leads_to(field)) and not name.endswith(("Edge", "Connection", "Payload")) and name not in ("Query", "Mutation")
]
# (type, field, noun) of the connections of nodes, and of their edges to one node.
TO_MANY = [(name, field, TYPES[end]) for name, field, end, is_connection, _ in _EDGES if name in TYPES and is_connection and end in TYPES]
TO_ONE = [
    (name, field, TYPES[end]) for name, field, end, is_connection, _ in _EDGES if name in TYPES and not is_connection and end in TYPES
]
# `Type.field` of what leads to a node from a type that is none: reports, statements, previews, as-of views.
WITHIN = {f"{name}.{field}" for name, field, *_ in _EDGES if name not in NODE_TYPES}
