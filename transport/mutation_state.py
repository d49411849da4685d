"""Whether a request may have changed something: what it is answered when it is cut off depends on that."""

from starlette.types import Scope

__all__ = ["OUTCOME_UNKNOWN", "mark_mutation_started", "mutation_started"]

OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
_KEY = "mutation_started"


def mark_mutation_started(scope: Scope) -> None:
    """Notes that a mutation begins to run."""
    scope.setdefault("state", {})[_KEY] = True


def mutation_started(scope: Scope) -> bool:
    """Whether a mutation of this request has begun to run."""
    return _KEY in scope.get("state", ())
