"""Names the columns that compiled statements have beside those of their query. db/sql/README.md lists them."""

__all__ = ["CURSOR_VALUE", "JSON", "KEY", "KEYS", "PARENTS", "PARENT_KEY", "TOTAL", "json_column"]

# Of a plain statement that takes `$keys`: the key that a row belongs to.
KEY = "key"
# Of a page, a count or totals for many parents: the parent that a row belongs to.
PARENT_KEY = "parent_key"
# Of a page: the value that its rows are sorted by, as text.
CURSOR_VALUE = "cursor_value"
# Of a count.
TOTAL = "total"
# Of rows that are serialised: the JSON text of an object or a list, and in one row for all keys or parents the arrays of these texts and of
# the keys or parents that they belong to.
JSON = "json"
KEYS = "keys"
PARENTS = "parents"


def json_column(number: int) -> str:
    """Returns the name of the column with the JSON of the row that the to-one edge of this number leads to: `json.0`."""
    return f"json.{number}"
