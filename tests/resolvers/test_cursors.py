"""Tests cursors: they reveal nothing, and only cursors of the same list in the same order are accepted."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.key_derivation import DerivedKeys
from db.sql_catalog import queries
from resolvers import cursors
from resolvers.cursors import CursorCipher, read_cursor, write_cursor
from resolvers.paging import Edge

IDS = st.uuids()
STORABLE = st.text(max_size=60).filter(lambda text: "\x00" not in text)
ONE = UUID(int=1)


def decoded(cursor):
    return urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))


@given(STORABLE, IDS)
def test_a_cursor_reads_as_it_was_written(value, identifier):
    cursor = read_cursor(write_cursor("students", "name", value, identifier), "students", "name", "text")
    assert (cursor.value, cursor.id) == (value, identifier)


@given(st.text(alphabet=st.characters(min_codepoint=97, max_codepoint=122), min_size=4, max_size=60), IDS)
def test_nothing_of_a_row_stands_in_its_cursor(value, identifier):
    cursor = write_cursor("students", "name", value, identifier)
    for text in (cursor.encode(), decoded(cursor)):
        for part in (value.encode(), identifier.hex.encode(), identifier.bytes, b"name"):
            assert part not in text


@given(STORABLE, IDS, st.data())
def test_a_changed_cursor_does_not_open(value, identifier, data):
    whole = decoded(write_cursor("students", "name", value, identifier))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(ValueError, match="not a cursor"):
        read_cursor(urlsafe_b64encode(bytes(changed)).decode(), "students", "name", "text")


def test_a_row_has_the_same_cursor_in_every_answer():
    assert write_cursor("students", "name", "abdi", ONE) == write_cursor("students", "name", "abdi", ONE)


def test_a_cursor_is_good_in_its_list_and_order_alone():
    cursor = write_cursor("students", "name", "abdi", ONE)
    with pytest.raises(ValueError, match="another order"):
        read_cursor(cursor, "students", "student_number", "text")
    with pytest.raises(ValueError, match="not a cursor"):
        read_cursor(cursor, "guardians", "name", "text")


@pytest.mark.parametrize("value", ["name", "birth_date"])
def test_a_cursor_from_before_they_were_encrypted_is_refused(value):
    old = urlsafe_b64encode(f"{value}:{ONE.hex}:abdi".encode()).rstrip(b"=").decode()
    with pytest.raises(ValueError, match="start again without it"):
        read_cursor(old, "students", "name", "text")


def test_cursors_of_the_previous_secret_are_good_until_it_goes(monkeypatch):
    old, new = "the secret until yesterday, 32 characters", "the secret since this morning, 32 characters"
    of_list, place = "students", f"name:{ONE.hex}:abdi"
    made = CursorCipher(DerivedKeys(old).derive("cursors")).seal(place, of_list)
    assert CursorCipher(DerivedKeys(new, old).derive("cursors")).open(made, of_list) == place
    with pytest.raises(ValueError, match=made[:20]):
        CursorCipher(DerivedKeys(new).derive("cursors")).open(made, of_list)


@given(st.text(max_size=80), st.sampled_from(sorted(cursors._PARSERS)))
def test_no_text_that_a_client_makes_up_reaches_the_database(text, sql_type):
    with pytest.raises(ValueError, match=r"cursor|order"):
        read_cursor(text, "students", "name", sql_type)


@pytest.mark.parametrize("text", ["", "A" * 2_001, "A" * 200_000, "\ud800", "=", "AAAA"])
def test_a_text_of_any_length_is_no_cursor(text):
    with pytest.raises(ValueError, match="not a cursor"):
        read_cursor(text, "students", "name", "text")


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [
        ("date", "2026-13-01"),
        ("integer", "99999999999"),
        ("smallint", "40000"),
        ("numeric", "NaN"),
        ("numeric", "x"),
        ("timestamptz", "soon"),
        ("time", "25:00:00"),
    ],
)
def test_a_value_of_another_type_is_refused_before_it_is_cast(sql_type, value):
    with pytest.raises(ValueError, match="not a cursor"):
        read_cursor(write_cursor("list", "o", value, ONE), "list", "o", sql_type)


@pytest.mark.parametrize(
    ("sql_type", "value"),
    [("date", "-infinity"), ("timestamptz", "2026-03-18 09:05:01.5+00"), ("numeric", "-1"), ("bigint", "7"), ("time", "08:50:00")],
)
def test_what_postgresql_writes_is_read(sql_type, value):
    assert read_cursor(write_cursor("list", "o", value, ONE), "list", "o", sql_type).value == value


def test_a_cursor_of_every_order_of_every_list_can_be_read():
    orders = {f"{query.name} by {name}": order.sql_type for query in queries for name, order in query.orders.items()}
    assert len(orders) > 30
    assert {name: sql_type for name, sql_type in orders.items() if sql_type not in cursors._PARSERS} == {}


@pytest.mark.parametrize("selected", ["nodes { id }", "edges { node { id } }", "pageInfo { hasNextPage }", "totalCount"])
async def test_a_page_whose_cursors_nobody_selects_makes_none(demo, monkeypatch, selected):
    made = []
    monkeypatch.setattr(cursors, "_cipher", lambda: made.append(1))
    monkeypatch.setattr(Edge, "cursor", property(lambda edge: made.append(1)))
    await demo.data(f"{{ students(first: 5) {{ {selected} }} }}")
    assert made == []


async def test_a_bad_cursor_says_so_by_its_code(demo):
    answer = await demo.ask('{ students(after: "bmFtZTow", first: -1) { nodes { id } } }')
    assert answer.codes == ["BAD_USER_INPUT"]
    problems = answer.errors[0]["extensions"]["problems"]
    assert [(each["argument"], each.get("code")) for each in problems] == [("first", None), ("after", "BAD_CURSOR")]
