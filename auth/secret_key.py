"""Generates and stores the secret of an installation that has no `SECRET_KEY` setting; all its workers and restarts use the same one."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config import ConfigurationError
from db.postgres_binaries import unprivileged_account

__all__ = ["load_or_create_secret_key"]

_NAME = "secret_key"


def load_or_create_secret_key(folder: Path) -> str:
    """Returns the secret stored in `folder`: 64 hexadecimal digits. Creates the folder and the secret if they don't exist.

    Concurrent callers get the same secret. Raises ConfigurationError if it can be neither read nor stored, or if other users can read it.
    """
    kept = folder / _NAME
    try:
        if not kept.exists():
            _make(kept)
        found = kept.stat()
        secret = kept.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"SECRET_KEY is not set, and a generated one cannot be stored in {kept}: {error}. Set SECRET_KEY, or set DATA_DIR to another folder."
        ) from None
    if found.st_mode & 0o077:
        raise ConfigurationError(
            f"Other users can read the secret in {kept}. Run `chmod 600 {kept}`, or delete the file, which signs everybody out."
        )
    if len(secret) < 32:
        raise ConfigurationError(f"The secret in {kept} has fewer than 32 characters. Delete the file, which signs everybody out.")
    return secret


def _make(kept: Path) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = kept.parent.stat()
    # Written under a temporary name and linked when it is complete: of concurrent callers the first one wins, and the others read its secret.
    making = kept.with_name(f".{_NAME}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        account = unprivileged_account()
        if account is not None and owner.st_uid != account.uid:
            # A secret that root creates in another user's folder must be readable when that user starts the server. PostgreSQL's own account
            # must not own it.
            os.chown(making, owner.st_uid, owner.st_gid)
        with suppress(FileExistsError):
            kept.hardlink_to(making)
    finally:
        making.unlink(missing_ok=True)
