"""Service tokens: credentials of dashboards and orchestrators. A token grants its scopes and nothing else."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from auth.opaque_tokens import TokenType, generate_token, hash_token
from db.rows import Row
from db.sql_catalog import queries
from resolvers.context import Context
from resolvers.loaders import by_key
from resolvers.sign_in import authenticator_of
from resolvers.user_errors import UserError
from rules.text import normal_text, text_problem

__all__ = ["SCOPES", "ServiceToken", "create_service_token", "revoke_service_token", "service_token_by_id"]

SCOPES = frozenset({"health:read"})
_LONGEST_NAME = 100


class ServiceToken(Row):
    __slots__ = ()
    type_name = "ServiceToken"
    tag = "svt"


service_token_by_id = by_key(queries.service_tokens, ServiceToken)


async def create_service_token(
    context: Context, name: str, scopes: Sequence[str], expires_at: datetime | None
) -> tuple[ServiceToken, str] | UserError:
    """Creates a token; returns its row and the token itself, which is shown only here. Without `expires_at` it is valid until it is revoked.

    The caller is an administrator.
    """
    auth = authenticator_of(context)
    now = auth.clock.now()
    name = normal_text(name)
    problem = text_problem(name)
    if problem is not None:
        return UserError("name", "NAME_NOT_VALID", problem)
    if not 1 <= len(name) <= _LONGEST_NAME:
        return UserError("name", "NAME_NOT_VALID", f"The name must have 1 to {_LONGEST_NAME} characters.")
    if not scopes or not SCOPES.issuperset(scopes):
        return UserError("scopes", "SCOPE_NOT_VALID", f"Give one or more of these scopes: {', '.join(sorted(SCOPES))}.")
    if expires_at is not None and expires_at <= now:
        return UserError("expiresAt", "IN_PAST", "The expiry must be in the future.")
    token = generate_token(TokenType.SERVICE)
    async with context.database.transaction(user_id=context.viewer.user_id, request_id=context.request_id) as connection:
        await auth.recheck(connection, context.viewer)
        sql, *arguments = queries.add_service_token.bind(
            name=name,
            token_hash=hash_token(token),
            scopes=sorted(set(scopes)),
            created_by=context.viewer.user_id,
            now=now,
            expires_at=expires_at,
        )
        row = await connection.fetchrow(sql, *arguments, record_class=ServiceToken)
    return row, token


async def revoke_service_token(context: Context, token_id: UUID) -> ServiceToken | UserError:
    """Revokes a token from the next request on; one that has already ended stays unchanged. The caller is an administrator."""
    auth = authenticator_of(context)
    async with context.database.transaction(user_id=context.viewer.user_id, request_id=context.request_id) as connection:
        await auth.recheck(connection, context.viewer)
        sql, *arguments = queries.revoke_service_token.bind(token_id=token_id, now=auth.clock.now())
        row: ServiceToken | None = await connection.fetchrow(sql, *arguments, record_class=ServiceToken)
    if row is None:
        return UserError("id", "NOT_FOUND", "There is no such service token.")
    await auth.wait_until_propagated()
    return row
