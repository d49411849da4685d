"""The audit log."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["AuditEntry", "audit_entry_by_id"]


class AuditEntry(Row):
    __slots__ = ()
    type_name = "AuditEntry"
    tag = "aud"


audit_entry_by_id = by_key(queries.audit_log, AuditEntry)
