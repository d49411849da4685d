"""Tests the format of the SQL files: violations are refused when they are loaded, with the file and the line."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.personal_data import Column, PersonPath, Retention, Step
from db.sql_catalog import Queries, queries
from db.sql_entries import read_entries
from db.sql_lexer import split_columns, substitute, without_comments

ROOT = Path(__file__).parents[2]

TABLE = """-- table: notes
-- What somebody wrote down.
is_open
-- personal identity user: title (free text); owner; 1 year after leaving

"""
PAGE = (
    TABLE
    + """-- visible: notes n
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
)


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


@pytest.mark.parametrize("columns", ["id, title", "id title id"])
def test_a_record_lists_columns_once_each_by_their_names(tmp_path, columns):
    assert "columns that are no names, or that are given twice" in refused(tmp_path, f"-- record: notes\n-- A note.\n{columns}\n")
    assert load(tmp_path, TABLE + "-- record: notes\n-- A note.\nid\n title\n").records["notes"].columns == ("id", "title")


@pytest.mark.parametrize("entry", [PAGE.removeprefix(TABLE), "-- record: notes\n-- A note.\ntitle\n"])
def test_a_noun_is_refused_unless_its_table_says_which_columns_are_personal(tmp_path, entry):
    message = refused(tmp_path, entry)
    assert "no entry `-- table: notes` says which columns of notes are personal data" in message
    assert message.startswith(f"notes.sql:{1 + entry[: entry.index('-- page' if '-- page' in entry else '-- record')].count(chr(10))}: ")
    load(tmp_path, TABLE + entry)


def test_a_column_that_is_written_is_refused_unless_it_is_declared(tmp_path):
    message = refused(tmp_path, TABLE + "-- record: notes\n-- A note.\ntitle colour shape\n")
    assert message.startswith("notes.sql:6: ")
    assert "does not say whether these columns are personal data: colour, shape" in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "must say which of its columns are personal data, or why none is"),
        ("-- personal: none", "says `personal: none – why`"),
        ("-- personal: none – they are public\n-- personal identity user: title; owner; 1 year after leaving", "must say which"),
        ("-- personal identity: title; owner; 1 year after leaving", "needs a category and a person"),
        ("-- personal: title; owner; 1 year after leaving", "needs a category and a person"),
        ("-- personel identity user: title; owner; 1 year after leaving", "not an option of a table"),
        ("-- Personal identity user: title; owner; 1 year after leaving", "Personal in front of a colon is written in lower case"),
        ("-- personal idntity user: title; owner; 1 year after leaving", "idntity is not a category (identity, contact, "),
        ("-- personal identity parent: title; owner; 1 year after leaving", "parent is not a kind of person (student, guardian, "),
        ("-- personal identity user: title; owner", "separated by semicolons"),
        ("-- personal identity user: title, title; owner; 1 year after leaving", "names of columns, each once"),
        ("-- personal identity user: title (text); owner; 1 year after leaving", "names of columns, each once"),
        ("-- personal identity user: title, is_open; owner; 1 year after leaving", "are also personal: is_open"),
        ("-- personal identity user: title; owner > users.id; 1 year after leaving", "a path is `column -> table.column"),
        ("-- personal identity user: title; owner -> users; 1 year after leaving", "a path is `column -> table.column"),
        ("-- personal identity user: title; owner -> owners.id; 1 year after leaving", "no table is declared with what the path"),
        ("-- personal identity user: title; owner -> notes.colour; 1 year after leaving", "no table is declared with what the path"),
        ("-- personal identity user: title; owner -> (kind); 1 year after leaving", "names a column that notes does not have"),
        ("-- personal identity user: title; owner; for ever", "a retention is `10 years after leaving`"),
        ("-- personal identity user: title; owner; 0 years after leaving", "a retention is `10 years after leaving`"),
        ("-- personal identity user: title; owner; 1 year after closing", "a retention begins with a column of notes or with leaving"),
    ],
)
def test_a_declaration_that_is_not_whole_is_refused(tmp_path, line, said):
    declaration = f"-- table: notes\n-- What somebody wrote down.\nis_open\n{line}\n"
    message = refused(tmp_path, f"-- A first line.\n{declaration}")
    assert said in message
    assert message.startswith(("notes.sql:2: ", "notes.sql:5: "))


def test_a_declaration_is_read_into_its_parts(tmp_path):
    text = """-- table: notes
-- What somebody wrote down.
is_open
-- personal identity user: title (free text), facts (JSON); box -> boxes[code].owner; 30 days after closed_at, enforced
-- personal technical staff: closed_at; untraceable: nobody signs; while the record exists

-- table: boxes
-- Where notes are.
code
-- personal identity user: owner; owner; 1 year after leaving
"""
    table = load(tmp_path, text).tables["notes"]
    assert table.other == ("is_open",)
    first, second = table.personal
    assert (first.category, first.person) == ("identity", "user")
    assert first.columns == (Column("title", "free text"), Column("facts", "JSON"))
    assert first.path == PersonPath("box", (Step("boxes", "code", "owner"),))
    assert first.retention == Retention(30, "day", "closed_at", enforced=True)
    assert second.path.untraceable == "nobody signs"
    assert second.retention.count == 0
    reason = load(tmp_path, "-- table: notes\n-- What is on the board.\ntitle\n-- personal: none – they are about the house\n").tables[
        "notes"
    ]
    assert (reason.personal, reason.impersonal) == ((), "they are about the house")


def test_an_entry_has_sql_whose_brackets_match(tmp_path):
    assert "has no SQL" in refused(tmp_path, "-- name: note\n-- A note.\n")
    assert "brackets that do not match" in refused(tmp_path, "-- visible: notes n\n-- One's own.\nn.owner = $reach_me) OR (true\n")


def test_a_page_has_one_from_and_one_where_that_begin_a_line(tmp_path):
    text = PAGE.replace("SELECT n.id", "SELECT (SELECT 1\nFROM owners o), n.id")
    assert "needs one FROM and one WHERE" in refused(tmp_path, text)


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
    query = load(tmp_path, PAGE.replace("WHERE @visible(notes n)", "WHERE n.is_read OR n.is_open") + "-- public: no secret\n").notes
    rows = query.row_where("n.owner = $owner", None)
    condition = rows[rows.index("WHERE ") :]
    assert re.fullmatch(r"WHERE \(\nn\.is_read OR n\.is_open\n\)\n  AND n\.owner = \$owner", condition)


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("n.is_open OR @visible(notes n)", "must restrict its rows"),
        ("NOT @visible(notes n)", "must restrict its rows"),
        ("(n.is_open OR @visible(notes n)) AND n.size > 1", "must restrict its rows"),
        ("EXISTS (SELECT FROM owners o WHERE o.id = n.owner OR @visible(notes n))", "must restrict its rows"),
        ("EXISTS (SELECT FROM owners o WHERE @visible(notes n) UNION SELECT FROM owners p WHERE true)", "must restrict its rows"),
        ("n.title <> '@visible(notes n)'", "must say who sees its rows"),
        ("@visible(notes n) AND @Visible(notes n)", "not written as `@visible(noun alias)`"),
        ("@visible(notes  n)", "not written as `@visible(noun alias)`"),
    ],
)
def test_a_list_is_restricted_by_its_rule_whatever_else_its_condition_says(tmp_path, where, said):
    assert said in refused(tmp_path, PAGE.replace("@visible(notes n)", where))


@pytest.mark.parametrize(
    "where",
    [
        "n.is_open AND @visible(notes n)",
        "(@visible(notes n)) AND (n.is_open OR n.is_read)",
        "EXISTS (SELECT FROM owners o WHERE o.id = n.owner AND @visible(notes n))",
        "n.title IS NOT DISTINCT FROM 'OR' AND @visible(notes n)",
    ],
)
def test_a_rule_may_be_joined_to_other_conditions(tmp_path, where):
    assert load(tmp_path, PAGE.replace("@visible(notes n)", where)).notes


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("SELECT n.id", "SELECT DISTINCT n.id", "has DISTINCT outside brackets"),
        ("SELECT n.id, n.title", "SELECT n.id, n.title FROM secrets n UNION SELECT n.id, n.title", "needs one FROM"),
        ("@visible(notes n)", "@visible(notes n)\nGROUP BY n.id", "has GROUP outside brackets"),
        ("@visible(notes n)", "@visible(notes n)\nORDER BY n.id", "has ORDER outside brackets"),
        ("@visible(notes n)", "@visible(notes n)\nLIMIT 5", "has LIMIT outside brackets"),
        ("SELECT n.id", "WITH a AS (SELECT 1) SELECT n.id", "must be one SELECT"),
        ("SELECT n.id, n.title", "SELECT n.title", "needs a column id"),
        ("SELECT n.id, n.title", "SELECT n.*", "needs a column id"),
        ("SELECT n.id, n.title", "SELECT n.id, count(*)", "a name in small letters"),
        ("SELECT n.id, n.title", 'SELECT n.id, n.title AS "Title"', "a name in small letters"),
        ("SELECT n.id, n.title", "SELECT n.id, n.title, n.other AS title", "each once"),
    ],
)
def test_a_list_has_nothing_that_paging_and_counting_would_misread(tmp_path, old, new, said):
    message = refused(tmp_path, PAGE.replace(old, new))
    assert said in message


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


def test_a_flags_else_is_looked_for_outside_brackets_and_literals(tmp_path):
    line = "-- flag open: n.title = 'a ELSE b' AND (CASE WHEN n.a THEN n.b ELSE n.c END) ELSE n.is_read\n"
    filters = load(tmp_path, PAGE + line).notes.filters
    assert filters["open=true"] == "n.title = 'a ELSE b' AND (CASE WHEN n.a THEN n.b ELSE n.c END)"
    assert filters["open=false"] == "n.is_read"


def test_line_ends_of_windows_change_nothing(tmp_path):
    (tmp_path / "notes.sql").write_bytes(PAGE.replace("\n", "\r\n").encode())
    assert Queries(tmp_path).notes.body == load(tmp_path, PAGE).notes.body


def test_a_visibility_rule_uses_the_viewers_visible_ids_alone(tmp_path):
    assert "uses $me, which nothing fills" in refused(tmp_path, PAGE.replace("ANY($reach_users::uuid[])", "$me"))


def test_visibility_rules_stand_on_one_page():
    entries = [each for path in (ROOT / "db/sql").glob("*.sql") for each in read_entries(path)]
    assert {each.path.name for each in entries if each.kind == "visible"} == {"visibility.sql"}


def test_a_rule_that_nobody_wrote_is_refused(tmp_path):
    assert "no visibility rule is called nots" in refused(tmp_path, PAGE.replace("@visible(notes n)", "@visible(nots n)"))


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


def test_a_nouns_writable_columns_stand_in_the_file_that_reads_the_noun():
    """Checks that each `record` is in the file of a page or statement that reads its table."""
    for path in (ROOT / "db/sql").glob("*.sql"):
        entries = list(read_entries(path))
        read = " ".join(each.sql for each in entries if each.kind not in ("visible", "record"))
        for each in entries:
            assert each.kind != "record" or re.search(rf"\b(FROM|JOIN|INTO|UPDATE) {each.title}\b", read), f"{each.title} in {path.name}"


def test_every_file_says_where_its_format_is_described():
    for path in (ROOT / "db/sql").glob("*.sql"):
        assert path.read_text().startswith("-- The format of this file: README.md in this folder.\n"), path.name


def test_an_entry_says_what_it_is_for(tmp_path):
    assert "must say in its second line what it is for" in refused(tmp_path, "-- name: note\nSELECT 1\n")


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


RECORD = """-- record: notes
-- Notes.
title body
-- constraint notes_title_check: INVALID title Must have a title.
-- constraint notes_owner_key: TAKEN - You have a note already.
"""


def test_a_record_states_what_is_answered_when_its_constraints_are_broken(tmp_path):
    table = "-- table: notes\n-- What somebody wrote down.\ntitle owner id body\n-- personal: none – an example\n\n"
    assert load(tmp_path, table + RECORD).constraints == {
        "notes_title_check": ("INVALID", "title", "Must have a title."),
        "notes_owner_key": ("TAKEN", None, "You have a note already."),
    }


@pytest.mark.parametrize(
    "line",
    [
        "-- constraint notes_body_check: invalid body Must have a text.",
        "-- constraint notes_body_check: INVALID Must have a text.",
        "-- constraint notes_body_check: INVALID body",
        "-- constraint letters_body_check: INVALID body Must have a text.",
    ],
)
def test_a_constraint_needs_its_table_a_code_a_field_and_a_message(tmp_path, line):
    assert "must be a constraint of notes" in refused(tmp_path, f"{RECORD}{line}\n")


def test_a_rule_states_the_roles_that_see_all_rows(tmp_path):
    queries = load(tmp_path, PAGE.replace("($reach_users::uuid[])\n", "($reach_users::uuid[])\n-- unrestricted: ADMIN BURSAR\n"))
    assert queries.visibility_rules["notes"].unrestricted == {"ADMIN", "BURSAR"}
    assert queries.visibility_rules["notes"].purpose == "One's own."


def test_every_role_of_a_rule_is_a_role_and_administrators_see_everything():
    roles = {role for rule in queries.visibility_rules.values() for role in rule.unrestricted}
    assert roles <= {"ADMIN", "BURSAR", "TEACHER", "STUDENT", "GUARDIAN"}
    assert all("ADMIN" in rule.unrestricted for rule in queries.visibility_rules.values())
