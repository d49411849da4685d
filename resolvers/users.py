"""Users: accounts, and the names of everyone."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["User", "user_by_id"]


class User(Row):
    __slots__ = ()
    type_name = "User"
    tag = "usr"


user_by_id = by_key(queries.users, User)
