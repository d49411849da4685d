"""Downloads the version of uv that uv.lock pins and verifies its hash, for a Python without pip (such as Debian's without python3-venv).

Usage: `python deploy/fetch_uv.py .venv/bin/uv`. Needs only the standard library.
"""

import hashlib
import io
import platform
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

_LOCK = Path(__file__).parent.parent / "uv.lock"
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def wheel_of(lock: dict[str, Any], system: str, machine: str, *, glibc: bool) -> dict[str, str]:
    """Returns the locked wheel of uv (`url`, `hash`) for a platform. Raises LookupError if there is none."""
    machine = _MACHINES.get(machine.lower(), machine.lower())
    uv = next(each for each in lock["package"] if each["name"] == "uv")
    for wheel in uv["wheels"]:
        tag = wheel["url"].rpartition("-py3-none-")[2].removesuffix(".whl")
        if system == "Linux" and tag.startswith("manylinux" if glibc else "musllinux") and tag.endswith(f"_{machine}"):
            return dict(wheel)
        if system == "Darwin" and tag.startswith("macosx") and tag.endswith("_arm64" if machine == "aarch64" else f"_{machine}"):
            return dict(wheel)
    raise LookupError(f"uv.lock has no uv for {system} on {machine}")


def program_in(wheel: bytes, expected: str) -> bytes:
    """Returns the program in a wheel. Raises ValueError if the wheel's hash is not `expected` (`sha256:…`)."""
    found = f"sha256:{hashlib.sha256(wheel).hexdigest()}"
    if found != expected:
        raise ValueError(f"the downloaded file has the hash {found}, but uv.lock expects {expected}")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        name = next(each for each in archive.namelist() if each.endswith(".data/scripts/uv"))
        return archive.read(name)


def main(target: Path) -> None:
    wheel = wheel_of(
        tomllib.loads(_LOCK.read_text(encoding="utf-8")), platform.system(), platform.machine(), glibc=platform.libc_ver()[0] == "glibc"
    )
    with urllib.request.urlopen(wheel["url"], timeout=120) as answer:  # noqa: S310 - an https address of the committed lock
        program = program_in(answer.read(), wheel["hash"])
    target.write_bytes(program)
    target.chmod(0o755)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except (OSError, LookupError, ValueError) as error:
        sys.exit(f"uv could not be downloaded: {error}")
