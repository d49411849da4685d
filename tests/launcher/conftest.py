"""Defines fixtures: folders with and without a DATA_DIR on which servers are started."""

import signal

import pytest

from tests.server_process import Program
from tests.temp_folders import reachable_folder


@pytest.fixture
def folder():
    """Returns a folder whose DATA_DIR does not exist yet, so that the next start is a first start."""
    return reachable_folder("serve")


@pytest.fixture
def school(folder, fill_data_dir):
    """Returns a folder whose DATA_DIR has the demo school, so that the next start is not a first start."""
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
