"""Text that people read, as it is taken in: no invisible or reordering characters, none that Unicode has not assigned, one normal form.

Sources: UTS #55 and CVE-2021-42574 (bidirectional controls), UAX #31 (default ignorable code points), UAX #15 (NFC).
"""

import re
import unicodedata

__all__ = ["normal_text", "storable_problem", "text_problem"]

_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
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


def normal_text(text: str, *, multiline: bool = False) -> str:
    """Returns the text in NFC, without white space and invisible characters at either end; in a multi-line text every line break becomes LF.

    Copied telephone numbers and names often bring an invisible mark at an end, where nobody would find it.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if multiline:
        text = _LINE_BREAKS.sub("\n", text)
    start, end = 0, len(text)
    while start < end and _is_unseen(text[start]):
        start += 1
    while start < end and _is_unseen(text[end - 1]):
        end -= 1
    return text[start:end]


def text_problem(text: str, *, multiline: bool = False) -> str | None:
    """Why a text cannot be taken in, as a sentence for the client; None for one that can. `text` is a `normal_text`; an empty one is fine."""
    if text.isascii() and text.isprintable():
        return None
    marks, is_visible = 0, False
    for position, character in enumerate(text, 1):
        if character == "\n" or (multiline and character == "\t"):
            if not multiline:
                return "Must be a single line: leave out the line breaks."
            continue
        category = unicodedata.category(character)
        why = _why_refused(character, category)
        if why is not None:
            return f"Must not have the character U+{ord(character):04X} (position {position}): it {why}. Leave it out."
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MOST_MARKS:
            return f"Must have at most {_MOST_MARKS} combining marks on one character (position {position})."
        is_visible = is_visible or (category[0] in "LNPS" and character not in _BLANK)
    return None if is_visible or not text else "Must have a visible character."


def storable_problem(text: str) -> str | None:
    """Why a text cannot even be compared with what the database holds; None for one that can. For texts that are looked for, and not kept."""
    for position, character in enumerate(text, 1):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            return f"must not have the character U+{ord(character):04X} (position {position})"
    return None


def _why_refused(character: str, category: str) -> str | None:
    if character in _BIDI:
        return "changes the direction of the text around it"
    if character in _NEVER_DRAWN:
        return "is invisible"
    if character in _JOINERS or character in _DRAWN_FORMATS:
        return None
    return _WRONG_CATEGORIES.get(category)


def _is_unseen(character: str) -> bool:
    if character.isspace() or character in _BIDI or character in _NEVER_DRAWN:
        return True
    return unicodedata.category(character) == "Cf" and character not in _DRAWN_FORMATS
