"""Tests what is logged, and what must not be."""

import json
import subprocess
import sys

import pytest

FAILING = """
import structlog
from config import Settings
from telemetry.logs import configure_logs

def sign_in(password):
    raise RuntimeError("no such account")

configure_logs(Settings(environment={environment!r}, secret_key="s" * 40))
try:
    sign_in("hunter" + "2")
except RuntimeError as error:
    structlog.get_logger().error("unforeseen error", error_id="e1", exc_info=error)
"""


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_traceback_is_logged_without_the_values_of_its_variables(environment):
    # In a separate process, because structlog is configured once per process.
    ran = subprocess.run([sys.executable, "-c", FAILING.format(environment=environment)], capture_output=True, text=True, check=True)
    assert "no such account" in ran.stderr
    assert "sign_in" in ran.stderr
    assert "e1" in ran.stderr
    assert "hunter2" not in ran.stderr
    if environment == "production":
        assert json.loads(ran.stderr)["event"] == "unforeseen error"


WRITING = """
import structlog
from config import Settings
from telemetry.logs import configure_logs

configure_logs(Settings(environment={environment!r}, secret_key="s" * 40))
for number in range(3):
    structlog.get_logger().error("a line", number=number)
print("went on")
"""


@pytest.mark.parametrize("environment", ["development", "production"])
def test_a_log_on_a_full_disk_ends_nothing(environment):
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device, on which every write fails for want of space
        ran = subprocess.run(
            [sys.executable, "-c", WRITING.format(environment=environment)], stdout=subprocess.PIPE, stderr=full, text=True, check=False
        )
    assert ran.stdout == "went on\n"
