"""Root fields: each declares the capability that its caller needs. A test walks the schema and fails on a field without one."""

from collections.abc import Callable, Hashable
from functools import wraps
from inspect import signature
from typing import Any

import strawberry
from strawberry.tools import create_type
from strawberry.types import Info

from auth.capabilities import Capability, has_capability
from auth.viewer import Viewer
from execution.costs import BATCH, STATEMENT
from execution.errors import Refusal
from execution.fields import ROOT, RootField
from execution.loaders import Loader

__all__ = ["CAPABILITY", "mutation_fields", "query_fields", "require", "root", "root_type"]

# Where a root field's declaration is found: `strawberry_field.metadata[CAPABILITY]`.
CAPABILITY = "capability"
# The classes whose attributes are the fields of each root type, in the order in which their modules were imported.
_FIELDS: dict[str, list[type]] = {"Query": [], "Mutation": []}


def require(viewer: Viewer, capability: Capability) -> None:
    """Raises UNAUTHENTICATED without a valid token, and FORBIDDEN for a user without the capability."""
    if has_capability(viewer, capability):
        return
    if viewer.user_id is None and not viewer.scopes:
        raise Refusal("UNAUTHENTICATED", "Sign in first: send an access token as `Authorization: Bearer …`.")
    raise Refusal("FORBIDDEN", "You may not use this field.")


def root(
    capability: Capability,
    *,
    description: str,
    filled: tuple[Loader, Callable[..., tuple[Hashable, Hashable]]] | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Any]:
    """Declares a field of Query or Mutation, whose resolver runs only if the viewer has the capability.

    `filled` says of a resolver that only asks a loader which one, and what (see `execution.fields.RootField`): an executor may ask it itself.
    """

    def decorate(resolver: Callable[..., Any]) -> Any:
        @wraps(resolver)
        async def guarded(self: Any, info: Info, **arguments: Any) -> Any:
            require(info.context.viewer, capability)
            return await resolver(self, info, **arguments)

        guarded.__signature__ = signature(resolver)  # type: ignore[attr-defined]  # functions accept it; typeshed has no such attribute
        make = strawberry.mutation if options.pop("mutation", False) else strawberry.field
        metadata = {BATCH: STATEMENT, **options.pop("metadata", {}), CAPABILITY: capability}
        if filled is not None:
            metadata[ROOT] = RootField(*filled, lambda context: require(context.viewer, capability))
        return make(resolver=guarded, description=description, metadata=metadata, **options)

    return decorate


def query_fields(cls: type) -> type:
    """Decorates a class whose attributes are fields of Query. Its module is in schema/, which makes it part of the schema."""
    _FIELDS["Query"].append(strawberry.type(cls))
    return cls


def mutation_fields(cls: type) -> type:
    """Decorates a class whose attributes are fields of Mutation. Its module is in schema/, which makes it part of the schema."""
    _FIELDS["Mutation"].append(strawberry.type(cls))
    return cls


def root_type(name: str, description: str) -> type:
    """Returns Query or Mutation with all fields registered so far, by their modules' names. Raises ValueError when two fields have one name."""
    fields: dict[str, Any] = {}
    for part in sorted(_FIELDS[name], key=lambda each: each.__module__):
        for each in part.__strawberry_definition__.fields:  # type: ignore[attr-defined]  # strawberry adds it
            if each.python_name in fields:
                raise ValueError(f"two root fields are called {each.python_name}")
            fields[each.python_name] = each
    return create_type(name, list(fields.values()), description=description)
