"""Guardians, and whose they are."""

from db.rows import Row
from db.sql_catalog import queries
from resolvers.loaders import by_key

__all__ = ["Guardian", "Guardianship", "guardian_by_id", "guardian_by_user", "guardianship_by_id"]


class Guardian(Row):
    __slots__ = ()
    type_name = "Guardian"
    tag = "gua"


class Guardianship(Row):
    __slots__ = ()
    type_name = "Guardianship"
    tag = "gsh"


guardian_by_id = by_key(queries.guardians, Guardian)
guardian_by_user = by_key(queries.guardians, Guardian, "user", "user_id")
guardianship_by_id = by_key(queries.guardianships, Guardianship)
