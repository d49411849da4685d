"""Fixtures: a DATA_DIR, empty or with the demo school in it, and servers started on it."""

import signal

import pytest

from tests.server_process import Program
from tests.temp_folders import reachable_folder


@pytest.fixture
def folder():
    """A folder whose DATA_DIR is not there yet: a start is a first start."""
    return reachable_folder("serve")


@pytest.fixture
def school(folder, fill_data_dir):
    """The same with the demo school in its DATA_DIR: a start is a second start."""
    fill_data_dir(folder / "data")
    return folder


@pytest.fixture
def start(folder):
    programs = []

    def starting(**settings):
        programs.append(Program(settings.pop("folder", folder), **settings))
        return programs[-1]

    yield starting
    for program in programs:
        if program.process.poll() is None:
            program.stop(signal.SIGKILL)
