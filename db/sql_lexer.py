"""Tells SQL text from the literals, quoted names and comments in it, so that nothing inside those is taken for syntax.

Comments begin with `--`, and a literal ends on the line where it begins: `lexical_problem` finds what is written otherwise.
"""

import re
from collections.abc import Callable

__all__ = ["brackets_match", "has_comment", "lexical_problem", "masked", "split_columns", "substitute", "top_level", "without_comments"]

_COMMENT = r"--[^\n]*"
_LITERAL = (
    r"""(?:(?<![A-Za-z_0-9$])[eE]'(?:[^'\\]|''|\\.)*')|'(?:[^']|'')*'|"(?:[^"]|"")*\"|"""
    r"""(?<![A-Za-z_0-9])\$(?P<tag>(?:[A-Za-z_][A-Za-z_0-9]*)?)\$.*?\$(?P=tag)\$"""
)
_LITERALS_AND_COMMENTS = re.compile(f"(?P<comment>{_COMMENT})|(?P<literal>{_LITERAL})", re.DOTALL)

_PROBLEMS = (
    (re.compile(r"/\*|\*/"), "a comment begins with --, not with /*"),
    (re.compile(r"['\"]"), "a quote is not closed"),
    (re.compile(r"(?<![A-Za-z_0-9])\$[A-Za-z_0-9]*\$"), "a dollar quote is not closed"),
    (re.compile(r"\$[a-z_0-9]*[A-Z]"), "a parameter has a capital letter"),
    (re.compile(";"), "a semicolon is not needed, and would begin a second statement"),
)


def lexical_problem(sql: str) -> tuple[int, str] | None:
    """Returns the first thing that this module cannot read as PostgreSQL does: its line (counted from 0), and what is wrong. None: nothing is."""
    found = [(match.start(), problem) for pattern, problem in _PROBLEMS if (match := pattern.search(masked(sql)))]
    for match in _LITERALS_AND_COMMENTS.finditer(sql):
        before = sql[sql.rfind("\n", 0, match.start()) + 1 : match.start()]
        if "\n" in match[0]:
            found.append((match.start(), "a literal or a quoted name does not end on its line"))
        elif match["comment"] is not None and before.strip() and re.match(r"--\s*[a-z]", match[0]):
            found.append((match.start(), "an option stands on a line of its own, and any other comment begins with a capital letter"))
    if not found:
        return None
    place, problem = min(found)
    return sql.count("\n", 0, place), problem


def without_comments(sql: str) -> str:
    """Removes comments, and the lines that hold nothing else."""

    def removed(match: re.Match[str]) -> str:
        return "\0" if match["comment"] is not None else match[0]

    lines = _LITERALS_AND_COMMENTS.sub(removed, sql).split("\n")
    kept = [line.replace("\0", "").rstrip() for line in lines if not line.strip() or line.replace("\0", "").strip()]
    return "\n".join(kept).strip()


def has_comment(sql: str) -> bool:
    """Returns whether a comment begins somewhere outside literals and quoted names."""
    return any(match["comment"] is not None for match in _LITERALS_AND_COMMENTS.finditer(sql))


def brackets_match(sql: str) -> bool:
    """Returns whether each bracket outside literals, quoted names and comments has its counterpart."""
    expected: list[str] = []
    for each in masked(sql):
        if each in "([":
            expected.append(")" if each == "(" else "]")
        elif each in ")]" and (not expected or expected.pop() != each):
            return False
    return not expected


def substitute(pattern: "re.Pattern[str]", replace: Callable[["re.Match[str]"], str], sql: str) -> str:
    """Replaces the matches of a pattern outside literals, quoted names and comments."""
    pieces, end = [], 0
    for opaque in _LITERALS_AND_COMMENTS.finditer(sql):
        pieces += [pattern.sub(replace, sql[end : opaque.start()]), opaque[0]]
        end = opaque.end()
    return "".join([*pieces, pattern.sub(replace, sql[end:])])


def split_columns(columns: str) -> list[str]:
    """Splits a column list at the commas that stand outside brackets, literals, quoted names and comments."""
    parts, depth, start = [], 0, 0
    for place, each in enumerate(masked(columns)):
        depth += (each in "([") - (each in ")]")
        if each == "," and depth == 0:
            parts.append(columns[start:place].strip())
            start = place + 1
    return [*parts, columns[start:].strip()]


def masked(sql: str) -> str:
    """Returns the text with spaces in the place of literals, quoted names and comments."""
    return _LITERALS_AND_COMMENTS.sub(lambda match: " " * len(match[0]), sql)


def top_level(sql: str) -> str:
    """Returns the masked text with spaces in the place of brackets and everything in them, too; all line breaks stay."""
    found, depth = [], 0
    for each in masked(sql):
        depth += each in "(["
        found.append(" " if depth and each != "\n" else each)
        depth -= each in ")]"
    return "".join(found)
