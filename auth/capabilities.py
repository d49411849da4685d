"""Declares the capabilities of each role, and the nouns of which a role sees every row.

Which other rows a viewer sees depends on their links to students and classes: see visible_ids.py. Source: the access table, docs/access.md.
"""

from enum import Enum

from auth.viewer import Viewer
from db.sql_catalog import queries

__all__ = ["NOUNS", "Capability", "has_capability", "unrestricted_nouns"]


class Capability(Enum):
    """A permission that a root field or mutation requires of its caller. Public ones declare `PUBLIC` explicitly."""

    PUBLIC = "anyone, also without a token"
    SIGNED_IN = "any signed-in user; visibility is decided row by row"
    READ_AUDIT = "administrators"
    READ_BOOKS = "administrators and bursars: the consistency checks of the books"
    SEE_STATUS = "any signed-in user, or a service token with health:read"
    READ_HEALTH = "administrators, or a service token with health:read"
    MANAGE_SCHOOL = "administrators: people, structure, settings, users"
    MANAGE_MONEY = "bursars and administrators"
    TEACH = "teachers and administrators; which class and subject is decided row by row"
    OWN_ACCOUNT = "any signed-in user, about themselves"


_ANY_ROLE = frozenset({"ADMIN", "BURSAR", "TEACHER", "STUDENT", "GUARDIAN"})
_ROLES: dict[Capability, frozenset[str]] = {
    Capability.SIGNED_IN: _ANY_ROLE,
    Capability.READ_AUDIT: frozenset({"ADMIN"}),
    Capability.READ_BOOKS: frozenset({"ADMIN", "BURSAR"}),
    Capability.SEE_STATUS: _ANY_ROLE,
    Capability.READ_HEALTH: frozenset({"ADMIN"}),
    Capability.MANAGE_SCHOOL: frozenset({"ADMIN"}),
    Capability.MANAGE_MONEY: frozenset({"ADMIN", "BURSAR"}),
    Capability.TEACH: frozenset({"ADMIN", "TEACHER"}),
    Capability.OWN_ACCOUNT: _ANY_ROLE,
}
_SCOPES: dict[Capability, str] = {Capability.READ_HEALTH: "health:read", Capability.SEE_STATUS: "health:read"}

# Every noun with a visibility rule in db/sql/visibility.sql. A noun is a kind of record, or a group of a record's fields with a rule of their own.
NOUNS = queries.visible_nouns
# The nouns of which each role sees all rows, as the rules state them (`-- unrestricted:`).
_UNRESTRICTED: dict[str, frozenset[str]] = {
    role: NOUNS if nouns == NOUNS else nouns
    for role in sorted(_ANY_ROLE)
    for nouns in [frozenset(noun for noun, rule in queries.visibility_rules.items() if role in rule.unrestricted)]
}
_NOTHING: frozenset[str] = frozenset()


def has_capability(viewer: Viewer, capability: Capability) -> bool:
    """Returns whether the viewer has the capability, through their role or the scope of a service token."""
    if capability is Capability.PUBLIC:
        return True
    return viewer.role in _ROLES[capability] or _SCOPES.get(capability) in viewer.scopes


def unrestricted_nouns(viewer: Viewer) -> frozenset[str]:
    """Returns the nouns of which the viewer sees every row, whatever their links."""
    return _UNRESTRICTED.get(viewer.role or "", _NOTHING)
