"""Text that is taken in: what is refused, what is stripped, and that nothing that people write in any script is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.text import normal_text, storable_problem, text_problem

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
    """Each character is looked at once: a quadratic loop would take minutes."""
    assert normal_text("\u200b" * 200_000) == ""


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
