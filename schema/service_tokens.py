"""Service tokens for dashboards and orchestrators."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry.types import Info

from auth.capabilities import Capability
from db.sql_catalog import queries
from resolvers import service_tokens, users
from resolvers.identifiers import read_id
from resolvers.user_errors import UserError as Broken
from schema.connections import Listing, order_input, root_connection
from schema.nodes import Node, node
from schema.references import to_one
from schema.roots import mutation_fields, query_fields, root
from schema.user_errors import UserError, errors_of

__all__ = ["ServiceToken", "ServiceTokenMutations", "ServiceTokenQueries"]


@strawberry.enum(description="The scopes of service tokens.")
class ServiceScope(Enum):
    HEALTH_READ = strawberry.enum_value(
        "health:read", description="The system's health in detail: `systemHealth`, /health/detailed, /health/database."
    )


@node(service_tokens.ServiceToken, service_tokens.service_token_by_id)
@strawberry.type(description="A token for a program instead of a person. The token itself is shown only once, when it is created.")
class ServiceToken(Node):
    name: str = strawberry.field(description="What the token is for.")
    scopes: list[ServiceScope] = strawberry.field(description="The scopes of the token.")
    created_at: datetime = strawberry.field(description="When it was created.")
    expires_at: datetime | None = strawberry.field(description="When it expires; null if it is valid until it is revoked.")
    last_used_at: datetime | None = strawberry.field(description="When it was last used, to the minute; null if it never was.")
    revoked_at: datetime | None = strawberry.field(description="When it was revoked; null if it was not.")
    created_by = to_one(users.user_by_id, "created_by", description="Who created it.")


@strawberry.enum(description="The fields by which service tokens can be sorted.")
class ServiceTokenOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When it was created.")


SERVICE_TOKENS = Listing(
    queries.service_tokens,
    service_tokens.ServiceToken,
    order_input("ServiceToken", ServiceTokenOrderField),
    ServiceTokenOrderField.CREATED_AT,
    descending=True,
)


@query_fields
class ServiceTokenQueries:
    service_tokens = root_connection(
        SERVICE_TOKENS,
        Capability.MANAGE_SCHOOL,
        description="The service tokens, newest first, including those that have expired or were revoked.",
    )


@strawberry.input(description="The service token to create.")
class CreateServiceTokenInput:
    name: str = strawberry.field(description="What the token is for, in 1 to 100 characters.")
    scopes: list[ServiceScope] = strawberry.field(description="The scopes of the token.")
    expires_at: datetime | None = strawberry.field(default=None, description="When it expires. By default it is valid until it is revoked.")


@strawberry.type(description="A new service token.")
class CreateServiceTokenPayload:
    service_token: ServiceToken | None = strawberry.field(description="The token's record; null if none was created.")
    token: str | None = strawberry.field(description="The token itself, which is shown only here. Send it as `Authorization: Bearer …`.")
    user_errors: list[UserError] = strawberry.field(description="The rules that the input breaks; empty if the token was created.")


@strawberry.input(description="The service token to revoke.")
class RevokeServiceTokenInput:
    id: strawberry.ID = strawberry.field(description="The service token.")


@strawberry.type(description="A revoked service token.")
class RevokeServiceTokenPayload:
    service_token: ServiceToken | None = strawberry.field(description="The token's record; null if there is none.")
    user_errors: list[UserError] = strawberry.field(description="The rules that the input breaks; empty if the token was revoked.")


@mutation_fields
class ServiceTokenMutations:
    @root(Capability.MANAGE_SCHOOL, mutation=True, description="Creates a service token. The token itself is only in this answer.")
    async def create_service_token(self, info: Info, input: CreateServiceTokenInput) -> CreateServiceTokenPayload:
        scopes = [str(scope.value) for scope in input.scopes]
        answer = await service_tokens.create_service_token(info.context, input.name, scopes, input.expires_at)
        if isinstance(answer, Broken):
            return CreateServiceTokenPayload(service_token=None, token=None, user_errors=errors_of(answer))
        row, token = answer
        return CreateServiceTokenPayload(service_token=row, token=token, user_errors=[])  # type: ignore[arg-type]  # rows stand for types

    @root(Capability.MANAGE_SCHOOL, mutation=True, description="Revokes a service token, from the next request on.")
    async def revoke_service_token(self, info: Info, input: RevokeServiceTokenInput) -> RevokeServiceTokenPayload:
        token_id = read_id(input.id, service_tokens.ServiceToken.tag, service_tokens.ServiceToken.type_name, "id")
        answer = await service_tokens.revoke_service_token(info.context, token_id)
        if isinstance(answer, Broken):
            return RevokeServiceTokenPayload(service_token=None, user_errors=errors_of(answer))
        return RevokeServiceTokenPayload(service_token=answer, user_errors=[])  # type: ignore[arg-type]  # rows stand for types
