"""Reads the values of fields that depend on their parent alone: typename, columns, guarded columns, computed fields."""

from execution.field_error import FieldError
from execution.fields import ComputedField, GuardedField
from execution.opaque_types import Source
from execution.plan.selections import Field, FieldKind

__all__ = ["inline_value"]


def inline_value(field: Field, parent: Source) -> Source:
    """Returns the value of such a field; a FieldError if reading it raises."""
    try:
        if field.kind is FieldKind.COMPUTED:
            computed: ComputedField = field.declared
            return computed.function(parent)
        if field.kind is FieldKind.GUARD:
            guarded: GuardedField = field.declared
            if not getattr(parent, guarded.allowed):
                return FieldError(guarded.refuse())
            return parent if field.column is None else getattr(parent, field.column)
        if field.kind is FieldKind.TYPENAME:
            return field.parent_type.name
        return getattr(parent, str(field.column))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this field's error
        return FieldError(error)
