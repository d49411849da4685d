"""Refuses to sort or filter by values that the viewer may not see, since the order or selection of rows would reveal them.

The options `guard` and `ids` of the statements (db/sql/README.md) declare which orders and filters those are.
"""

from collections.abc import Iterable
from typing import Any

from db.naming import camel
from db.query_compiler import Query
from execution.errors import Refusal
from resolvers.context import Context

__all__ = ["Filters", "refuse_hidden"]

Filters = tuple[tuple[str, Any], ...]


async def refuse_hidden(context: Context, query: Query, names: Iterable[str], filters: Filters) -> None:
    """Raises a FORBIDDEN refusal that names every argument that this viewer may not use. `names` are guarded orders and filters of the query.

    Ids of rows that the viewer may not see are refused whether such rows exist or not.
    """
    given = dict(filters)
    problems = []
    for name in names:
        argument = f"filter.{camel(name)}" if name in given else "orderBy"
        if name in query.guards and not query.shows(name, context.unrestricted_nouns):
            what = f"filters by `{camel(name)}`" if name in given else f"sorts by {name.upper()}"
            problems.append({"argument": argument, "message": f"`{argument}` {what}, which you may not see. Leave it out."})
        noun = query.id_guards.get(name)
        if noun is not None and noun not in context.unrestricted_nouns:
            seen = getattr(await context.reach(), query.reach_of(noun))
            if not set(given[name]) <= set(seen):
                problems.append(
                    {"argument": argument, "message": f"`{argument}` contains ids of objects that you may not see. Leave them out."}
                )
    if problems:
        raise Refusal("FORBIDDEN", " ".join(each["message"] for each in problems), problems=problems)
