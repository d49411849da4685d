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
from schema.roots import query_fields

__all__ = ["AuditEntry", "AuditQueries"]


@strawberry.enum(description="The kind of change.")
class AuditAction(Enum):
    INSERT = strawberry.enum_value("INSERT", description="The record was created.")
    UPDATE = strawberry.enum_value("UPDATE", description="The record was changed.")
    DELETE = strawberry.enum_value("DELETE", description="The record was deleted.")


@node(audit.AuditEntry, audit.audit_entry_by_id)
@strawberry.type(description="The creation, change or deletion of a record, logged by the database in the same transaction.")
class AuditEntry(Node):
    table_name: str = strawberry.field(description="The table.")
    record_id: strawberry.ID = computed(lambda row: str(row["record_id"]), description="The UUID of the record.")
    action: AuditAction = strawberry.field(description="The kind of change.")
    old_values: JSON | None = strawberry.field(
        description="The previous values of the changed columns, or of the deleted row; null for an insert."
    )
    request_id: str | None = strawberry.field(description="The id of the request; null if the change was not made through the server.")
    created_at: datetime = strawberry.field(description="When.")
    user = to_one(users.user_by_id, "user_id", description="Who made the change; null if it was not made through the server.")


@strawberry.enum(description="The fields by which the audit log can be sorted.")
class AuditEntryOrderField(Enum):
    CREATED_AT = strawberry.enum_value("created_at", description="When.")


@strawberry.input(description="Conditions for entries of the audit log.")
class AuditEntryFilter:
    user_ids: list[strawberry.ID] | None = id_filter(users.User, "User", description="Made by one of these users.")
    table_names: list[str] | None = optional("In one of these tables.")
    record_ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Of one of these records: global ids of any type, or plain UUIDs.",
        metadata={"any_node": True},
    )
    actions: list[AuditAction] | None = optional("With one of these kinds of change.")
    since: datetime | None = optional("At this moment or later.")
    before: datetime | None = optional("Before this moment.")


AUDIT_LOG = Listing(
    queries.audit_log,
    audit.AuditEntry,
    order_input("AuditEntry", AuditEntryOrderField),
    AuditEntryOrderField.CREATED_AT,
    AuditEntryFilter,
    descending=True,
)


@query_fields
class AuditQueries:
    audit_log = root_connection(AUDIT_LOG, Capability.READ_AUDIT, count_cost=500, description="The changes of records, latest first.")
