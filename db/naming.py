"""How what is called one thing in the database is called in answers."""

__all__ = ["camel"]


def camel(name: str) -> str:
    """`fee_category_ids` as `feeCategoryIds`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
