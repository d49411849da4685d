"""Folders that PostgreSQL's own user can reach, as a checkout's are."""

from pathlib import Path

__all__ = ["open_up"]


def open_up(folder: Path) -> Path:
    """The folder, after letting every user walk to it."""
    for parent in (folder, folder.parent, folder.parent.parent):
        parent.chmod(0o755)
    return folder
