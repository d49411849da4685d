"""Enumerates every statement that any query can compile to, for the tests that prepare and plan them all, and for docs/indexes.md."""

from collections.abc import Iterator
from dataclasses import dataclass

from db.query_compiler import Query, Statement
from db.query_templates import QueryVariant
from db.sql_catalog import queries

__all__ = ["NamedStatement", "all_statements"]


@dataclass(frozen=True, slots=True)
class NamedStatement:
    """Holds a statement, its query's name, and a description of the variant."""

    query: str
    choices: str
    statement: Statement

    def __str__(self) -> str:
        return f"{self.query} {self.choices}".strip()


def all_statements(unrestricted_nouns: frozenset[str]) -> Iterator[NamedStatement]:
    """Yields each order, direction and bound, each filter alone and all together, each parent and key, for a viewer who sees all of `unrestricted_nouns`."""
    for query in queries:
        if query.is_totals:
            yield from _totals(query, unrestricted_nouns)
        elif not query.is_page:
            yield NamedStatement(query.name, "", query.statement(unrestricted_nouns))
        for key in query.keys:
            yield NamedStatement(query.name, f"by {key}", query.by(key, unrestricted_nouns))
        filters = _filters(query)
        for per in (None, *query.parents) if query.is_page else ():
            where = f"of a {per.replace('_', ' ')}" if per else ""
            for chosen in filters:
                said = f"{where} {'where ' + ', '.join(sorted(chosen)) if chosen else ''}".strip()
                variant = QueryVariant(next(iter(query.orders)), filters=chosen, per=per)
                yield NamedStatement(query.name, said, query.page(variant, unrestricted_nouns))
                yield NamedStatement(query.name, f"{said} counted".strip(), query.count(variant, unrestricted_nouns))
            for order in query.orders:
                needed = frozenset(query.orders[order].needs[:1] if per is None else ())
                said = f"{where} ordered by {order}{''.join(f' where {name}' for name in needed)}".strip()
                for bits in range(16):
                    descending, after, before, backward = (bool(bits & 1 << n) for n in range(4))
                    variant = QueryVariant(order, descending, needed, after, before, backward, per)
                    yield NamedStatement(query.name, said, query.page(variant, unrestricted_nouns))


def _totals(query: Query, unrestricted_nouns: frozenset[str]) -> Iterator[NamedStatement]:
    for per in (None, *query.parents):
        for group in (None, *query.groups):
            for chosen in _filters(query):
                words = [
                    f"of a {per}" if per else "",
                    f"by {group}" if group else "",
                    f"where {', '.join(sorted(chosen))}" if chosen else "",
                ]
                statement = query.totals(QueryVariant(filters=chosen, per=per, group=group), unrestricted_nouns)
                yield NamedStatement(query.name, " ".join(each for each in words if each), statement)


def _filters(query: Query) -> list[frozenset[str]]:
    return [frozenset[str](), *(frozenset({name}) for name in query.filters), frozenset(query.filters)]
