"""What stands in a value's place when there is none: the error, until it is known where in the answer it belongs."""

__all__ = ["Failure", "IrregularError"]


class Failure:
    """An exception in the place of a value: it is raised when the value's place in the answer is completed."""

    __slots__ = ("error",)

    def __init__(self, error: Exception) -> None:
        self.error = error


class IrregularError(Exception):
    """The fast way of composing met a value that it does not know: the slow way says what becomes of it. Never leaves this room."""
