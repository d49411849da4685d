"""Names are folded in one way, whichever characters they are typed with (fold_name, name_words, word_starts)."""

import sys
import unicodedata

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

SAME = [
    ["Amélie", "Ame\u0301lie", "AMELIE", "amelie"],
    ["O'Brien", "O’Brien", "O‘Brien", "Oʼbrien", "O´Brien", "O`Brien", "O＇Brien", "O′Brien", "OBRIEN"],
    ["STRAẞE", "Straße", "strasse"],
    ["Müller-Lüdenscheidt", "Muller–Ludenscheidt", "MÜLLER\u2011LÜDENSCHEIDT", "müller lüdenscheidt", "Mu\u0308ller — Ludenscheidt"],
    ["Sørensen", "SØRENSEN", "Sorensen"],
    ["Łukasz Dąbrowski", "lukasz dabrowski"],
    ["Đặng Thị", "dang thi"],
    ["İbrahim Yıldız", "IBRAHIM YILDIZ", "ibrahim yildiz"],
    ["Æsir Þór Œuvre", "aesir thor oeuvre"],
    ["Gal·la", "Galla"],
    ["ﬁona ﬂynn", "Fiona Flynn"],
    ["ＡＮＮＡ　ＡＢＤＩ", "Anna Abdi"],
    ["Abdi, Anna", " abdi  anna ", "Abdi\u00a0Anna", "Abdi\tAnna"],
    ["St. John", "St John"],
    ["Ёлкина", "елкина", "ЕЛКИНА"],
    ["Андрей", "Андреи\u0306", "АНДРЕЙ", "андреи"],
    ["Οδυσσεύς", "ΟΔΥΣΣΕΥΣ", "οδυσσευσ"],
    ["مُحَمَّد", "محمد", "ﻣﺤﻤﺪ", "محـمد"],
    ["أحمد", "احمد"],
    ["علی\u200cرضا", "عليرضا"],
    ["יוֹסֵף", "יוסף"],
    ["ﾊﾞﾗ", "バラ"],
    ["ԱՆԻ", "անի"],
    ["Ann\u00ada", "An\u200bna", "Anna"],
]
EVERY = [character for character in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(character) not in ("Cc", "Cs", "Cn", "Co")]
TEXTS = st.text(st.one_of(st.characters(codec="utf-8", exclude_characters="\0"), st.sampled_from("aÉßİıς’´'-. ـًй\u0301")), max_size=12)


@pytest.fixture(scope="module")
def connection(databases):
    url = databases.clone("empty", "folding")
    with psycopg.connect(url, autocommit=True) as opened:
        yield opened
    databases.drop("folding")


def folds(connection, texts):
    query = "SELECT array_agg(fold_name(t) ORDER BY n) FROM unnest(%s::text[]) WITH ORDINALITY AS u (t, n)"
    return connection.execute(query, [list(texts)]).fetchone()[0]


@pytest.mark.parametrize("spellings", SAME, ids=lambda spellings: spellings[0])
def test_spellings_of_one_name_are_folded_to_one(connection, spellings):
    assert len(set(folds(connection, spellings))) == 1


def test_names_that_differ_stay_apart(connection):
    names = ["Anna", "Ana", "Han Na", "Hanna", "ハ", "パ", "Иван", "Ян", "محمد", "محمود", "C#", "C++", "王", "汪"]
    assert len(set(folds(connection, names))) == len(names)


def test_every_letter_is_folded_like_its_capital_and_its_decompositions(connection):
    """The list of capitals in fold_name is complete, for every character of Unicode."""
    once = folds(connection, EVERY)
    assert folds(connection, once) == once
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert folds(connection, [unicodedata.normalize(form, each) for each in EVERY]) == once, form
    letters = [(each, fold) for each, fold in zip(EVERY, once, strict=True) if unicodedata.category(each)[0] == "L"]
    for case in (str.upper, str.lower):
        cased = [(each, case(each), fold) for each, fold in letters if len(case(each)) == 1]
        others = folds(connection, [other for _, other, _ in cased])
        assert [each for (each, _, fold), other in zip(cased, others, strict=True) if fold != other] == []


@given(TEXTS)
def test_folding_is_idempotent_and_equal_for_equivalent_texts(connection, text):
    forms = [text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC", "NFKD"))]
    (fold,) = set(folds(connection, forms))
    assert folds(connection, [fold]) == [fold]
    assert "  " not in fold
    assert fold == fold.strip(" ")
    assert not set(fold) & set("'\"\\")


@given(TEXTS, TEXTS, st.integers(0, 12))
def test_beginnings_of_a_names_words_in_any_order_are_found(connection, first, last, length):
    words = [*folds(connection, [first])[0].split(" "), *folds(connection, [last])[0].split(" ")]
    for typed in (words, words[::-1], [word[: max(1, length)] for word in words]):
        text = " ".join(filter(None, typed))
        found = connection.execute("SELECT name_words(%s || ' ' || %s) @@ word_starts(fold_name(%s))", [first, last, text]).fetchone()[0]
        # A text without a visible character asks for nothing.
        assert found is (True if folds(connection, [text])[0] else None)


@given(TEXTS, st.integers(0, 12))
def test_the_fold_of_a_names_beginning_begins_its_fold(connection, text, length):
    """A beginning that ends before a combining mark, too."""
    whole, beginning = folds(connection, [text, unicodedata.normalize("NFKD", text)[:length]])
    assert whole.startswith(beginning)


@pytest.mark.parametrize("name", ["O'Brien", "O’Brien", "O´Brien", "D`Angelo", "L‘Estrange"])
def test_what_follows_an_apostrophe_is_a_word_as_well(connection, name):
    words = connection.execute("SELECT tsvector_to_array(name_words(%s))", [name]).fetchone()[0]
    assert folds(connection, [name[0], name[2:], name[0] + name[2:]]) == sorted(words, key=lambda word: (len(word), word)), words
