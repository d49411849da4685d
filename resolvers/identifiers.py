"""Global ids: a tag for the type and the row's UUID, such as `stu_0193…`. Opaque to clients."""

from uuid import UUID

from execution.errors import Refusal

__all__ = ["read_any_id", "read_id", "write_id"]


def write_id(tag: str, identifier: UUID) -> str:
    return f"{tag}_{identifier.hex}"


def read_any_id(text: str, argument: str) -> tuple[str, UUID]:
    """Splits a global id into tag and UUID. Raises a BAD_USER_INPUT refusal if the text is not a global id."""
    tag, separator, digits = text.rpartition("_")
    try:
        if not (separator and tag and len(digits) == 32 and digits.isascii()):
            raise ValueError
        return tag, UUID(hex=digits)
    except ValueError:
        raise Refusal("BAD_USER_INPUT", f"`{argument}` is not an id: {text[:80]!r}.", argument=argument) from None


def read_id(text: str, tag: str, noun: str, argument: str = "id") -> UUID:
    """Returns the UUID of a global id of this type. Raises a BAD_USER_INPUT refusal for any other text."""
    given, identifier = read_any_id(text, argument)
    if given != tag:
        raise Refusal("BAD_USER_INPUT", f"`{argument}` is not the id of a {noun}: {text[:80]!r}.", argument=argument)
    return identifier
