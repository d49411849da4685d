"""Every statement, in every form it can take, against the migrated database."""

import asyncpg
import pytest

from auth.access import NOUNS
from db.queries import queries
from db.statements import Choice

NOBODY_KNOWN = frozenset()


def variants():
    """(name, statement) of everything that can be compiled: each order, direction and place, each filter alone and all at once, each parent."""
    for query in queries:
        for open_nouns in (NOBODY_KNOWN, NOUNS):
            who = "restricted" if open_nouns is NOBODY_KNOWN else "open"
            yield f"{query.name} {who}", query.statement(open_nouns)
            for key in query.keys:
                yield f"{query.name} by {key} {who}", query.by(key, open_nouns)
            if not query.is_page:
                continue
            filters = [frozenset(), *(frozenset({name}) for name in query.filters), frozenset(query.filters)]
            for per in (None, *query.parents):
                for chosen in filters:
                    yield f"{query.name} count {who} {per} {sorted(chosen)}", query.count(Choice(filters=chosen, per=per), open_nouns)
                    order = next(iter(query.orders))
                    yield f"{query.name} page {who} {per} {sorted(chosen)}", query.page(Choice(order, filters=chosen, per=per), open_nouns)
                for order in query.orders:
                    for bits in range(16):
                        descending, after, before, backward = (bool(bits & 1 << n) for n in range(4))
                        choice = Choice(order, descending, frozenset(), after, before, backward, per)
                        yield f"{query.name} page {who} {choice}", query.page(choice, open_nouns)


async def test_every_statement_in_every_form_can_be_prepared(database_url):
    connection = await asyncpg.connect(database_url, statement_cache_size=0)
    try:
        count = 0
        for name, statement in variants():
            try:
                await connection.prepare(statement.sql)
            except asyncpg.PostgresError as error:
                pytest.fail(f"{name}: {error}\n{statement.sql}")
            count += 1
        assert count > 1_000
    finally:
        await connection.close()


def test_every_statement_says_what_it_is_for():
    for query in queries:
        assert query.purpose.endswith((".", "?")), query.name
        assert len(query.purpose) >= 8, query.name


def test_a_page_needs_a_key_and_an_order(tmp_path):
    from db.queries import Queries

    (tmp_path / "broken.sql").write_text("-- page: things\n-- Things.\nSELECT t.id\nFROM things t\nWHERE true\n-- key: t.id\n")
    with pytest.raises(ValueError, match="needs a key, an order and a WHERE"):
        Queries(tmp_path)


def test_a_rule_that_is_not_there_is_noticed(tmp_path):
    from db.queries import Queries

    (tmp_path / "broken.sql").write_text("-- name: things\n-- Things.\nSELECT t.id FROM things t WHERE @visible(things t)\n")
    with pytest.raises(ValueError, match="no rule says so"):
        Queries(tmp_path)


def test_two_statements_cannot_have_one_name(tmp_path):
    from db.queries import Queries

    (tmp_path / "twice.sql").write_text("-- name: things\n-- Things.\nSELECT 1\n\n-- name: things\n-- Things.\nSELECT 2\n")
    with pytest.raises(ValueError, match="there already"):
        Queries(tmp_path)


def test_every_tables_statements_ask_who_may_see():
    """A statement that reads a table with a visibility rule uses the rule, or is one of these, which say why."""
    reasons = {
        "reach_of_user": "finds out what the viewer reaches",
        "account_by_email": "signing in",
    }
    tables = {"students": "students", "guardians": "guardians", "attendance": "attendance", "grades": "grades", "payments": "payments"}
    for query in queries:
        if query.name in reasons:
            continue
        for table, rule in tables.items():
            if f"\nFROM {table} " in f"\n{query.body}":
                assert any(noun.split(".")[0] == rule for noun in query.nouns()), f"{query.name} reads {table} without its rule"
