"""Tests downloading uv for a Python without pip."""

import hashlib
import io
import tomllib
import zipfile
from pathlib import Path

import pytest

from deploy.fetch_uv import program_in, wheel_of

LOCK = tomllib.loads((Path(__file__).parents[2] / "uv.lock").read_text())


@pytest.mark.parametrize(
    ("system", "machine", "glibc", "says"),
    [
        ("Linux", "x86_64", True, "manylinux_2_17_x86_64"),
        ("Linux", "aarch64", True, "_aarch64"),
        ("Linux", "x86_64", False, "musllinux_1_1_x86_64"),
        ("Darwin", "arm64", False, "macosx_11_0_arm64"),
        ("Darwin", "x86_64", False, "macosx_10_12_x86_64"),
    ],
)
def test_every_platform_that_can_run_it_has_a_locked_wheel(system, machine, glibc, says):
    wheel = wheel_of(LOCK, system, machine, glibc=glibc)
    assert says in wheel["url"]
    assert wheel["hash"].startswith("sha256:")


def test_a_platform_without_one_is_said_to_be():
    with pytest.raises(LookupError, match="Plan9"):
        wheel_of(LOCK, "Plan9", "mips", glibc=False)


def test_only_the_file_that_was_locked_is_unpacked():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("uv-1.data/scripts/uv", b"the program")
    wheel = file.getvalue()
    assert program_in(wheel, "sha256:" + hashlib.sha256(wheel).hexdigest()) == b"the program"
    with pytest.raises(ValueError, match=r"uv\.lock expects"):
        program_in(wheel, "sha256:" + "0" * 64)
