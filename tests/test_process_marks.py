"""Tests that start processes bear the mark `processes`, so that they can be left out while working."""

import re

from tests.server_process import ROOT

# What starts a server, a PostgreSQL, a browser, or a program that is left to run.
_STARTS = re.compile(r"\b(?:Program|EmbeddedServer|Popen|sync_playwright|async_playwright)\(")


def test_whatever_starts_processes_is_marked():
    found = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    starting = {path: text for path, text in found.items() if _STARTS.search(text) or path.parts[1] == "serve"}
    assert len(starting) > 10
    assert [str(path) for path, text in starting.items() if "mark.processes" not in text] == [], "add `pytestmark = pytest.mark.processes`"
