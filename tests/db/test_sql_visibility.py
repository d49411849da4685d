"""Tests that a list is restricted by its visibility rule whatever else its condition says, and is what paging can read."""

import re
from pathlib import Path

import pytest

from db.sql_catalog import queries
from db.sql_entries import read_entries
from tests.db.sql_files import PAGE, load, refused

ROOT = Path(__file__).parents[2]


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


def test_a_flags_else_is_looked_for_outside_brackets_and_literals(tmp_path):
    line = "-- flag open: n.title = 'a ELSE b' AND (CASE WHEN n.a THEN n.b ELSE n.c END) ELSE n.is_read\n"
    filters = load(tmp_path, PAGE + line).notes.filters
    assert filters["open=true"] == "n.title = 'a ELSE b' AND (CASE WHEN n.a THEN n.b ELSE n.c END)"
    assert filters["open=false"] == "n.is_read"


def test_a_visibility_rule_uses_the_viewers_visible_ids_alone(tmp_path):
    assert "uses $me, which nothing fills" in refused(tmp_path, PAGE.replace("ANY($reach_users::uuid[])", "$me"))


def test_visibility_rules_stand_on_one_page():
    entries = [each for path in (ROOT / "db/sql").glob("*.sql") for each in read_entries(path)]
    assert {each.path.name for each in entries if each.kind == "visible"} == {"visibility.sql"}


def test_a_rule_that_nobody_wrote_is_refused(tmp_path):
    assert "no visibility rule is called nots" in refused(tmp_path, PAGE.replace("@visible(notes n)", "@visible(nots n)"))


def test_a_rule_states_the_roles_that_see_all_rows(tmp_path):
    queries = load(tmp_path, PAGE.replace("($reach_users::uuid[])\n", "($reach_users::uuid[])\n-- unrestricted: ADMIN BURSAR\n"))
    assert queries.visibility_rules["notes"].unrestricted == {"ADMIN", "BURSAR"}
    assert queries.visibility_rules["notes"].purpose == "One's own."


def test_every_role_of_a_rule_is_a_role_and_administrators_see_everything():
    roles = {role for rule in queries.visibility_rules.values() for role in rule.unrestricted}
    assert roles <= {"ADMIN", "BURSAR", "TEACHER", "STUDENT", "GUARDIAN"}
    assert all("ADMIN" in rule.unrestricted for rule in queries.visibility_rules.values())
