"""Converts names of columns to names of GraphQL fields."""

__all__ = ["camel"]


def camel(name: str) -> str:
    """Converts snake_case to camelCase: `fee_category_ids` becomes `feeCategoryIds`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
