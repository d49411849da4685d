"""Makes folders that PostgreSQL's own user can reach, as it can reach a checkout: pytest's belong to their owner alone."""

import atexit
import shutil
import tempfile
from pathlib import Path

__all__ = ["reachable_folder"]


def reachable_folder(name: str) -> Path:
    """A new folder that every user can walk to; removed when the process ends."""
    made = Path(tempfile.mkdtemp(prefix=f"rollcall-{name}-"))
    made.chmod(0o755)
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
