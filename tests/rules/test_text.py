"""Tests text input: what is refused, what is stripped, and that ordinary text in any script is neither."""

import re
import sys
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules.text
from rules.text import LONGEST, normal_text, storable_problem, text_problem

NAMES = [
    "Ada Lovelace", "O’Brien", "O'Brien", "Müller-Lüdenscheidt", "Nguyễn Thị Minh Khai", "José María", "Þórður", "Ólafur", "Łukasz", "İbrahim",
    "王小明", "佐藤 花子", "髙橋", "김민준", "محمد بن سلمان", "יוסף בן־דוד", "Αλέξανδρος", "Дмитрий", "आर्यन शर्मा", "தமிழ்", "ສົມຈິດ", "བཀྲ་ཤིས", "ᠮᠣᠩᠭᠣᠯ", "ᠬᠠᠨ᠎ᠠ", "ᠠ᠋ᠭ",
    "علی‌رضا", "क्‍ष", "X Æ A-12", "1a", "7b/2", "D’Angelo, Jr.", "Zoë", "ʻAkahi", "👩‍🏫", "€ 100", "葛\U000e0100城",
]  # fmt: skip
INVISIBLE = [
    "\u200b", "\u2060", "\ufeff", "\u00ad", "\u034f", "\u115f", "\u1160", "\u17b4", "\u3164", "\uffa0", "\u2061", "\u206a", "\ufff9",
    "\U000e0001", "\U000e0041", "\U0001d173",
]  # fmt: skip
BIDI = ["\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))]
WRONG = [
    "\0",
    "\x07",
    "\x1b",
    "\x7f",
    "\x85",
    "\ud800",
    "\udfff",
    "\ue000",
    "\U0010fffd",
    "\ufffe",
    "\ufdd0",
    "\U000e0fff",
    "\u0378",
    "\u2028",
    "\u2029",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_script_are_taken(name):
    taken = normal_text(f"  {name}\t")
    assert taken == unicodedata.normalize("NFC", name)
    assert text_problem(taken) is None


@pytest.mark.parametrize("character", [*INVISIBLE, *BIDI, *WRONG], ids=lambda each: f"U+{ord(each):04X}")
def test_a_character_that_nobody_sees_or_that_turns_others_round_is_refused_inside_a_text(character):
    problem = text_problem(normal_text(f"An{character}na"))
    assert problem is not None
    assert f"U+{ord(character):04X}" in problem
    assert "position 3" in problem


@pytest.mark.parametrize("character", [*INVISIBLE, *BIDI], ids=lambda each: f"U+{ord(each):04X}")
def test_what_nobody_sees_is_stripped_from_both_ends(character):
    assert normal_text(f"{character} Anna{character}{character}\u00a0") == "Anna"
    assert normal_text(character * 3) == ""


@pytest.mark.parametrize("text", ["\u2800", "\ufe0f", "\u0301", "a".translate({97: 0x1D159}), "\u200d\ufe0f\u200d"])
def test_a_text_needs_a_visible_character(text):
    assert text_problem(text) == "Must have a visible character."


def test_an_empty_text_is_for_other_rules_to_refuse():
    assert text_problem("") is None


def test_a_tower_of_accents_is_refused():
    assert text_problem("a" + "\u0301" * 10) is None
    assert "combining marks" in str(text_problem("a" + "\u0301" * 11))


def test_only_a_multiline_text_has_lines():
    text = "Main Street 1\r\n\r12345 Town\u2028Country\tX"
    assert normal_text(text, multiline=True) == "Main Street 1\n\n12345 Town\nCountry\tX"
    assert text_problem(normal_text(text, multiline=True), multiline=True) is None
    assert text_problem("one\ntwo") == "Must be a single line: leave out the line breaks."
    assert text_problem("one\ttwo") is not None


def test_a_long_text_of_nothing_is_stripped_in_no_time():
    """Checks that each character is examined once: a quadratic loop would take minutes."""
    assert normal_text("\u200b" * LONGEST) == ""


# Marks of two combining classes in turns: to put n of them in order, Python's `normalize` takes n² steps.
ALTERNATING = "\u0301\u0316"
UNWORKABLE = {
    "alternating classes at the size of a body": "a" + ALTERNATING * 65_000,
    "alternating classes in a text of a fine length": "a" + ALTERNATING * (LONGEST // 2 - 1),
    "one mark too many": "ab" + ALTERNATING * 15 + "\u0301c",
    "marks of the supplementary plane": "a" + "\U0001e8d0\U0001e944" * 16,
    "characters that are marks only when they are normalised": "\u0f73\uff9e" * 16,
    "spacing marks": "\U0001d165\U0001d166" * 16,
    "nothing but length": "\u00e9" * (LONGEST + 1),
    "nothing but length, in ASCII": "a" * (LONGEST + 1),
}


@pytest.mark.parametrize("multiline", [False, True])
@pytest.mark.parametrize("what", sorted(UNWORKABLE))
def test_a_text_that_would_take_long_is_refused_and_never_normalised(what, multiline, monkeypatch):
    text = UNWORKABLE[what]
    normalised = []
    monkeypatch.setattr(rules.text.unicodedata, "normalize", lambda _, given: normalised.append(given) or given)
    taken = normal_text(text, multiline=multiline)
    assert normalised == []
    assert taken == text
    why = "longer than 20,000 characters" if len(text) > LONGEST else "more than 30 combining marks in a row"
    assert why in str(text_problem(taken, multiline=multiline))
    assert why in str(storable_problem(taken))


def test_as_many_marks_as_any_language_needs_are_normalised():
    text = "a" + ALTERNATING * 15
    assert normal_text(text) == unicodedata.normalize("NFC", text)
    assert storable_problem(normal_text(text)) is None


def test_what_normalising_makes_too_long_is_refused_too():
    longest = "\U0001d160" * LONGEST
    assert "longer than" in str(text_problem(normal_text(longest)))
    tower = "\u0344" * 30
    assert "combining marks" in str(text_problem(normal_text(tower)))


def test_no_column_keeps_a_text_that_is_refused_for_its_length():
    """Checks a letter that takes four characters before normalization: a Greek one with three accents."""
    folder = Path(__file__).parents[2] / "migrations"
    found = [
        int(most)
        for path in folder.glob("*.sql")
        for most in re.findall(r"length\([a-z_()]+\) (?:<=|BETWEEN \d+ AND) (\d+)", path.read_text())
    ]
    assert max(found) * 4 == LONGEST
    assert normal_text("α\u0313\u0300\u0345" * 2_000) == "ᾂ" * 2_000


@pytest.mark.parametrize(
    "text",
    [
        "é" * LONGEST,
        "\U0001d400" * LONGEST,
        ("a" + ALTERNATING * 5) * (LONGEST // 11),
        ("a" + "\U000e0100" * 10) * (LONGEST // 11),
        "\u200b" * LONGEST,
    ],
    ids=["letters", "letters of the supplementary plane", "marks", "variation selectors", "invisible"],
)
def test_the_longest_text_is_looked_at_in_some_milliseconds(text):
    """Checks the time, which is three milliseconds here. A Python loop over the characters takes ten, and a quadratic one seconds."""

    def seconds():
        begun = time.process_time()
        assert text_problem(normal_text(text)) is None
        return time.process_time() - begun

    assert min(seconds() for _ in range(5)) < 0.05


def test_the_tables_know_every_character():
    """Checks this because the tables cover the characters of one Unicode version; a later Python may know more."""
    every = list(map(chr, range(sys.maxunicode + 1)))
    categories = list(map(unicodedata.category, every))
    combining = {each for each in every if unicodedata.combining(unicodedata.normalize("NFKD", each)[0])}
    assert set("".join(rules.text._COMBINING.findall("".join(every)))) ^ combining == set()
    formats = {each for each, category in zip(every, categories, strict=True) if category == "Cf"}
    unseen = set(filter(str.isspace, every)) | (formats - rules.text._DRAWN_FORMATS) | set(BIDI) | rules.text._NEVER_DRAWN
    assert set(rules.text._UNSEEN) ^ unseen == set()
    never_kept = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
    kept = {each for each, category in zip(every, categories, strict=True) if category not in never_kept} - rules.text._NEVER_DRAWN
    kinds = "".join(every).translate(rules.text._KINDS)
    found = {each for each, kind in zip(every, kinds, strict=True) if not rules.text._REFUSED.search(kind)}
    assert found ^ (kept | rules.text._JOINERS | rules.text._DRAWN_FORMATS) == set()


@given(st.text(max_size=50), st.booleans())
def test_what_is_taken_stays_as_it_is_and_can_be_kept(text, multiline):
    taken = normal_text(text, multiline=multiline)
    assert normal_text(taken, multiline=multiline) == taken
    if text_problem(taken, multiline=multiline) is not None:
        return
    assert storable_problem(taken) is None
    assert unicodedata.is_normalized("NFC", taken)
    categories = {unicodedata.category(each) for each in taken if each not in "\n\t"}
    assert not categories & {"Cc", "Cn", "Co", "Cs", "Zl", "Zp"}
    assert not set(taken) & set(BIDI)
    assert taken == "" or any(unicodedata.category(each)[0] in "LNPS" for each in taken)


@given(st.text(max_size=50))
def test_what_can_be_looked_for_is_what_postgresql_can_hold(text):
    holds = "\0" not in text and not any(0xD800 <= ord(each) < 0xE000 for each in text)
    assert (storable_problem(text) is None) == holds
