"""Tests that the schema's descriptions are sentences in plain English."""

import re

from tests.schema.test_schema import named_types

# Phrases of an older style that clients had to read twice.
_OBSCURE = re.compile(
    r"no matter|so many|left out|\btold\b|came to\b|where the school is|taken? back|let off|; null: |\bwhom it\b", re.IGNORECASE
)


def descriptions():
    for each in named_types():
        yield each.name, each.description
        for name, field in getattr(each, "fields", {}).items():
            yield f"{each.name}.{name}", field.description
            for argument, given in getattr(field, "args", {}).items():
                yield f"{each.name}.{name}({argument}:)", given.description
        for name, value in getattr(each, "values", {}).items():
            yield f"{each.name}.{name}", value.description


def test_every_description_is_a_sentence_in_plain_english():
    found = [(place, text) for place, text in descriptions() if text and "." in place]
    assert len(found) > 1_000
    assert [(place, text) for place, text in found if not text.endswith(".") or text[0].islower() or _OBSCURE.search(text)] == []
