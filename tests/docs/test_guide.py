"""Tests the guides: every request in them is sent over HTTP to a demo school, and every response must be the one that is shown."""

from pathlib import Path
from uuid import uuid4

import pytest

from tests.docs.guide_parser import differences, fill, requests
from tests.in_process_server import serving
from tests.writable_school import NOW

_DOCS = Path(__file__).parents[2] / "docs"
GUIDES = [*sorted((_DOCS / "guide").glob("*.md")), _DOCS / "api.md"]


def test_there_are_guides():
    assert "worked-day.md" in {guide.name for guide in GUIDES}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
async def test_every_request_of_a_guide_has_the_answer_it_shows(databases, guide):
    name = uuid4().hex[:12]
    url = databases.clone("demo", name)
    databases.set_clock(name, NOW)
    noted = {}
    try:
        async with serving(url) as client:
            for request in requests(guide):
                token = None if request.asker == "nobody" else noted[request.asker]
                answer = await client.post(request.query, token=token, variables=fill(request.variables, noted))
                wrong = differences(request.answer, answer.json(), noted)
                assert wrong == [], f"{guide.name}:{request.line}"
    finally:
        databases.drop(name)


def test_a_wrong_answer_would_be_noticed():
    noted = {"$one": "1"}
    for shown, answered in (
        ({"a": 1}, {"a": 2}), ({"a": 1}, {"a": True}), ({"a": 1}, {"a": 1, "b": 2}), ([1], [1, 2]), ("$one", "2"), ({"a": {"b": ["x"]}}, {"a": {"b": ["y"]}}),
    ):  # fmt: skip
        assert differences(shown, answered, noted), (shown, answered)
    assert differences({"a": "$new", "b": "…", "c": "$one"}, {"a": "7", "b": [], "c": "1"}, noted) == []
    assert fill({"x": ["$new", "plain"]}, noted) == {"x": ["7", "plain"]}
