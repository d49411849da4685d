"""References to node types by name: an edge to a node takes its type from its loader, so that no noun imports another.

Nouns lead to each other in circles (a student's guardians, a guardian's students), and Python cannot import in circles. A loader states the name
of the type that its rows are of (`Loader.type_name`); `@node` registers the types under their names; a reference is resolved when the schema is
built, after all of them are there.

    student = to_one(students.student_by_id, "student_id", description="The student.")
"""

from typing import Any

from strawberry.types.lazy_type import LazyType

from execution.fields import edge
from execution.loaders import Loader

__all__ = ["NODE_TYPES", "node_type", "reference", "to_one"]

# The node types by name, filled by `schema.nodes.node`.
NODE_TYPES: dict[str, type] = {}


class _Reference(LazyType[Any, Any]):
    """Strawberry's lazy type, resolved through `NODE_TYPES` instead of by importing a module."""

    def resolve_type(self) -> type[Any]:
        found = NODE_TYPES.get(self.type_name)
        if found is None:
            raise LookupError(f"No type is called {self.type_name}: declare it with @node, in a module that schema/__init__.py imports.")
        return found


def reference(type_name: str) -> Any:
    """Returns an annotation that stands for the node type of this name, which may be declared later."""
    return _Reference(type_name, __name__)


def node_type(loader: Loader) -> Any:
    """Returns an annotation that stands for the node type of the loader's rows. Raises TypeError for a loader that does not state it."""
    if not loader.type_name:
        raise TypeError(f"The loader {loader.name!r} states no node type: annotate the field instead.")
    return reference(loader.type_name)


def to_one(loader: Loader, key: str, *, description: str, **options: Any) -> Any:
    """Declares an edge to a node: null where the parent's attribute `key` is, and where the viewer may not see the node."""
    return edge(loader, key, description=description, graphql_type=node_type(loader) | None, **options)
