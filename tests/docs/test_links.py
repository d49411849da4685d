"""Every link in the documents leads somewhere."""

import re
from pathlib import Path

from tests.server_process import ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_OUTSIDE = ("http://", "https://", "mailto:", "#")


def _pages():
    folders = ("docs", "db", "execution", "benchmarks", "schema", "tests")
    return [*ROOT.glob("*.md"), *(page for folder in folders for page in (ROOT / folder).rglob("*.md") if "node_modules" not in page.parts)]


def test_every_link_of_a_document_leads_to_a_file():
    pages = _pages()
    assert len(pages) > 30
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if not link.startswith(_OUTSIDE) and not (Path(page).parent / link.partition("#")[0]).exists()
    ]
    assert broken == []
