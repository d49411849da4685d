"""Mutations, declared: an input, an action of the resolvers', and what the payload shows.

create_subject = mutation(
    Capability.MANAGE_SCHOOL, CreateSubjectInput, writing.create_subject,
    description="…", subject=payload_node(subject_by_id, "The subject."),
)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types import Info
from strawberry.utils.str_converters import to_camel_case

from auth.capabilities import Capability
from execution.loaders import Loader
from resolvers.idempotency_keys import IdempotencyKey
from resolvers.mutations import Action, run_mutation
from schema.inputs import IdempotentInput, read_input
from schema.references import node_type
from schema.roots import root
from schema.user_errors import UserError

__all__ = ["PayloadField", "mutation", "payload_node", "payload_nodes", "payload_value"]


@dataclass(frozen=True, slots=True)
class PayloadField:
    """A field of a payload: its type, and how the action's answer becomes it (`loader` for ids, `read` for plain values)."""

    annotation: Any
    description: str
    loader: Loader | None = None
    read: Callable[[Any], Any] | None = None
    default: Any = None


def payload_node(loader: Loader, description: str) -> PayloadField:
    """Declares a node, read anew after the change as far as the viewer may see it; the action answers its id."""
    return PayloadField(node_type(loader) | None, description, loader)


def payload_nodes(loader: Loader, description: str) -> PayloadField:
    """Declares a list of nodes, read anew after the change as far as the viewer may see them; the action answers their ids."""
    nodes: Any = list[node_type(loader)]  # type: ignore[misc]  # made at run time
    return PayloadField(nodes | None, description, loader)


def payload_value(annotation: Any, description: str, read: Callable[[Any], Any] | None = None, default: Any = None) -> PayloadField:
    """Declares a plain value, as the action answers it in JSON; `read` turns it into what the type's fields are read from."""
    return PayloadField(annotation, description, None, read, default)


def mutation(
    capability: Capability,
    takes: type,
    action: Action,
    *,
    description: str,
    revokes_access: bool = False,
    scope: str | None = None,
    **shown: PayloadField,
) -> Any:
    """Declares a field of Mutation.

    An `IdempotentInput` needs a `scope`, under which its key is kept with the answer: the field's first name, which stays when the field or
    its input is renamed. Raises TypeError when one of the two is missing.
    """
    name = takes.__name__.removesuffix("Input")
    payload = _payload(f"{name}Payload", shown)
    if issubclass(takes, IdempotentInput) != (scope is not None):
        raise TypeError(f"{name}: an IdempotentInput goes with a scope, and a scope with an IdempotentInput")

    async def resolve(self: Any, info: Info, input: Any) -> Any:
        given, errors = read_input(input)
        objects: Mapping[str, Any] = {}
        if not errors:
            key = None if scope is None else IdempotencyKey(scope, given.pop("idempotency_key"))
            outcome = await run_mutation(info.context, action, given, key=key, revokes_access=revokes_access)
            objects, errors = outcome.objects, outcome.errors
        values = {each: await _read_anew(info.context, field, objects.get(each)) for each, field in shown.items()}
        return payload(**values, user_errors=errors, client_mutation_id=input.client_mutation_id)

    annotation: Any = Annotated[takes, strawberry.argument(description="What to do.")]
    resolve.__signature__ = Signature(  # type: ignore[attr-defined]  # functions accept it; typeshed has no such attribute
        [
            Parameter("self", Parameter.POSITIONAL_OR_KEYWORD),
            Parameter("info", Parameter.POSITIONAL_OR_KEYWORD, annotation=Info),
            Parameter("input", Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation),
        ],
        return_annotation=payload,
    )
    resolve.__annotations__ = {"info": Info, "input": annotation, "return": payload}
    return root(capability, mutation=True, description=description)(resolve)


async def _read_anew(context: Any, field: PayloadField, value: Any) -> Any:
    """What a payload shows. An object that cannot be read is the error of its own field: the mutation was done, and says so in `userErrors`."""
    try:
        return await _shown(context, field, value)
    except Exception as error:
        if field.loader is None:
            raise
        return error


async def _shown(context: Any, field: PayloadField, value: Any) -> Any:
    if value is None:
        return field.default
    if field.loader is not None:
        loader = context.loaders.of(field.loader)
        if not isinstance(value, list):
            return await loader.load(UUID(str(value)))
        waiting = [loader.load(UUID(str(each))) for each in value]
        return [await each for each in waiting]
    return value if field.read is None else field.read(value)


def _payload(name: str, shown: Mapping[str, PayloadField]) -> Any:
    class Payload:
        pass

    Payload.__name__ = Payload.__qualname__ = name
    Payload.__annotations__ = {each: field.annotation for each, field in shown.items()}
    Payload.__annotations__ |= {"user_errors": list[UserError], "client_mutation_id": str | None}
    for each, field in shown.items():
        # `class_` is `class` to clients.
        setattr(Payload, each, strawberry.field(description=field.description, name=to_camel_case(each.rstrip("_"))))
    Payload.user_errors = strawberry.field(description="What has to be put right; empty when it was done.")  # type: ignore[attr-defined]
    Payload.client_mutation_id = strawberry.field(description="What the input had.")  # type: ignore[attr-defined]
    return strawberry.type(Payload, description=f"What `{name[0].lower()}{name[1:].removesuffix('Payload')}` came to.")
