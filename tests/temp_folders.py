"""Creates temporary folders that PostgreSQL's user can enter, unlike pytest's, which only their owner can."""

import atexit
import shutil
import tempfile
from pathlib import Path

__all__ = ["reachable_folder"]


def reachable_folder(name: str) -> Path:
    """Returns a new folder that every user can enter. It is removed when the process ends."""
    made = Path(tempfile.mkdtemp(prefix=f"rollcall-{name}-"))
    made.chmod(0o755)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
