"""Tests which media type is chosen for an Accept header."""

from hypothesis import given
from hypothesis import strategies as st

from transport.negotiation import JSON, chosen_media_type, is_json

NEW = "application/graphql-response+json"


@given(st.text(max_size=80))
def test_any_header_has_an_answer(header):
    assert chosen_media_type(header) in (NEW, JSON, None)
    assert is_json(header) in (True, False)


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_higher_quality_wins(new, old):
    new, old = round(new, 3), round(old, 3)
    chosen = chosen_media_type(f"{NEW};q={new}, {JSON};q={old}")
    if new == old == 0:
        assert chosen is None
    elif new > old:
        assert chosen == NEW
    elif old > new:
        assert chosen == JSON


def test_a_more_exact_range_says_the_quality():
    assert chosen_media_type(f"*/*;q=0.1, {NEW};q=0") == JSON
    assert chosen_media_type(f"{JSON};q=0, application/*") == NEW


def test_a_header_with_more_ranges_than_a_client_sends_is_passed_over():
    assert chosen_media_type(",".join([*["a/b"] * 49, NEW])) == NEW
    assert chosen_media_type(",".join([*["a/b"] * 50, NEW])) == JSON
    assert chosen_media_type("a" * 1_025) == JSON
    assert not is_json(JSON + ";" * 1_100)
