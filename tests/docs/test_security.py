"""Tests that docs/security.md names a test for each threat, and that these tests exist."""

import ast
import re

from tests.server_process import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_REFERENCE = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def test_every_test_that_the_threat_model_names_exists():
    references = _REFERENCE.findall(PAGE)
    assert len(references) > 40
    missing = [f"{path}::{name}" for path, name in references if not (ROOT / path).exists() or (name and name not in _tests_of(path))]
    assert missing == []


def test_every_threat_names_a_test_or_a_bench():
    rows = [line for line in PAGE.splitlines() if line.startswith(tuple("| " + letter + " |" for letter in "STRIDE"))]
    assert {row[2] for row in rows} == set("STRIDE")
    assert [row for row in rows if not _REFERENCE.search(row)] == []


def _tests_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
