"""Mutations, declared by an input type, an action in resolvers/writing/, and the fields of the payload.

create_subject = mutation(
    Capability.MANAGE_SCHOOL, CreateSubjectInput, create_action("subjects", "subject"),
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
    """A field of a payload: its type, and how it is made of the action's result (`loader` for ids, `read` for plain values)."""

    annotation: Any
    description: str
    loader: Loader | None = None
    read: Callable[[Any], Any] | None = None
    default: Any = None


def payload_node(loader: Loader, description: str) -> PayloadField:
    """Declares a node, read again after the commit as far as the viewer may see it; the action returns its id."""
    return PayloadField(node_type(loader) | None, description, loader)


def payload_nodes(loader: Loader, description: str) -> PayloadField:
    """Declares a list of nodes, read again after the commit as far as the viewer may see them; the action returns their ids."""
    nodes: Any = list[node_type(loader)]  # type: ignore[misc]  # made at run time
    return PayloadField(nodes | None, description, loader)


def payload_value(annotation: Any, description: str, read: Callable[[Any], Any] | None = None, default: Any = None) -> PayloadField:
    """Declares a plain value of the action's result, as JSON stores it; `read` turns it into what the fields of its type read."""
    return PayloadField(annotation, description, None, read, default)


def mutation(
    capability: Capability,
    input_type: type,
    action: Action,
    *,
    description: str,
    revokes_access: bool = False,
    scope: str | None = None,
    **payload_fields: PayloadField,
) -> Any:
    """Declares a field of Mutation.

    An `IdempotentInput` requires a `scope`, under which its key is stored with the answer: the first name of the field, which must stay when
    the field or its input is renamed. Raises TypeError if only one of the two is given.
    """
    name = input_type.__name__.removesuffix("Input")
    payload = _payload(f"{name}Payload", payload_fields)
    if issubclass(input_type, IdempotentInput) != (scope is not None):
        raise TypeError(f"{name}: an IdempotentInput and a scope require each other")

    async def resolve(self: Any, info: Info, input: Any) -> Any:
        given, errors = read_input(input)
        objects: Mapping[str, Any] = {}
        if not errors:
            key = None if scope is None else IdempotencyKey(scope, given.pop("idempotency_key"))
            outcome = await run_mutation(info.context, action, given, key=key, revokes_access=revokes_access)
            objects, errors = outcome.objects, outcome.errors
        values = {each: await _read_again(info.context, field, objects.get(each)) for each, field in payload_fields.items()}
        return payload(**values, user_errors=errors, client_mutation_id=input.client_mutation_id)

    annotation: Any = Annotated[input_type, strawberry.argument(description="The input of the mutation.")]
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


async def _read_again(context: Any, field: PayloadField, value: Any) -> Any:
    """Returns the value of a payload's field. If an object cannot be read, the error belongs to that field alone: the mutation itself succeeded."""
    try:
        return await _payload_value(context, field, value)
    except Exception as error:
        if field.loader is None:
            raise
        return error


async def _payload_value(context: Any, field: PayloadField, value: Any) -> Any:
    if value is None:
        return field.default
    if field.loader is not None:
        loader = context.loaders.of(field.loader)
        if not isinstance(value, list):
            return await loader.load(UUID(str(value)))
        waiting = [loader.load(UUID(str(each))) for each in value]
        return [await each for each in waiting]
    return value if field.read is None else field.read(value)


def _payload(name: str, payload_fields: Mapping[str, PayloadField]) -> Any:
    class Payload:
        pass

    Payload.__name__ = Payload.__qualname__ = name
    Payload.__annotations__ = {each: field.annotation for each, field in payload_fields.items()}
    Payload.__annotations__ |= {"user_errors": list[UserError], "client_mutation_id": str | None}
    for each, field in payload_fields.items():
        # `class_` in Python is `class` in the schema.
        setattr(Payload, each, strawberry.field(description=field.description, name=to_camel_case(each.rstrip("_"))))
    Payload.user_errors = strawberry.field(description="The rules that the input breaks; empty if the mutation was carried out.")  # type: ignore[attr-defined]
    Payload.client_mutation_id = strawberry.field(description="The `clientMutationId` of the input.")  # type: ignore[attr-defined]
    return strawberry.type(Payload, description=f"The result of `{name[0].lower()}{name[1:].removesuffix('Payload')}`.")
