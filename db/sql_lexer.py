"""Tells SQL text from the literals, quoted names and comments in it, so that nothing inside those is taken for syntax."""

import re
from collections.abc import Callable

__all__ = ["brackets_match", "has_comment", "split_columns", "substitute", "without_comments"]

_COMMENT = r"--[^\n]*|/\*.*?\*/"
_LITERAL = r"""(?:[eE]'(?:[^'\\]|''|\\.)*')|'(?:[^']|'')*'|"(?:[^"]|"")*\"|\$(?P<tag>[a-z_]*)\$.*?\$(?P=tag)\$"""
_LITERALS_AND_COMMENTS = re.compile(f"(?P<comment>{_COMMENT})|(?P<literal>{_LITERAL})", re.DOTALL)


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
    for each in _masked(sql):
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
    for place, each in enumerate(_masked(columns)):
        depth += (each in "([") - (each in ")]")
        if each == "," and depth == 0:
            parts.append(columns[start:place].strip())
            start = place + 1
    return [*parts, columns[start:].strip()]


def _masked(sql: str) -> str:
    """The text with spaces in the place of literals, quoted names and comments."""
    return _LITERALS_AND_COMMENTS.sub(lambda match: " " * len(match[0]), sql)
