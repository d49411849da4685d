"""Tests that docs/api.md lists every error code that clients can get, and no other."""

import re

from tests.server_process import ROOT
from tests.test_error_codes import codes_in_the_source

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
_NAMED = re.compile(r"`([A-Z]+(?:_[A-Z]+)*)`")
# Settings that the page mentions, and codes that appear in rows of results instead of errors.
_NO_CODES = {"GET", "POST", "UUID", "MAX_ANSWER_BYTES", "NO_CLASS", "WRONG_CLASS"}


def test_every_error_code_is_in_the_page():
    missing = {code: place for code, place in codes_in_the_source().items() if f"`{code}`" not in PAGE}
    assert missing == {}, "docs/api.md does not say what these mean"


def test_every_code_in_the_page_exists():
    assert set(_NAMED.findall(PAGE)) - set(codes_in_the_source()) - _NO_CODES == set()
