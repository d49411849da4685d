"""Tests that messages for people are sentences that name what is wrong."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
# Where each of these calls takes its message.
_POSITIONS = {"UserError": 2, "rejected": 2, "Refusal": 1, "KeyRefusedError": 1}
_WITHOUT_A_SUBJECT = {"Are", "Belongs", "Has", "Have", "Is", "It", "Must", "Needs", "Say", "Still", "They", "Was", "Were"}


def _templates(node: ast.expr) -> Iterator[str]:
    """Yields the texts that an expression can be, with … for what is filled in; none for a variable."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(each.value if isinstance(each, ast.Constant) else "…" for each in node.values)
    elif isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)


def _messages() -> Iterator[tuple[str, str]]:
    for folder in ("resolvers", "schema"):
        for path in sorted((_ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _POSITIONS:
                    for message in node.args[_POSITIONS[node.func.id] :][:1]:
                        yield from ((f"{path.relative_to(_ROOT)}:{node.lineno}", text) for text in _templates(message))


def _problem(text: str) -> str | None:
    first = text.split(maxsplit=1)[0].strip("“”`:,.")
    if first in _WITHOUT_A_SUBJECT:
        return f"begins with {first!r}, which does not name what is wrong"
    if text[0].islower():
        return "does not begin like a sentence"
    return None if text.endswith((".", ".”", "…")) else "does not end like a sentence"


def test_every_message_is_a_sentence_that_names_what_is_wrong():
    found = list(_messages())
    assert len(found) > 100
    assert [f"{place}: {text!r} {problem}" for place, text in found if (problem := _problem(text))] == []


@pytest.mark.parametrize("text", ["Is named more than once.", "It is cancelled already.", "must be given.", "The charge is cancelled"])
def test_a_message_without_a_subject_or_an_end_would_be_noticed(text):
    assert _problem(text)
