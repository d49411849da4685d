"""Tests how SQL is split into literals, comments, brackets and columns, and that what would be misread is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.sql_catalog import Queries
from db.sql_lexer import split_columns, substitute, without_comments
from tests.db.sql_files import PAGE, load, refused


def test_commas_in_literals_names_and_brackets_split_no_column():
    columns = """n.id, 'a, b' AS joined, "odd, name" AS odd, concat(n.a, ',', n.b) AS both, ARRAY[1, 2] AS list, E'it\\'s, so' AS quoted"""
    assert [each.rsplit(" ", 1)[-1] for each in split_columns(columns)] == ["n.id", "joined", "odd", "both", "list", "quoted"]


def test_a_comment_and_what_looks_like_one_in_a_literal_are_told_apart():
    assert (
        without_comments("SELECT '-- no comment' AS a, -- A comment, with a comma\n-- 'And another.\n    b")
        == "SELECT '-- no comment' AS a,\n    b"
    )


def test_a_parameter_in_a_literal_is_text():
    assert substitute(re.compile(r"\$[a-z]+"), lambda _: "$1", "SELECT '$price', $price -- $price") == "SELECT '$price', $1 -- $price"


_PIECES = st.sampled_from(
    [
        "n.a",
        "'x, y'",
        '"q,r"',
        "f(a, 'b', (c, d))",
        "''''",
        "E'\\','",
        "ARRAY[1, 2]",
        "$$a, b$$",
        "$x$a, $$, b$x$",
        "$Q1$a, 'b$Q1$",
        "date'2026-01-01'",
        '"it\'s"',
    ]
)


@given(st.lists(_PIECES, min_size=1, max_size=8))
def test_columns_that_are_joined_are_split_again(pieces):
    assert split_columns(", ".join(pieces)) == pieces


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("@visible(notes n) /* a /* b */ OR true -- */", "a comment begins with --"),
        ("@visible(notes n)\n/*\n-- filter open: n.is_open = $open\n*/", "a comment begins with --"),
        ("@visible(notes n) AND n.title = 'open", "a quote is not closed"),
        ("@visible(notes n) AND n.title = $$open", "a dollar quote is not closed"),
        ("@visible(notes n) AND n.title = 'two\n-- filter open: n.is_open = $open\nlines'", "does not end on its line"),
        ("@visible(notes n); DELETE FROM notes", "a semicolon"),
        ("@visible(notes n) AND n.is_open = $isOpen", "a parameter has a capital letter"),
        ("@visible(notes n) -- filter open: n.is_open = $open", "an option stands on a line of its own"),
    ],
)
def test_what_the_lexer_would_read_otherwise_than_postgresql_is_refused(tmp_path, sql, said):
    message = refused(tmp_path, PAGE.replace("@visible(notes n)", sql))
    assert said in message
    assert int(message.split(":")[1]) >= PAGE[: PAGE.index("WHERE")].count("\n") + 1


def test_line_ends_of_windows_change_nothing(tmp_path):
    (tmp_path / "notes.sql").write_bytes(PAGE.replace("\n", "\r\n").encode())
    assert Queries(tmp_path).notes.body == load(tmp_path, PAGE).notes.body
