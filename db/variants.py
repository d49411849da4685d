"""Every form that every named statement can take: for the test that prepares them all, and for the catalogue of indexes."""

from collections.abc import Iterator
from dataclasses import dataclass

from db.sql_catalog import queries
from db.statements import Choice, Query, Statement

__all__ = ["Variant", "variants"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One form: the statement's name, and in words what was chosen in it."""

    query: str
    chosen: str
    statement: Statement

    def __str__(self) -> str:
        return f"{self.query} {self.chosen}".strip()


def variants(open_nouns: frozenset[str]) -> Iterator[Variant]:
    """Each order, direction and place, each filter alone and all at once, each parent and key, as seen by who sees all of `open_nouns`."""
    for query in queries:
        if query.is_totals:
            yield from _totals(query, open_nouns)
        elif not query.is_page:
            yield Variant(query.name, "", query.statement(open_nouns))
        for key in query.keys:
            yield Variant(query.name, f"by {key}", query.by(key, open_nouns))
        filters = _filters(query)
        for per in (None, *query.parents) if query.is_page else ():
            where = f"of a {per.replace('_', ' ')}" if per else ""
            for chosen in filters:
                said = f"{where} {'where ' + ', '.join(sorted(chosen)) if chosen else ''}".strip()
                choice = Choice(next(iter(query.orders)), filters=chosen, per=per)
                yield Variant(query.name, said, query.page(choice, open_nouns))
                yield Variant(query.name, f"{said} counted".strip(), query.count(choice, open_nouns))
            for order in query.orders:
                needed = frozenset(query.orders[order].needs[:1] if per is None else ())
                said = f"{where} ordered by {order}{''.join(f' where {name}' for name in needed)}".strip()
                for bits in range(16):
                    descending, after, before, backward = (bool(bits & 1 << n) for n in range(4))
                    choice = Choice(order, descending, needed, after, before, backward, per)
                    yield Variant(query.name, said, query.page(choice, open_nouns))


def _totals(query: Query, open_nouns: frozenset[str]) -> Iterator[Variant]:
    for per in (None, *query.parents):
        for group in (None, *query.groups):
            for chosen in _filters(query):
                words = [
                    f"of a {per}" if per else "",
                    f"by {group}" if group else "",
                    f"where {', '.join(sorted(chosen))}" if chosen else "",
                ]
                statement = query.totals(Choice(filters=chosen, per=per, group=group), open_nouns)
                yield Variant(query.name, " ".join(each for each in words if each), statement)


def _filters(query: Query) -> list[frozenset[str]]:
    return [frozenset[str](), *(frozenset({name}) for name in query.filters), frozenset(query.filters)]
