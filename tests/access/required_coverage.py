"""Derives from the schema and the statements what the access tests must cover. The table itself stays written by hand, in table.py."""

from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type, is_abstract_type

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
    """Returns the node types that a field leads to, and whether over a connection. A union or an interface leads to all its nodes."""
    kind = get_named_type(field.type)
    nodes = getattr(kind, "fields", {}).get("nodes") if kind.name.endswith("Connection") else None
    end = get_named_type(nodes.type) if nodes else kind
    ends = SCHEMA._schema.get_possible_types(end) if is_abstract_type(end) else [end]
    return [(each.name, nodes is not None) for each in ends if each.name in NODE_TYPES]


def _is_page(name, kind):
    """Returns whether a type is one of the pages of schema/connections.py, or an edge of one: what leads to them counts, not they."""
    return (name.endswith("Connection") and kind.fields.keys() == {"edges", "nodes", "pageInfo", "totalCount"}) or (
        name.endswith("Edge") and kind.fields.keys() == {"node", "cursor"}
    )


_PAYLOADS = {get_named_type(field.type).name for field in SCHEMA._schema.mutation_type.fields.values()}
_EDGES = [
    (name, field_name, end, is_connection)
    for name, kind in _TYPES.items()
    if not _is_page(name, kind) and name not in _PAYLOADS and name not in ("Query", "Mutation")
    for field_name, field in kind.fields.items()
    for end, is_connection in _leads_to(field)
]
_IN_TABLE = {
    (name, field) for name, field, end, _ in _EDGES if name in TYPES and end in TYPES and len(_leads_to(_TYPES[name].fields[field])) == 1
}
# (type, field, noun) of the connections of nodes, and of their edges to one node.
TO_MANY = [(name, field, TYPES[end]) for name, field, end, is_connection in _EDGES if (name, field) in _IN_TABLE and is_connection]
TO_ONE = [(name, field, TYPES[end]) for name, field, end, is_connection in _EDGES if (name, field) in _IN_TABLE and not is_connection]
# `Type.field` of everything else that leads to a node: from reports, statements, previews and as-of views, to unions and interfaces, and from or
# to a node type that the table does not have.
WITHIN = {f"{name}.{field}" for name, field, *_ in _EDGES if (name, field) not in _IN_TABLE}
