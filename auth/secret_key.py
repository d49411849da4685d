"""The secret of an installation that was given none: made once, kept beside its data, the same for all its workers and starts."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from config import ConfigurationError
from db.postgres_binaries import unprivileged_account

__all__ = ["load_or_create_secret_key"]

_NAME = "secret_key"


def load_or_create_secret_key(folder: Path) -> str:
    """64 hexadecimal digits, kept in `folder`, which is made if need be. Of two starts at once both get the same.

    Raises ConfigurationError when it can be neither read nor kept, or when somebody else than its owner could read it.
    """
    kept = folder / _NAME
    try:
        if not kept.exists():
            _make(kept)
        found = kept.stat()
        secret = kept.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"SECRET_KEY is not set, and none can be kept in {kept}: {error}. Set one, or another DATA_DIR.") from None
    if found.st_mode & 0o077:
        raise ConfigurationError(f"Others can read the secret in {kept}: `chmod 600 {kept}`, or remove it to sign everybody out.")
    if len(secret) < 32:
        raise ConfigurationError(f"{kept} holds no secret of 32 characters or more: remove it, and everybody signs in again.")
    return secret


def _make(kept: Path) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = kept.parent.stat()
    # Written beside its place and linked to it when it is whole: whoever comes second finds the first one's.
    making = kept.with_name(f".{_NAME}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        account = unprivileged_account()
        if account is not None and owner.st_uid != account.uid:
            # What root makes in a user's folder is that user's, who goes on without root. PostgreSQL's account has no business with the secret.
            os.chown(making, owner.st_uid, owner.st_gid)
        with suppress(FileExistsError):
            kept.hardlink_to(making)
    finally:
        making.unlink(missing_ok=True)
