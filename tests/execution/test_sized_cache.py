"""Tests the cache with a limit in bytes: the size that it reports is the size of its entries, whatever was put in."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from sized_cache import SizedCache

KEYS = st.integers(0, 6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), KEYS, st.integers(0, 60)),
        st.tuples(st.just("resize"), KEYS, st.integers(0, 60)),
        st.tuples(st.just("get"), KEYS, st.just(0)),
        st.tuples(st.just("discard"), KEYS, st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
def test_the_books_of_a_cache_balance(steps):
    cache = SizedCache(100, max_entry_bytes=40)
    # A simple model of the cache: sizes by key, least recently used first.
    model: OrderedDict[int, int] = OrderedDict()
    for what, key, size in steps:
        if what == "get":
            assert (cache.get(key) is not None) == (key in model)
            if key in model and sum(model.values()) > 50:
                model.move_to_end(key)
        elif what == "discard":
            cache.discard(key)
            model.pop(key, None)
        elif what == "put":
            cache.put(key, f"value {key}", size)
            model.pop(key, None)
            if size <= 40:
                model[key] = size
        else:
            cache.resize(key, size)
            if key in model:
                model[key] = size
                if size > 40:
                    del model[key]
        while sum(model.values()) > 100:
            model.popitem(last=False)
        assert cache.bytes == sum(model.values()) <= 100
        assert len(cache) == len(model)
        assert [key in cache for key in range(7)] == [key in model for key in range(7)]


def test_an_entry_that_is_too_large_displaces_nothing():
    cache = SizedCache(100)
    cache.put("small", 1, 12)
    cache.put("large", 2, 13)
    assert ("small" in cache, "large" in cache) == (True, False)


def test_a_value_is_made_once_while_it_is_kept():
    cache = SizedCache(100)
    made = []

    def make():
        made.append(1)
        return "value"

    assert [cache.get_or_make("a", make, len) for _ in range(3)] == ["value"] * 3
    cache.clear()
    assert (len(cache), cache.bytes) == (0, 0)
    assert cache.get_or_make("a", make, len) == "value"
    assert len(made) == 2
