"""What each role may do, and which nouns it sees all rows of. The rest follows from links: see visible_ids.py.

The one place for both, as data. Source: the school's access table (docs/access.md).
"""

from enum import Enum

from auth.viewer import Viewer

__all__ = ["NOUNS", "Capability", "has_capability", "unrestricted_nouns"]


class Capability(Enum):
    """What a root field or mutation asks of its caller. `PUBLIC` is written out too."""

    PUBLIC = "anyone, also without a token"
    SIGNED_IN = "any signed-in user; what they see is decided row by row"
    READ_AUDIT = "administrators"
    READ_BOOKS = "administrators and bursars: whether the books add up"
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

# Every noun that has a visibility rule in db/sql/visibility.sql.
NOUNS = frozenset(
    {
        "students",
        "students.birth_date",
        "students.contact",
        "students.guardians",
        "guardians",
        "guardianships",
        "teachers.private",
        "class_history",
        "attendance",
        "registers",
        "assessments",
        "grades",
        "final_grades",
        "grade_reopenings",
        "payments",
        "gateway_events",
        "audit_log",
        "service_tokens",
        "sessions",
        "users",
        "users.private",
    }
)
_OPEN: dict[str, frozenset[str]] = {
    "ADMIN": NOUNS,
    "BURSAR": frozenset(
        {"students", "students.contact", "students.guardians", "guardians", "guardianships", "payments", "gateway_events", "users"}
    ),
}
_NOTHING: frozenset[str] = frozenset()


def has_capability(viewer: Viewer, capability: Capability) -> bool:
    """Whether the viewer has the capability, by role or by a service token's scope."""
    if capability is Capability.PUBLIC:
        return True
    return viewer.role in _ROLES[capability] or _SCOPES.get(capability) in viewer.scopes


def unrestricted_nouns(viewer: Viewer) -> frozenset[str]:
    """The nouns of which the viewer sees every row, whatever their links."""
    return _OPEN.get(viewer.role or "", _NOTHING)
