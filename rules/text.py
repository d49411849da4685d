"""Normalises and validates text input: no invisible, reordering or unassigned characters, one normal form.

The running time is linear in the length of a text, whatever it contains: clients choose both. Sources: UTS #55 and CVE-2021-42574 (bidirectional
controls), UAX #31 (default ignorable code points), UAX #15 (NFC, Stream-Safe Text).
"""

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["LONGEST", "normal_text", "storable_problem", "text_problem"]

# No column stores more than 5,000 characters, and no character is typed as more than four code points (a Greek letter with three accents).
LONGEST = 4 * 5_000
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Persian, Indic scripts, Mongolian and emoji need them inside a word. Alone they are invisible.
_JOINERS = frozenset("\u180e\u200c\u200d")
# Visible format characters: number signs of Arabic, Syriac and Kaithi, which enclose the digits that follow.
_DRAWN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Letters and marks that are never visible: Hangul fillers, inherent vowels of Khmer, the combining grapheme joiner.
_NEVER_DRAWN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Legitimately blank symbols: the empty braille pattern, the musical symbol null notehead.
_BLANK = frozenset("\u2800\U0001d159")
_MOST_MARKS = 10
_WRONG_CATEGORIES = {
    "Cc": "is a control character",
    "Cf": "is invisible",
    "Cn": "is not assigned in Unicode",
    "Co": "is for private use",
    "Cs": "is half a character",
    "Zl": "is a line separator",
    "Zp": "is a paragraph separator",
}
# Unicode's Stream-Safe Text Format. No language needs more, and the time to reorder a run grows quadratically.
_MOST_COMBINING = 30
# All assigned characters except tags and variation selectors are below this (a test checks all of them).
_SCANNED = 0x34000
_TAGS = range(0xE0000, 0xE0100)
# Characters without a combining class that normalise to characters with one.
_ALSO_COMBINING = "\u0f73\u0f75\u0f81\uff9e\uff9f"


def _class_of(characters: Iterable[str]) -> str:
    """Returns a class for a regular expression: ranges of characters."""
    ranges: list[list[int]] = []
    for number in sorted(map(ord, characters)):
        if ranges and number == ranges[-1][1] + 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return "[" + "".join(f"{re.escape(chr(first))}-{re.escape(chr(last))}" for first, last in ranges) + "]"


def _kinds() -> str:
    """Returns a letter for each character, by code point: `v` visible, `m` mark, `o` other, `n` and `t` line break and tab, `x` refused."""
    of = dict.fromkeys(_WRONG_CATEGORIES, "x") | {"Mn": "m", "Me": "m", "Mc": "o", "Zs": "o"}
    kinds = [of.get(category, "v") for category in map(unicodedata.category, map(chr, range(_SCANNED)))]
    for kind, characters in (("x", _BIDI | _NEVER_DRAWN), ("o", _JOINERS | _DRAWN_FORMATS | _BLANK), ("n", "\n"), ("t", "\t")):
        for character in characters:
            kinds[ord(character)] = kind
    return "".join(kinds)


# `str.translate` and `str.strip` take a few nanoseconds for each character; a loop in Python takes hundreds.
_KINDS = _kinds()
_UNSEEN = "".join(
    character
    for character in map(chr, (*range(0x20000), *_TAGS))
    if character.isspace()
    or character in _BIDI
    or character in _NEVER_DRAWN
    or (unicodedata.category(character) == "Cf" and character not in _DRAWN_FORMATS)
)
_COMBINING = re.compile(_class_of([*_ALSO_COMBINING, *filter(unicodedata.combining, map(chr, range(0x300, 0x20000)))]) + "+")
# Variation selectors of ideographs are marks too.
_MARK = "[m\U000e0100-\U000e01ef]"
_TOO_MANY_MARKS = f"{_MARK}{{{_MOST_MARKS + 1}}}"
_REFUSED = re.compile(f"[^vmo\U000e0100-\U000e01ef]|{_TOO_MANY_MARKS}")
_REFUSED_IN_LINES = re.compile(f"[^vmont\U000e0100-\U000e01ef]|{_TOO_MANY_MARKS}")


def normal_text(text: str, *, multiline: bool = False) -> str:
    """Returns the text in NFC, without white space and invisible characters at either end; in a multi-line text every line break becomes LF.

    Copied telephone numbers and names often bring an invisible mark at an end, where nobody would find it. A text whose normalization might take
    long is returned as it is: `text_problem` and `storable_problem` refuse it.
    """
    if _unworkable(text) is not None:
        return text
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if multiline:
        text = _LINE_BREAKS.sub("\n", text)
    return text.strip(_UNSEEN)


def text_problem(text: str, *, multiline: bool = False) -> str | None:
    """Returns a message for the client that says why a text is not accepted, or None. `text` must be normalised by `normal_text`; it may be empty."""
    unworkable = _unworkable(text)
    if unworkable is not None:
        return f"Must not {unworkable}."
    if text.isascii() and text.isprintable():
        return None
    kinds = text.translate(_KINDS)
    found = (_REFUSED_IN_LINES if multiline else _REFUSED).search(kinds)
    if found is None:
        return None if "v" in kinds or not text else "Must have a visible character."
    if found.end() - found.start() > 1:
        return f"Must have at most {_MOST_MARKS} combining marks on one character (position {found.end()})."
    character = text[found.start()]
    if character == "\n":
        return "Must be a single line: leave out the line breaks."
    return f"Must not have the character U+{ord(character):04X} (position {found.end()}): it {_why_refused(character)}. Leave it out."


def storable_problem(text: str) -> str | None:
    """Returns why a search text cannot be compared with values in the database, or None if it can."""
    unworkable = _unworkable(text)
    if unworkable is not None:
        return f"must not {unworkable}"
    found = _UNSTORABLE.search(text)
    return None if found is None else f"must not have the character U+{ord(found[0]):04X} (position {found.end()})"


def _unworkable(text: str) -> str | None:
    """Returns why a text is too expensive to normalise, as the end of "must not …", or None if it is not."""
    if len(text) > LONGEST:
        return f"be longer than {LONGEST:,} characters"
    if not text.isascii():
        for run in _COMBINING.finditer(text):
            if run.end() - run.start() > _MOST_COMBINING:
                return f"have more than {_MOST_COMBINING} combining marks in a row (position {run.start() + 1})"
    return None


def _why_refused(character: str) -> str:
    if character in _BIDI:
        return "changes the direction of the text around it"
    if character in _NEVER_DRAWN:
        return "is invisible"
    return _WRONG_CATEGORIES[unicodedata.category(character)]
