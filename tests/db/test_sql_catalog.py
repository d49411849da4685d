"""Tests the format of the SQL files: violations are refused when they are loaded, with the file and the line."""

import re
from pathlib import Path

import pytest

from db.sql_catalog import queries
from tests.db.sql_files import PAGE, load, refused

ROOT = Path(__file__).parents[2]


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
        ("  -- flter owner: n.owner = $owner", "not an option of a page"),
        ("-- Filter open: n.is_open = $open", "Filter in front of a colon is written in lower case"),
        ("-- Page: letters", "Page in front of a colon is written in lower case"),
        ("-- filter open: n.is_open = $open) OR (true", "brackets that do not match"),
        ("-- filter open: n.is_open = $open -- and more", "has a comment in its SQL"),
        ("-- filter open: n.is_open = $open -- More", "has a comment in its SQL"),
        ("-- FILTER open: n.is_open = $open", "FILTER in front of a colon is written in lower case"),
        ("-- Filters open: n.is_open = $open", "Filter in front of a colon is written in lower case"),
        ("\t-- filter open: n.is_open = $open", "not an option of a page"),
        ("--\tpage: letters", "not an option of a page"),
        ("-- public:  ", "not an option of a page"),
        ("-- filter open: n.is_open = $opened", "does not use its parameter $open"),
        ("-- filter open: n.is_open = '$open'", "does not use its parameter $open"),
        ("-- filter open: n.is_open = $open OR n.size > $size", "uses $size, which nothing fills"),
        ("-- filter open: n.is_open = $open AND @visible(notes)", "not written as `@visible(noun alias)`"),
        ("-- filter open: n.is_open = $open;", "a semicolon"),
        ("-- filter open: n.is_open = 'yes AND $open", "a quote is not closed"),
        ("-- per author: n.owner = $parents", "does not use $parent"),
        ("-- per author: n.owner = $parent AND n.size = $parent_size", "uses $parent_size, which nothing fills"),
        ("-- flag open: n.is_open = $open", "uses $open, which nothing fills"),
        ("-- flag open: CASE WHEN n.is_open THEN n.a ELSE n.b END", "has CASE outside brackets"),
        ("-- order size integer: n.size DESC", "must be one expression"),
        ("-- order size integer: n.size, n.title", "must be one expression"),
        ("-- by open boolean: n.is_open OR n.is_read", "must be one expression"),
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


@pytest.mark.parametrize("header", ["name: note", "visible: note n", "record: note"])
def test_other_entries_have_no_options(tmp_path, header):
    kind = header.partition(":")[0]
    assert f"not an option of a {kind}" in refused(tmp_path, f"-- {header}\n-- A note.\nid\n-- filter owner: owner = $owner\n")


@pytest.mark.parametrize("text", ["-- nmae: note\n-- A note.\nSELECT 1\n", "SELECT 1\n"])
def test_what_stands_before_the_first_entry_is_refused_unless_it_is_prose(tmp_path, text):
    assert refused(tmp_path, text + PAGE).startswith("notes.sql:1: stands before the first entry")
    load(tmp_path, "-- Notes are one's own.\n\n" + PAGE)


@pytest.mark.parametrize("header", ["name: two words", "visible: notes", "record: notes n", "page: Notes"])
def test_a_header_has_a_name_as_its_kind_needs_it(tmp_path, header):
    assert "is not a name of a" in refused(tmp_path, f"-- {header}\n-- A note.\nid\n")


def test_an_entry_has_sql_whose_brackets_match(tmp_path):
    assert "has no SQL" in refused(tmp_path, "-- name: note\n-- A note.\n")
    assert "brackets that do not match" in refused(tmp_path, "-- visible: notes n\n-- One's own.\nn.owner = $reach_me) OR (true\n")


def test_a_page_has_one_from_and_one_where_that_begin_a_line(tmp_path):
    text = PAGE.replace("SELECT n.id", "SELECT (SELECT 1\nFROM owners o), n.id")
    assert "needs one FROM and one WHERE" in refused(tmp_path, text)


@pytest.mark.parametrize("header", ["name: note", "visible: note n", "record: note"])
def test_two_entries_of_one_name_are_refused(tmp_path, header):
    assert "is called note already" in refused(tmp_path, f"-- {header}\n-- A.\nid\n\n-- {header}\n-- B.\nid\n")


def test_no_query_is_called_as_the_catalog_itself_calls_something(tmp_path):
    assert "is called records already" in refused(tmp_path, "-- name: records\n-- A.\nSELECT 1\n")


def test_every_query_is_found_by_a_search_for_its_name():
    """Checks that the code names each query literally, as in `queries.lock_student`, and that no query is unused."""
    rooms = ("auth", "caching", "db", "exports", "files", "health", "imports", "jobs", "mail", "monitoring", "resolvers", "schema")
    files = [path for room in rooms for path in (ROOT / room).rglob("*.py")]
    named = {name for path in files for name in re.findall(r"\bqueries\.([a-z_0-9]+)", path.read_text())}
    assert len(named) > 100
    assert not {query.name for query in queries} - named
    assert not [path for path in files if re.search(r"getattr\(queries\b", path.read_text())]


def test_every_file_says_where_its_format_is_described():
    for path in (ROOT / "db/sql").glob("*.sql"):
        assert path.read_text().startswith("-- The format of this file: README.md in this folder.\n"), path.name


def test_an_entry_says_what_it_is_for(tmp_path):
    assert "must say in its second line what it is for" in refused(tmp_path, "-- name: note\nSELECT 1\n")
