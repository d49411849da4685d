"""Whether a request may have changed something: what it is answered when it is cut off depends on that."""

from starlette.types import Scope

__all__ = ["OUTCOME_UNKNOWN", "begin_to_change", "may_have_changed"]

OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
_KEY = "may_have_changed"


def begin_to_change(scope: Scope) -> None:
    """Notes that a mutation begins to run."""
    scope.setdefault("state", {})[_KEY] = True


def may_have_changed(scope: Scope) -> bool:
    """Whether a mutation of this request has begun to run."""
    return _KEY in scope.get("state", ())
