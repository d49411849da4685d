"""Named statements with named values, for a connection or the pool: `await database.fetchrow(*bound(queries.account_by_id, user_id=…))`."""

from typing import Any

from db.statements import Query

__all__ = ["bound"]


def bound(query: Query, **values: Any) -> tuple[Any, ...]:
    """The SQL and its arguments in order. Raises KeyError for a parameter that nobody gave."""
    statement = query.statement()
    return statement.sql, *(values[name] for name in statement.parameters)
