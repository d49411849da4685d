"""The format of the statements' files: what does not follow it is refused at load, with the file and the line."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.sql_catalog import Queries
from db.sql_lexer import split_columns, substitute, without_comments

PAGE = """-- visible: notes n
-- One's own.
n.owner = ANY($reach_users::uuid[])

-- page: notes
-- Notes, by title.
SELECT n.id, n.title
FROM notes n
WHERE @visible(notes n)
-- key: n.id
-- order title text: n.title
-- filter owner: n.owner = $owner
-- per owner: n.owner = $parent
-- by id uuid: n.id
"""


def load(folder, text):
    (folder / "notes.sql").write_text(text)
    return Queries(folder)


def refused(folder, text):
    with pytest.raises(ValueError, match=r"notes\.sql:\d+: ") as error:
        load(folder, text)
    return str(error.value)


def test_the_example_loads(tmp_path):
    queries = load(tmp_path, PAGE)
    assert queries.notes.filters == {"owner": "n.owner = $owner"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-- flter owner: n.owner = $owner", "not an option of a page"),
        ("-- filter: n.owner = $owner", "filter needs a name"),
        ("-- filter user: n.owner = $owner", "does not use its parameter $user"),
        ("-- per author: n.owner = $owner", "does not use $parent"),
        ("-- order title: n.title", "order needs an SQL type"),
        ("-- key id: n.id", "key has no name"),
        ("-- group owner: n.owner AS owner", "not an option of a page"),
        ("-- key: n.other", "given twice"),
        ("-- a remark that looks like an option", "comments begin with a capital letter"),
    ],
)
def test_a_line_that_is_no_option_is_refused_with_its_place(tmp_path, line, said):
    message = refused(tmp_path, PAGE + line + "\n")
    assert said in message
    assert message.startswith(f"notes.sql:{PAGE.count(chr(10)) + 1}: ")


@pytest.mark.parametrize("missing", ["-- key: n.id\n", "-- order title text: n.title\n"])
def test_a_page_needs_a_key_and_an_order(tmp_path, missing):
    assert "needs a key and an order" in refused(tmp_path, PAGE.replace(missing, ""))


def test_an_order_that_needs_a_filter_that_is_not_there_is_refused(tmp_path):
    assert "needs a filter" in refused(tmp_path, PAGE + "-- order size integer needs box_ids: n.size\n")


def test_a_statement_has_no_options(tmp_path):
    assert "not an option of a name" in refused(tmp_path, "-- name: note\n-- A note.\nSELECT 1\n-- filter owner: owner = $owner\n")


@pytest.mark.parametrize("kind", ["page", "totals"])
def test_a_list_says_who_sees_its_rows(tmp_path, kind):
    head = "SELECT\n    count(*) AS total" if kind == "totals" else "SELECT n.id, n.title"
    options = "-- group owner: n.owner AS owner" if kind == "totals" else "-- key: n.id\n-- order title text: n.title"
    rule = PAGE[: PAGE.index("-- page")]
    entry = f"{rule}-- {kind}: list\n-- A list.\n{head}\nFROM notes n\nWHERE {{where}}\n{options}\n"
    assert "must say who sees its rows" in refused(tmp_path, entry.format(where="true"))
    assert "must say who sees its rows" in refused(tmp_path, entry.format(where="@visible(notes n)") + "-- public: no secret\n")
    load(tmp_path, entry.format(where="@visible(notes n)"))
    assert load(tmp_path, entry.format(where="true") + "-- public: no secret\n").list.public == "no secret"


def test_a_rule_among_the_columns_alone_does_not_count(tmp_path):
    text = PAGE.replace("SELECT n.id, n.title", "SELECT n.id, n.title, @visible(notes n) AS mine").replace(
        "WHERE @visible(notes n)", "WHERE true"
    )
    assert "must say who sees its rows" in refused(tmp_path, text)


def test_an_or_in_the_condition_does_not_detach_the_filters(tmp_path):
    query = load(tmp_path, PAGE.replace("WHERE @visible(notes n)", "WHERE @visible(notes n) OR n.is_open")).notes
    rows = query.row_where("n.owner = $owner", None)
    condition = rows[rows.index("WHERE ") :]
    assert re.fullmatch(r"WHERE \(\n.* OR n\.is_open\n\)\n  AND n\.owner = \$owner", condition)


def test_a_rule_that_nobody_wrote_is_refused(tmp_path):
    assert "no visibility rule is called nots" in refused(tmp_path, PAGE.replace("@visible(notes n)", "@visible(nots n)"))


def test_two_statements_of_one_name_are_refused(tmp_path):
    assert "another statement is called note already" in refused(
        tmp_path, "-- name: note\n-- A.\nSELECT 1\n\n-- name: note\n-- B.\nSELECT 2\n"
    )


def test_an_entry_says_what_it_is_for(tmp_path):
    assert "must say in its second line what it is for" in refused(tmp_path, "-- name: note\nSELECT 1\n")


def test_commas_in_literals_names_and_brackets_split_no_column():
    columns = """n.id, 'a, b' AS joined, "odd, name" AS odd, concat(n.a, ',', n.b) AS both, ARRAY[1, 2] AS list, E'it\\'s, so' AS quoted"""
    assert [each.rsplit(" ", 1)[-1] for each in split_columns(columns)] == ["n.id", "joined", "odd", "both", "list", "quoted"]


def test_a_comment_and_what_looks_like_one_in_a_literal_are_told_apart():
    assert (
        without_comments("SELECT '-- no comment' AS a, -- a comment, with a comma\n/* 'and\nanother' */\n    b")
        == "SELECT '-- no comment' AS a,\n    b"
    )


def test_a_parameter_in_a_literal_is_text():
    assert substitute(re.compile(r"\$[a-z]+"), lambda _: "$1", "SELECT '$price', $price -- $price") == "SELECT '$price', $1 -- $price"


_PIECES = st.sampled_from(["n.a", "'x, y'", '"q,r"', "f(a, 'b', (c, d))", "''''", "E'\\','", "ARRAY[1, 2]", "$$a, b$$"])


@given(st.lists(_PIECES, min_size=1, max_size=8))
def test_columns_that_are_joined_are_split_again(pieces):
    assert split_columns(", ".join(pieces)) == pieces
