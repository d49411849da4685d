"""What clients see: `make_schema` puts the nouns together.

Every module of this folder is imported, so a new noun is part of the schema as soon as its file is here: `@node` registers its type,
`@query_fields` and `@mutation_fields` its root fields.
"""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema.nodes import node_types
from schema.roots import root_type
from schema.scalars import SCALARS

__all__ = ["make_schema"]

for _module in sorted(each.name for each in walk_packages(__path__, "schema.")):
    import_module(_module)

Query = root_type("Query", "The queries.")
Mutation = root_type("Mutation", "The mutations.")


def make_schema(execution_context_class: Any = None) -> strawberry.Schema:
    """Returns the schema, run by graphql-core's executor or by the one given."""
    return strawberry.Schema(
        Query,
        Mutation,
        types=node_types(),
        config=StrawberryConfig(auto_camel_case=True, batching_config=None, scalar_map=SCALARS),
        execution_context_class=execution_context_class,
    )
