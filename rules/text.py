"""Text that people read, as it is taken in: no invisible or reordering characters, none that Unicode has not assigned, one normal form.

Whatever a text holds, the work on it grows with its length alone: clients choose both. Sources: UTS #55 and CVE-2021-42574 (bidirectional controls), UAX #31 (default ignorable code points), UAX #15 (NFC, Stream-Safe Text).
"""

import re
import unicodedata
from collections.abc import Iterable

__all__ = ["LONGEST", "normal_text", "storable_problem", "text_problem"]

# No column keeps more than 2,000 characters, and no character is typed in more than four (a Greek letter with three accents).
LONGEST = 4 * 2_000
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Persian, Indic scripts, Mongolian and emoji need them inside a word; nothing is ever seen of them alone.
_JOINERS = frozenset("\u180e\u200c\u200d")
# Format characters that are drawn: number signs of Arabic, Syriac and Kaithi, which enclose the digits behind them.
_DRAWN_FORMATS = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd")
# Letters and marks that are never drawn: fillers of Hangul, inherent vowels of Khmer, the grapheme joiner.
_NEVER_DRAWN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
# Drawn as nothing, and meant so where they belong: the empty braille pattern, an empty note.
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
# Unicode's Stream-Safe Text Format: no language needs more, and the time to put a run in order grows with its square.
_MOST_COMBINING = 30
# Every character that may be assigned is below, but for tags and variation selectors (the test of this module looks at all of them).
_SCANNED = 0x34000
_TAGS = range(0xE0000, 0xE0100)
# Of no combining class themselves, they are normalised to characters that have one.
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


# `str.translate` and `str.strip` look at a character in some nanoseconds; a loop in Python takes some hundred.
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
    """Why a text cannot be taken in, as a sentence for the client; None for one that can. `text` is a `normal_text`; an empty one is fine."""
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
    """Why a text cannot even be compared with what the database holds; None for one that can. For texts that are looked for, and not kept."""
    unworkable = _unworkable(text)
    if unworkable is not None:
        return f"must not {unworkable}"
    found = _UNSTORABLE.search(text)
    return None if found is None else f"must not have the character U+{ord(found[0]):04X} (position {found.end()})"


def _unworkable(text: str) -> str | None:
    """Why a text is not even normalised, as what it must not do."""
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
