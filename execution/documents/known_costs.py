"""Keeps the costs of a document's operations, so that they are computed once."""

from collections.abc import Hashable, Iterable, Mapping

from graphql import OperationDefinitionNode, Undefined

from execution.opaque_types import ArgumentValue

__all__ = ["KnownCosts"]

# Costs that are kept of a document: at most this many, and at most this many values in their keys together.
_KEPT_COSTS = 100
_KEPT_VALUES = 100
# A value with its type, when it is a short text.
_VALUE_BYTES = 270
# Dates and enum values decide a cost; longer texts do not.
_SHORT_TEXT = 40


class KnownCosts:
    """Keeps the costs of a document's operations: for each the variables that it depends on, and its costs by their values."""

    __slots__ = ("_by_values", "_depends_on")

    def __init__(self) -> None:
        self._depends_on: dict[int, tuple[str, ...]] = {}
        self._by_values: dict[tuple[Hashable, ...], int] = {}

    def find(self, operation: OperationDefinitionNode, variables: Mapping[str, ArgumentValue]) -> int | None:
        """Returns the cost of an operation with these variables, as the client sent them; None if it is not known."""
        names = self._depends_on.get(id(operation))
        return None if names is None else self._by_values.get(self._key(operation, names, variables))

    def keep(self, operation: OperationDefinitionNode, names: Iterable[str], variables: Mapping[str, ArgumentValue], cost: int) -> None:
        kept = self._depends_on.setdefault(id(operation), tuple(names))
        if len(self._by_values) >= min(_KEPT_COSTS, _KEPT_VALUES // (1 + len(kept)) + 1):
            self._by_values.clear()
        self._by_values[self._key(operation, kept, variables)] = cost

    @staticmethod
    def max_bytes(operations: Iterable[OperationDefinitionNode]) -> int:
        """Returns the bytes that the costs of these operations take at most."""
        variables = [len(each.variable_definitions or ()) for each in operations]
        most = max(variables, default=0)
        return 300 * len(variables) + (max(_KEPT_VALUES, 1 + most) * _VALUE_BYTES if most else 0)

    @staticmethod
    def _key(operation: OperationDefinitionNode, names: tuple[str, ...], variables: Mapping[str, ArgumentValue]) -> tuple[Hashable, ...]:
        if not names:
            return (id(operation),)
        given = [variables.get(name, Undefined) for name in names]
        return id(operation), *map(type, given), *map(_decisive, given)


def _decisive(value: ArgumentValue) -> Hashable:
    """Returns the part of a variable's value that a cost can depend on: a number, a short text, the length of a list; None for all others."""
    if isinstance(value, list):
        return len(value)
    if isinstance(value, str):
        return value if len(value) <= _SHORT_TEXT else None
    return value if isinstance(value, (int, float)) else None
