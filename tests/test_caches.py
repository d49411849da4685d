"""Tests that every cache in the process is bounded in bytes, by filling each one listed in docs/decisions/068.

The cache of documents is tested in tests/execution/documents/test_document_cache.py."""

import ast
import gc
import tracemalloc
from datetime import UTC, datetime
from itertools import combinations, islice
from pathlib import Path
from uuid import uuid4

import pytest
from graphql import is_leaf_type, parse

import execution.complete.codegen
from auth.client_address import Client
from auth.viewer import Viewer
from auth.viewer_cache import Entry, ViewerCache
from db.connections import is_read_only
from db.json_sql import KeySource
from db.query_compiler import COMPILED
from db.query_templates import QueryVariant
from db.rows import Row
from db.sql_catalog import queries
from execution.complete.leaf_values import leaf
from execution.documents.known_costs import KnownCosts
from json_tree import JSON_OBJECTS, JsonLeaf, json_object
from transport.admission import Admission
from transport.flow_keys import provisional_flow
from transport.http_errors import is_host
from transport.negotiation import chosen_media_type, is_json

ROOT = Path(__file__).parents[1]
RECORD = (ROOT / "docs/decisions/068-caches-are-bounded-in-bytes.md").read_text()
ROOMS = ("auth", "db", "execution", "gateways", "health", "resolvers", "rules", "schema", "telemetry", "transport", "web")


def kept_by(fill):
    """Returns by how many bytes the memory grows while the function runs."""
    gc.collect()
    tracemalloc.start()
    try:
        fill()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


def caches():
    """Finds every cached function, and every use of SizedCache and OrderedDict, as `file:name`."""
    for path in sorted([*ROOT.glob("*.py"), *(each for room in ROOMS for each in (ROOT / room).rglob("*.py"))]):
        where = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(
                "cache" in ast.unparse(each) for each in node.decorator_list
            ):
                yield f"{where}:{node.name}"
            called = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
            if isinstance(called, ast.Call) and ast.unparse(called.func).partition("[")[0] in ("SizedCache", "OrderedDict"):
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                yield f"{where}:{ast.unparse(target).removeprefix('self.')}"


def test_the_decision_record_lists_every_cache():
    found = set(caches())
    assert len(found) > 12
    missing = {each for each in found - {"sized_cache.py:_entries"} if f"`{each}`" not in RECORD}
    assert not missing, "say in decision 068 what bounds it, and fill it here"


def subsets(names):
    names = sorted(names)
    for size in range(1, len(names)):
        yield from map(frozenset, combinations(names, size))


def test_compiled_statements_are_bounded():
    query = next(each for each in queries if each.name == "students")
    order = next(iter(query.orders))

    def fill():
        for columns in islice(subsets(query.columns()), 5_000):
            query.page(QueryVariant(order), columns=columns)
        for count in range(3):
            for filters in combinations(query.filters, count):
                query.count(QueryVariant(order, filters=frozenset(filters)))

    assert kept_by(fill) < 1.2 * COMPILED.max_bytes
    assert COMPILED.bytes <= COMPILED.max_bytes


def test_json_trees_are_bounded():
    source = KeySource(queries.students, "id", Row)

    def fill():
        for number in range(4_000):
            parts = tuple(JsonLeaf(f"name{number % 7}", (f"column{number}",), "text", nullable=False) for _ in range(30))
            json_object(source, parts)

    assert kept_by(fill) < 1.2 * JSON_OBJECTS.max_bytes
    assert JSON_OBJECTS.max_bytes / 2 < JSON_OBJECTS.bytes <= JSON_OBJECTS.max_bytes


def test_generated_code_is_bounded():
    def fill():
        for number in range(1_500):
            names = ", ".join(f"{f'{place}-{number}' + 'x' * 500!r}: r" for place in range(20))
            execution.complete.codegen._compiled(f"def compose(rows):\n    return [{{{names}}} for r in rows]\n")

    assert kept_by(fill) < 1.2 * execution.complete.codegen.CODE.max_bytes
    assert execution.complete.codegen.CODE.bytes <= execution.complete.codegen.CODE.max_bytes


def test_clients_are_bounded_however_long_they_say_their_names_are():
    assert kept_by(lambda: [Client.of(f"2001:db8::{n:x}", f"{n}" + "a" * 60_000) for n in range(6_000)] and None) < 8_000_000


def test_flows_are_bounded():
    admission = Admission(1, 60)

    def fill():
        for number in range(12_000):
            scope = {"headers": [], "client": (f"2001:db8:{number:x}::{'1' * 3}%{'a' * 60_000}", 1)}
            admission._remember(hash((number, provisional_flow(scope))), uuid4())

    assert kept_by(fill) < 8_000_000
    assert len(admission._known) == 10_000


def test_verified_tokens_are_bounded():
    cache = ViewerCache(20_000)

    def fill():
        for _ in range(22_000):
            user, session = uuid4(), uuid4()
            entry = Entry(Viewer(user, "ADMIN", session), datetime.now(UTC), (("session", session), ("user", user)))
            cache.put(uuid4().bytes * 2, entry, 0)

    assert kept_by(fill) < 30_000_000
    assert len(cache) == 20_000


def test_answers_about_headers_are_bounded():
    def fill():
        for number in range(1_000):
            for length in (150, 60_000):
                chosen_media_type(f"{number}/" + "a" * length)
                is_json(f"{number}/" + "a" * length)
                is_host(f"{number}.".encode() + b"a" * (length - 60))

    assert kept_by(fill) < 500_000


def test_statements_of_records_are_bounded():
    record = max(queries.records.values(), key=lambda each: len(each.columns))

    def fill():
        for columns in islice(subsets(record.columns), 3_000):
            record.insert_sql(tuple(each for each in record.columns if each in columns))

    assert kept_by(fill) < 1_000_000
    assert len(record._compiled) <= 200


def test_whether_a_statement_reads_is_kept_nowhere():
    assert kept_by(lambda: [is_read_only(f"/* a */ SELECT {number}" + " " * 10_000) for number in range(500)] and None) < 50_000


@pytest.mark.parametrize("declared", [1, 5, 90, 300])
def test_costs_are_bounded_by_what_they_say(declared):
    names = [f"v{number}" for number in range(declared)]
    operation = parse(f"query ({' '.join(f'${each}: ID' for each in names)}) {{ a }}").definitions[0]
    costs = KnownCosts()

    def fill():
        for number in range(300):
            costs.keep(operation, names, {each: f"{number}-{each}".ljust(40, "é") for each in names}, number)

    assert kept_by(fill) < KnownCosts.max_bytes([operation])


def test_what_is_kept_by_types_is_bounded_by_the_schema():
    from tests.graphql_school import SCHEMA

    for each in filter(is_leaf_type, SCHEMA._schema.type_map.values()):
        leaf(each, True)
        leaf(each, False)
    assert leaf.cache_info().currsize <= leaf.cache_info().maxsize
    assert 2 * len(SCHEMA._schema.type_map) < leaf.cache_info().maxsize
