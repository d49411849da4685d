"""Defines fixtures: charges to pay."""

import pytest

from tests.schema.writing.charge_builder import charge, make_family


@pytest.fixture
async def family(writable):
    return await make_family(writable)


@pytest.fixture
async def one(writable, family):
    return await charge(writable, family)
