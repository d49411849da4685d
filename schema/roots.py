"""Root fields: each declares the capability it asks of its caller. A test walks the schema and fails on one that does not."""

from collections.abc import Callable, Hashable, Sequence
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

__all__ = ["CAPABILITY", "merge", "require", "root"]

# Where a root field's declaration is found: `strawberry_field.metadata[CAPABILITY]`.
CAPABILITY = "capability"


def require(viewer: Viewer, capability: Capability) -> None:
    """Raises UNAUTHENTICATED for someone unknown, FORBIDDEN for someone known who may not."""
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
    """A field of Query or Mutation: its resolver runs when the viewer has the capability, and is not called otherwise.

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


def merge(name: str, parts: Sequence[type], description: str) -> type:
    """One root type of the fields of many. Raises ValueError when two have a field of one name."""
    fields: dict[str, Any] = {}
    for part in parts:
        for each in part.__strawberry_definition__.fields:  # type: ignore[attr-defined]  # strawberry adds it
            if each.python_name in fields:
                raise ValueError(f"two root fields are called {each.python_name}")
            fields[each.python_name] = each
    return create_type(name, list(fields.values()), description=description)
