"""Tests that execution/ is typed: `Any` is rare there, and each use has a reason beside it."""

import ast
import re
from pathlib import Path

EXECUTION = Path(__file__).parents[2] / "execution"
MOST = 60


def uses_of_any() -> list[tuple[Path, int, bool]]:
    """Returns each line that uses `Any` as a type, with whether a comment on it or above it says why."""
    found = []
    for path in sorted(EXECUTION.rglob("*.py")):
        text = path.read_text()
        lines = text.splitlines()
        nodes = list(ast.walk(ast.parse(text)))
        numbers = {each.lineno for each in nodes if isinstance(each, ast.Name) and each.id == "Any"}
        # Annotations in quotes; docstrings have spaces around the word.
        texts = [each for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        numbers |= {each.lineno for each in texts if re.search(r"(^|\[)Any\b|\bAny(\]|$)", each.value)}
        found += [(path, each, "#" in lines[each - 1] or lines[each - 2].lstrip().startswith("#")) for each in sorted(numbers)]
    return found


def test_any_is_used_at_most_sixty_times_in_execution():
    assert len(uses_of_any()) <= MOST


def test_each_use_of_any_says_why():
    silent = [f"{path.relative_to(EXECUTION)}:{number}" for path, number, says_why in uses_of_any() if not says_why]
    assert not silent, f"say in a comment on the line or above it why these are Any: {silent}"
