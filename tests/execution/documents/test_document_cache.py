"""Tests the document cache: its size in bytes is bounded, whoever sends the documents and whatever they look like."""

import asyncio
import gc
import threading
import tracemalloc
from itertools import islice

import pytest

from benchmarks.abuse.hostile_documents import HOSTILE, hostile_documents
from execution.documents.document_cache import Documents, InvalidDocumentError
from execution.documents.limits import Limits
from execution.errors import Refusal
from execution.plan.plans import Planner
from tests.graphql_school import SCHEMA

ANONYMOUS = Limits(characters=2_000, tokens=150, cost=1_000)


def documents(**options):
    return Documents(SCHEMA._schema, Limits(), anonymous_limits=ANONYMOUS, **options)


def analyse(plans, document):
    for operation in document.operations:
        analysis = plans.analyse(document, operation)
        variables = analysis.variables.coerce({})
        if not isinstance(variables, list) and plans.find(analysis, variables) is None:
            plans.keep(document, analysis, plans.make(analysis, variables))


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_document_takes_no_more_memory_than_its_size_says(kind):
    texts = list(islice(hostile_documents(kind, characters=16_384, tokens=800), 5))
    kept, plans = documents(), Planner(SCHEMA._schema)
    # Don't count objects that are created once per process.
    analyse(plans, kept.read(texts.pop()))
    gc.collect()
    tracemalloc.start()
    try:
        read = [kept.read(text) for text in texts]
        for each in read:
            analyse(plans, each)
        gc.collect()
        measured = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    counted = sum(each.size for each in read)
    # The texts existed before.
    assert measured <= counted
    assert counted < 25 * measured, "a size that says much too much keeps out what there is room for"


@pytest.mark.parametrize("anonymous", [False, True])
def test_hostile_documents_fill_a_cache_to_its_bound_and_no_further(anonymous):
    limits = Limits(characters=4_000, tokens=250)
    kept = Documents(SCHEMA._schema, Limits(), anonymous_limits=limits, max_bytes=4_000_000, max_anonymous_bytes=2_000_000)
    cache, bound = (kept._kept_anonymous, 2_000_000) if anonymous else (kept._kept, 4_000_000)
    plans = Planner(SCHEMA._schema)
    for kind in HOSTILE:
        for text in islice(hostile_documents(kind, characters=limits.characters, tokens=limits.tokens), 20):
            analyse(plans, kept.read(text, anonymous=anonymous))
            assert cache.bytes <= bound
    assert cache.bytes > bound / 2
    assert cache.bytes == sum(size for _, size in cache._entries.values()) == sum(each.size for each, _ in cache._entries.values())


def test_what_is_worked_out_about_a_document_counts_and_may_cost_it_its_place():
    kept, plans = documents(max_bytes=4_000_000), Planner(SCHEMA._schema)
    [text] = islice(hostile_documents("spread fragments", characters=16_384, tokens=2_000), 1)
    document = kept.read(text)
    assert kept.find(text) is document
    analyse(plans, document)
    assert document.size > 500_000
    assert kept.find(text) is None


def test_anonymous_documents_do_not_displace_those_of_users():
    kept = documents(max_bytes=1_000_000, max_anonymous_bytes=100_000)
    users = [f"{{ viewer {{ role a{number}: role }} }}" for number in range(20)]
    mine = [kept.read(text) for text in users]
    for number in range(200):
        kept.read(f"{{ viewer {{ b{number}: role }} }}", anonymous=True)
    assert [kept.find(text) for text in users] == mine


def test_an_anonymous_clients_document_is_a_users_from_when_a_user_sends_it():
    kept = documents(max_anonymous_bytes=100_000)
    text = "{ viewer { role } }"
    document = kept.read(text, anonymous=True)
    assert kept.find(text) is document
    for number in range(200):
        kept.read(f"{{ viewer {{ b{number}: role }} }}", anonymous=True)
    assert kept.find(text) is kept.find(text, anonymous=True) is document


@pytest.mark.parametrize("text", ["{ viewer { role } }" + " " * 2_000, "{ viewer { " + "role " * 150 + "} }"])
def test_a_document_that_is_kept_for_users_is_still_too_long_for_anonymous_clients(text):
    kept = documents()
    assert kept.read(text)
    with pytest.raises(Refusal) as refused:
        kept.find(text, anonymous=True)
    assert refused.value.code == "QUERY_TOO_LONG"


async def test_documents_are_read_beside_the_event_loop_and_once_for_all_who_send_them(monkeypatch):
    kept = documents()
    threads = []
    read = kept._read
    monkeypatch.setattr(kept, "_read", lambda text, limits: threads.append(threading.current_thread()) or read(text, limits))
    first, *others = await asyncio.gather(*[kept.load("{ viewer { role } }") for _ in range(5)])
    assert others == [first] * 4
    assert len(threads) == 1
    assert threads[0] is not threading.current_thread()
    assert kept.find("{ viewer { role } }") is first
    with pytest.raises(InvalidDocumentError):
        await kept.load("{ wrong }")


async def test_the_event_loop_goes_on_while_a_document_is_read():
    """Counts iterations instead of measuring time: a thread that held the GIL would let the event loop run only a few."""
    kept = documents()
    [text] = islice(hostile_documents("a repeated field", characters=16_384, tokens=2_000), 1)
    reading = asyncio.create_task(kept.load(text))
    beats = 0
    while not reading.done():
        await asyncio.sleep(0.001)
        beats += 1
    assert reading.result().tokens > 500
    assert beats > 10


def test_a_document_that_selects_too_much_is_refused_before_it_is_validated():
    leaves = " ".join(f"a{number}: name" for number in range(25))
    text = (
        f"{{ {' '.join('students { nodes { ...S } }' for _ in range(30))} }} fragment S on Student {{ {leaves} class {{ {'id ' * 100} }} }}"
    )
    with pytest.raises(Refusal) as refused:
        documents().read(text)
    assert (refused.value.code, refused.value.extensions["limit"]) == ("QUERY_TOO_COMPLEX", 3_000)


@pytest.mark.parametrize(
    ("text", "what"), [("#\n" * 1_995 + "{ viewer { role } }", "tokens"), ("\n" * 2_000 + "{ viewer { role } }", "lines")]
)
def test_comments_are_tokens_and_lines_are_counted(text, what):
    with pytest.raises(Refusal, match=what) as refused:
        documents().read(text)
    assert refused.value.code == "QUERY_TOO_LONG"
    assert documents().read(text[20:])
