"""Tests what a noun declares of its table: its columns, the personal ones, and the messages of its constraints."""

import re
from pathlib import Path

import pytest

from db.personal_data import Column, PersonPath, Retention, Step
from db.sql_entries import read_entries
from tests.db.sql_files import PAGE, TABLE, load, refused

ROOT = Path(__file__).parents[2]


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


def test_a_nouns_writable_columns_stand_in_the_file_that_reads_the_noun():
    """Checks that each `record` is in the file of a page or statement that reads its table."""
    for path in (ROOT / "db/sql").glob("*.sql"):
        entries = list(read_entries(path))
        read = " ".join(each.sql for each in entries if each.kind not in ("visible", "record"))
        for each in entries:
            assert each.kind != "record" or re.search(rf"\b(FROM|JOIN|INTO|UPDATE) {each.title}\b", read), f"{each.title} in {path.name}"


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
