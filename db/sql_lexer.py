"""Tells SQL text from the literals, quoted names and comments in it, so that nothing inside those is taken for syntax."""

import re
from collections.abc import Callable

__all__ = ["split_columns", "substitute", "without_comments"]

_COMMENT = r"--[^\n]*|/\*.*?\*/"
_LITERAL = r"""(?:[eE]'(?:[^'\\]|''|\\.)*')|'(?:[^']|'')*'|"(?:[^"]|"")*\"|\$\$.*?\$\$"""
_LITERALS_AND_COMMENTS = re.compile(f"(?P<comment>{_COMMENT})|(?P<literal>{_LITERAL})", re.DOTALL)


def without_comments(sql: str) -> str:
    """Removes comments, and the lines that hold nothing else."""

    def removed(match: re.Match[str]) -> str:
        return "\0" if match["comment"] is not None else match[0]

    lines = _LITERALS_AND_COMMENTS.sub(removed, sql).split("\n")
    kept = [line.replace("\0", "").rstrip() for line in lines if not line.strip() or line.replace("\0", "").strip()]
    return "\n".join(kept).strip()


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
    masked = _LITERALS_AND_COMMENTS.sub(lambda match: " " * len(match[0]), columns)
    for place, each in enumerate(masked):
        depth += (each in "([") - (each in ")]")
        if each == "," and depth == 0:
            parts.append(columns[start:place].strip())
            start = place + 1
    return [*parts, columns[start:].strip()]
