"""Records whether a request has started a mutation, which decides how it is answered if it is cut off."""

from starlette.types import Scope

__all__ = ["OUTCOME_UNKNOWN", "mark_mutation_started", "mutation_started"]

OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
_KEY = "mutation_started"


def mark_mutation_started(scope: Scope) -> None:
    """Records that the request starts to execute a mutation."""
    scope.setdefault("state", {})[_KEY] = True


def mutation_started(scope: Scope) -> bool:
    """Returns whether the request has started to execute a mutation."""
    return _KEY in scope.get("state", ())
