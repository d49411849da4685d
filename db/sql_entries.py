"""Reads the entries of a `db/sql/*.sql` file and their options. db/sql/README.md describes the format.

What does not follow it raises ValueError with the file's name and the line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from db.sql_checks import option_problem, rule_problem, visibility_problem
from db.sql_lexer import brackets_match, lexical_problem, without_comments

__all__ = ["Entry", "Option", "read_entries"]

_HEADER = re.compile(r"^-- (?P<kind>name|page|totals|visible|record|table): *(?P<title>.+)$", re.MULTILINE)
_TITLES = {kind: re.compile(r"[a-z][a-z_0-9]*") for kind in ("name", "page", "totals", "record")} | {
    "visible": re.compile(r"[a-z_.]+ [a-z_]+"),
    # The tables of the migration tool begin with an underscore.
    "table": re.compile(r"[a-z_][a-z_0-9]*"),
}
# Prose begins with a capital letter, an option with a word in lower case: whatever looks like an option must be one.
_LOOKS_LIKE_AN_OPTION = re.compile(r"[ \t]*--[ \t]*[a-z]")
_OPTION = re.compile(r"-- (?P<kind>[a-z]+)(?: (?P<name>[a-z_]+))?(?: (?P<type>[a-z]+))?(?: needs (?P<needs>[a-z_, ]+))?: *(?P<sql>\S.*)")
# The options of each kind of entry; those that have a name, and those that have an SQL type.
_OPTIONS = {
    "page": {"key", "public", "order", "filter", "flag", "per", "by", "guard", "ids"},
    "totals": {"public", "group", "filter", "flag", "per"},
    "name": set[str](),
    "visible": {"unrestricted"},
    "record": {"constraint"},
    "table": {"personal"},
}
_NAMED = {"order", "filter", "flag", "per", "by", "group", "guard", "ids", "constraint"}
_TYPED = {"order", "by"}
# This one is given once for each category and person, or once without a name: `-- personal: none – why`.
_PERSONAL, _NONE = "personal", "none – "
# These have words behind the colon, no SQL.
_IN_WORDS = {"public", "unrestricted", "guard", "ids", "constraint", "personal"}
# A header or an option that begins with a capital letter would pass for prose.
_CAPITALISED = re.compile(r"[ \t]*--[ \t]*(?P<word>[A-Z][A-Za-z]*?)s?(?: [a-z_]+){0,2} *:")
_WORDS = {"name", "page", "totals", "visible", "record", "table"}.union(*_OPTIONS.values())


@dataclass(frozen=True, slots=True)
class Option:
    """One option of an entry: `-- kind name type needs a, b: sql`, in `line` (counted from 1) of the file."""

    line: int
    kind: str
    name: str
    sql_type: str
    needs: tuple[str, ...]
    sql: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its header in `line` (counted from 1) of the file, the comment that says what it is for, its SQL without comments, its options."""

    path: Path
    line: int
    kind: str
    title: str
    purpose: str
    sql: str
    options: tuple[Option, ...]

    def error(self, message: str, option: Option | None = None) -> ValueError:
        return _error(self.path, option.line if option else self.line, message)


def read_entries(path: Path) -> Iterator[Entry]:
    """Yields a file's entries in order."""
    text = path.read_text(encoding="utf-8")
    problem = lexical_problem(text)
    if problem:
        raise _error(path, problem[0] + 1, problem[1])
    headers = list(_HEADER.finditer(text))
    for number, line in enumerate(text[: headers[0].start() if headers else None].splitlines(), start=1):
        _check_comment(path, number, line)
        if (line.strip() and not line.startswith("--")) or _LOOKS_LIKE_AN_OPTION.match(line):
            raise _error(path, number, f"stands before the first entry: {line}")
    for header, following in zip(headers, [*headers[1:], None], strict=True):
        lines = text[header.end() : following.start() if following else None].strip("\n").splitlines()
        yield _entry(path, text.count("\n", 0, header.start()) + 1, header["kind"], header["title"].strip(), lines)


def _entry(path: Path, line: int, kind: str, title: str, lines: list[str]) -> Entry:
    if _TITLES[kind].fullmatch(title) is None:
        raise _error(path, line, f"{title} is not a name of a {kind}")
    end = 0
    # A table whose columns are all personal has no body between what it is for and its options.
    while end < len(lines) and lines[end].startswith("-- ") and not (kind == "table" and _OPTION.fullmatch(lines[end])):
        end += 1
    if not end:
        raise _error(path, line, f"{title} must say in its second line what it is for")
    sql: list[str] = []
    options: dict[tuple[str, str], Option] = {}
    for number, each in enumerate(lines, start=line + 1):
        _check_comment(path, number, each)
        if number - line <= end:
            continue
        if not _LOOKS_LIKE_AN_OPTION.match(each):
            sql.append(each)
            continue
        match = _OPTION.fullmatch(each)
        problem = _problem(kind, match)
        if match is None or problem:
            raise _error(path, number, f"{problem}: {each}")
        option = Option(
            number,
            match["kind"],
            match["name"] or "",
            match["type"] or "",
            tuple((match["needs"] or "").replace(",", " ").split()),
            match["sql"],
        )
        # Columns of one category may concern several people.
        name = option.name if option.kind != _PERSONAL else option.sql
        if (option.kind, name) in options:
            raise _error(path, number, f"{option.kind} {option.name} is given twice: {each}")
        options[option.kind, name] = option
    purpose = " ".join(each[3:].strip() for each in lines[:end])
    body = without_comments("\n".join(sql))
    problem = _body_problem(kind, body)
    if problem:
        raise _error(path, line, f"{title} {problem}")
    return Entry(path, line, kind, title, purpose, body, tuple(options.values()))


def _body_problem(kind: str, body: str) -> str | None:
    if not body and kind != "table":
        return "has no SQL"
    if not brackets_match(body):
        return "has brackets that do not match"
    return rule_problem(body) or (visibility_problem(body) if kind == "visible" else None)


def _check_comment(path: Path, number: int, line: str) -> None:
    match = _CAPITALISED.match(line)
    if match and match["word"].lower() in _WORDS:
        raise _error(path, number, f"{match['word']} in front of a colon is written in lower case, or is no option: {line}")


def _problem(kind: str, option: re.Match[str] | None) -> str | None:
    """Describes what is wrong with a line that looks like an option; returns None if this kind of entry may have it."""
    if option is None or option["kind"] not in _OPTIONS[kind]:
        allowed = ", ".join(sorted(_OPTIONS[kind])) or "none"
        return f"not an option of a {kind} (options: {allowed}; comments begin with a capital letter)"
    what, name, sql = option["kind"], option["name"], option["sql"]
    if what == _PERSONAL:
        said = sql.startswith(_NONE) if name is None else option["type"] is not None
        return None if said else "personal needs a category and a person, or says `personal: none – why`"
    if (what in _NAMED) != (name is not None):
        return f"{what} {'needs a name' if name is None else 'has no name'}"
    if (what in _TYPED) != (option["type"] is not None):
        return f"{what} {'needs an SQL type' if option['type'] is None else 'has no SQL type'}"
    if what not in _IN_WORDS:
        problem = option_problem(what, name or "", sql)
        return problem and f"{what} {name or ''} {problem}"
    return None


def _error(path: Path, line: int, message: str) -> ValueError:
    return ValueError(f"{path.name}:{line}: {message}")
