"""Passwords: which ones are good enough, and Argon2id off the event loop."""

import asyncio
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe
from threading import BoundedSemaphore
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from auth.refusals import rate_limited

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "Passwords", "password_problem"]

T = TypeVar("T")

MIN_LENGTH = 10
MAX_LENGTH = 128
# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
_THREADS = min(4, os.cpu_count() or 1)
_WAITING = 64
_COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())


def password_problem(password: str, email: str | None) -> tuple[str, str] | None:
    """Why a password may not be chosen, as (code, message); None when it may.

    Length counts, a list of what everybody tries is refused, and there are no rules about kinds of characters
    (NIST SP 800-63B, 5.1.1.2). Lengths are in Unicode code points.
    """
    password = _normal(password)
    folded = password.casefold()
    if len(password) < MIN_LENGTH:
        return "PASSWORD_TOO_SHORT", f"A password has {MIN_LENGTH} characters or more."
    if len(password) > MAX_LENGTH:
        return "PASSWORD_TOO_LONG", f"A password has {MAX_LENGTH} characters or fewer."
    if email is not None and folded in (email.casefold(), email.casefold().partition("@")[0]):
        return "PASSWORD_IS_EMAIL", "The password must not be the e-mail address."
    if folded in _COMMON or len(set(folded)) < 3:
        return "PASSWORD_TOO_COMMON", "This password is one of those that everybody tries first."
    return None


class Passwords:
    """Hashes and verifies in threads of its own: Argon2 lets go of the interpreter's lock, and the event loop goes on.

    At most `threads` run and `waiting` more wait; beyond that a caller is refused at once with RATE_LIMITED, so that a flood
    of sign-ins costs a bounded time and 19 MiB a thread.
    """

    def __init__(self, threads: int = _THREADS, waiting: int = _WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._room = BoundedSemaphore(threads + waiting)
        # Verified when there is no account, so that it takes as long as when there is one.
        self._nobody = _HASHER.hash(token_urlsafe(32))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The encoded Argon2id hash, with its parameters and salt."""
        return await self._run(lambda: _HASHER.hash(_bytes(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password. For no hash (no such account, or one without a password) it takes the same time and is not."""

        def verify() -> bool:
            try:
                return _HASHER.verify(password_hash or self._nobody, _bytes(password)) and password_hash is not None
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(verify)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than today's, and should be made anew at the next sign-in."""
        return _HASHER.check_needs_rehash(password_hash)

    async def _run(self, function: Callable[[], T]) -> T:
        if not self._room.acquire(blocking=False):
            raise rate_limited("Too many people are signing in at this moment. Try again.", 1)

        def leave(_: Future[Any]) -> None:
            self._room.release()

        future = self._threads.submit(function)
        # Room is given back when the thread is done, not when a caller stops waiting for it.
        future.add_done_callback(leave)
        return await asyncio.wrap_future(future)


def _normal(password: str) -> str:
    # The same password typed on two keyboards may come composed or decomposed (NIST SP 800-63B asks for NFKC or NFKD).
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode(errors="surrogatepass")
