"""Checks of the options and lists of `db/sql/*.sql` that db/sql/README.md promises: each returns what is wrong in words, or None."""

import re
from collections.abc import Iterator

from db.query_templates import PARAMETER, REACH, VISIBLE
from db.sql_lexer import brackets_match, has_comment, lexical_problem, masked, split_columns, top_level

__all__ = ["is_restricted", "list_problem", "option_problem", "rule_problem", "split_flag", "visibility_problem"]

# What a list may not have outside brackets: statements are made of it by adding conditions, an order and a limit.
_NOT_IN_A_LIST = ("UNION", "INTERSECT", "EXCEPT", "DISTINCT", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR")
_IS_DISTINCT_FROM = re.compile(r"\bIS (NOT )?DISTINCT FROM\b", re.IGNORECASE)
_COLUMN_NAME = re.compile(r"(?:^|[ .])[a-z_][a-z_0-9]*$")
_EXISTS = re.compile(r"EXISTS\s*\((?P<query>.*)\)", re.DOTALL | re.IGNORECASE)
_IN_BRACKETS = re.compile(r"\((?P<condition>.*)\)", re.DOTALL)
_RULE_LOOKALIKE = re.compile(r"@ *[A-Za-z]")


def _words(sql: str) -> list[str]:
    """Returns the words outside brackets, literals and comments, in capital letters."""
    return re.findall(r"[A-Z_][A-Z_0-9]*", _IS_DISTINCT_FROM.sub("", top_level(sql)).upper())


def rule_problem(sql: str) -> str | None:
    """Finds what looks like a visibility rule and is not written as `@visible(noun alias)`."""
    match = _RULE_LOOKALIKE.search(VISIBLE.sub("", masked(sql)))
    return "has a visibility rule that is not written as `@visible(noun alias)`, in small letters" if match else None


def visibility_problem(sql: str) -> str | None:
    """Checks the SQL of a visibility rule: nothing but the viewer's visible ids fills its parameters."""
    unknown = sorted({match["name"] for match in PARAMETER.finditer(masked(sql)) if not match["name"].startswith(REACH)})
    return f"uses ${unknown[0]}, which nothing fills" if unknown else None


def option_problem(kind: str, name: str, sql: str) -> str | None:
    """Checks the SQL of an option of a page or totals."""
    if has_comment(sql) or not brackets_match(sql):
        return "has a comment in its SQL, or brackets that do not match"
    lexical = lexical_problem(sql)
    if lexical:
        return f"cannot be read: {lexical[1]}"
    used = {match["name"] for match in PARAMETER.finditer(masked(sql))}
    expected = {"filter": {name}, "per": {"parent"}}.get(kind, set())
    if expected - used:
        return f"does not use {'its parameter ' if kind == 'filter' else ''}${min(expected)}"
    unknown = sorted(each for each in used - expected if not each.startswith(REACH))
    if unknown:
        return f"uses ${unknown[0]}, which nothing fills"
    words = _words(sql)
    if kind == "flag" and ("CASE" in words or words.count("ELSE") > 1):
        return "has CASE outside brackets, or ELSE twice"
    if kind in ("key", "order", "by") and (len(split_columns(sql)) > 1 or {"AND", "OR", "NOT", "ASC", "DESC", "NULLS"} & set(words)):
        return "must be one expression, with AND, OR and NOT in brackets, and without a direction"
    return rule_problem(sql)


def split_flag(sql: str) -> tuple[str, str]:
    """Returns the conditions of a flag for true and for false: "" if the latter is not stated."""
    place = top_level(sql).find(" ELSE ")
    return (sql, "") if place < 0 else (sql[:place].strip(), sql[place + len(" ELSE ") :].strip())


def list_problem(body: str, *, is_page: bool) -> str | None:
    """Checks the SQL of a page or totals, with its condition not yet in brackets."""
    outside, words = top_level(body), _words(body)
    for line_begin, word in (("\nFROM ", "FROM"), ("\nWHERE ", "WHERE")):
        if not body.count(line_begin) == outside.count(line_begin) == words.count(word) == 1:
            return "needs one FROM and one WHERE at the beginning of a line"
    if not words or words[0] != "SELECT" or words.count("SELECT") > 1:
        return "must be one SELECT"
    wrong = [word for word in _NOT_IN_A_LIST if word in words]
    if wrong:
        return f"has {wrong[0]} outside brackets"
    if is_page:
        columns = split_columns(body[len("SELECT") : body.index("\nFROM ")])
        names = [match[0].strip(" .") if (match := _COLUMN_NAME.search(each)) else "" for each in columns]
        if "" in names or len({*names}) < len(names) or "id" not in names:
            return "needs a column id, and a name in small letters for each column, each once"
    return None


def is_restricted(where: str) -> bool:
    """Returns whether a condition holds only for rows that a visibility rule allows: the rule itself, joined to all else by AND, or in EXISTS."""
    return any(
        VISIBLE.fullmatch(part)
        or ((inner := _IN_BRACKETS.fullmatch(part)) and brackets_match(inner["condition"]) and is_restricted(inner["condition"]))
        or ((found := _EXISTS.fullmatch(part)) and brackets_match(found["query"]) and is_restricted(_condition_of(found["query"])))
        for part in _conjuncts(where)
    )


def _conjuncts(condition: str) -> Iterator[str]:
    """Yields the parts that AND joins; none if OR stands beside them."""
    outside = top_level(condition)
    if re.search(r"\bOR\b", outside, re.IGNORECASE):
        return
    start = 0
    for match in re.finditer(r"\bAND\b", outside, re.IGNORECASE):
        yield condition[start : match.start()].strip()
        start = match.end()
    yield condition[start:].strip()


def _condition_of(query: str) -> str:
    outside = top_level(query)
    simple = not {"UNION", "INTERSECT", "EXCEPT"} & set(_words(query))
    place = outside.find(" WHERE ") if simple else -1
    return query[place + len(" WHERE ") :] if place >= 0 else ""
