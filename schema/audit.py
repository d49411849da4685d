"""The audit log."""

from datetime import datetime
from enum import Enum

import strawberry
from strawberry.scalars import JSON

from auth.capabilities import Capability
from db.sql_catalog import queries
from execution.fields import computed
from resolvers import audit, users
from schema.connections import Listing, id_filter, optional, order_input, root_connection
from schema.nodes import Node, node
from schema.references import to_one

__all__ = ["AuditEntry", "AuditQueries"]


@strawberry.enum(description="What was done to a record.")
class AuditAction(Enum):
    INSERT = strawberry.enum_value("INSERT", description="It was made.")
    UPDATE = strawberry.enum_value("UPDATE", description="It was changed.")
    DELETE = strawberry.enum_value("DELETE", description="It was deleted.")


@node(audit.AuditEntry, audit.audit_entry_by_id)
@strawberry.type(description="That a record was made, changed or deleted: written by the database in the same transaction.")
class AuditEntry(Node):
    table_name: str = strawberry.field(description="The table.")
    record_id: strawberry.ID = computed(lambda row: str(row["record_id"]), description="The record's uuid.")
    action: AuditAction = strawberry.field(description="What was done.")
    old_values: JSON | None = strawberry.field(description="The values before, of what an update or a delete changed; null for an insert.")
    request_id: str | None = strawberry.field(description="The request it was done in; null when it was done beside the server.")
    created_at: datetime = strawberry.field(description="When.")
    user = to_one(users.user_by_id, "user_id", description="Who did it; null when it was done beside the server.")


@strawberry.enum(description="What the audit log may be sorted by.")
class AuditOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When.")


@strawberry.input(description="Which entries of the audit log.")
class AuditFilter:
    user_ids: list[strawberry.ID] | None = id_filter(users.User, "User", description="Done by one of these users.")
    tables: list[str] | None = optional("In one of these tables.")
    record_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Of one of these records: global ids of any type, or plain uuids.",
        metadata={"any_node": True},
    )
    actions: list[AuditAction] | None = optional("With one of these actions.")
    from_time: datetime | None = optional("At this time or later.")
    to_time: datetime | None = optional("Before this time.")


AUDIT_LOG = Listing(
    queries.audit_log,
    audit.AuditEntry,
    order_input("Audit", AuditOrderField),
    AuditOrderField.CREATED_AT,
    AuditFilter,
    descending=True,
)


@strawberry.type
class AuditQueries:
    audit_log = root_connection(AUDIT_LOG, Capability.READ_AUDIT, count_cost=500, description="What was changed, latest first.")
