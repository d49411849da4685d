"""Tests that the executor lets others run between the fields of many objects, and that few objects cost no pause."""

import pytest

from execution.run import executor

_ALIASES = 20


@pytest.mark.parametrize("parents", [50, 51])
async def test_between_the_fields_of_more_than_fifty_objects_others_run(demo, monkeypatch, parents):
    fields = " ".join(f"a{n}: user {{ name }}" for n in range(_ALIASES))
    pauses = 0

    async def pause():
        nonlocal pauses
        pauses += 1

    monkeypatch.setattr(executor, "pause", pause)
    nodes = (await demo.data(f"{{ students(first: {parents}) {{ nodes {{ {fields} }} }} }}"))["students"]["nodes"]
    assert len(nodes) == parents
    if parents > 50:
        assert pauses >= 3 * _ALIASES, "before a field's keys are read, before its values are placed, before its objects are opened"
    else:
        assert pauses == 0
