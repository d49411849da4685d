"""Tests that all files that start processes have the mark `processes`, so that they can be skipped during development."""

import re

from tests.server_process import ROOT

# Names whose use starts a server, a PostgreSQL, a browser, or another long-running program.
_STARTS = re.compile(r"\b(?:Program|EmbeddedServer|Popen|sync_playwright|async_playwright)\(")


def test_whatever_starts_processes_is_marked():
    found = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    starting = {path: text for path, text in found.items() if _STARTS.search(text) or path.parts[1] == "serve"}
    assert len(starting) > 10
    assert [str(path) for path, text in starting.items() if "mark.processes" not in text] == [], "add `pytestmark = pytest.mark.processes`"
