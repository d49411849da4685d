"""What a log holds, and what it must not."""

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
    # In a process of its own: structlog is set up once for a process.
    ran = subprocess.run([sys.executable, "-c", FAILING.format(environment=environment)], capture_output=True, text=True, check=True)
    assert "no such account" in ran.stderr
    assert "sign_in" in ran.stderr
    assert "e1" in ran.stderr
    assert "hunter2" not in ran.stderr
    if environment == "production":
        assert json.loads(ran.stderr)["event"] == "unforeseen error"
