"""An error that stands in the place of a field's value until the response is completed."""

__all__ = ["FieldError", "NeedsSlowPathError"]


class FieldError:
    """Holds an exception in the place of a value. It is raised when that place in the response is completed, which gives it its path."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class NeedsSlowPathError(Exception):
    """Signals that fast completion met a value it does not handle, and that complete/with_errors.py must complete the response."""
