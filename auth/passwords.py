"""Passwords: which ones are good enough, and Argon2id off the event loop."""

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from secrets import token_urlsafe
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

__all__ = ["MAX_LENGTH", "MIN_LENGTH", "Passwords", "password_problem"]

T = TypeVar("T")

MIN_LENGTH = 10
MAX_LENGTH = 128
# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Beside a busy event loop and PostgreSQL a hash gets a tenth of what they get: enough for three sign-ins a second on a processor without an idle moment.
_NICE = 5
# Normalising text holds the interpreter's lock, and takes as long as the text is long; for combining marks in no order, as long as its square (4 ms at
# this length). No password that may be chosen is typed in so many code points.
_LONGEST_TYPED = 8 * MAX_LENGTH
_TOO_LONG = ("PASSWORD_TOO_LONG", f"A password has {MAX_LENGTH} characters or fewer.")
_COMMON = frozenset((Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split())


def password_problem(password: str, email: str | None) -> tuple[str, str] | None:
    """Why a password may not be chosen, as (code, message); None when it may.

    Length counts, a list of what everybody tries is refused, and there are no rules about kinds of characters
    (NIST SP 800-63B, 5.1.1.2). Lengths are in Unicode code points.
    """
    if len(password) > _LONGEST_TYPED:
        return _TOO_LONG
    password = _normal(password)
    folded = password.casefold()
    if len(password) < MIN_LENGTH:
        return "PASSWORD_TOO_SHORT", f"A password has {MIN_LENGTH} characters or more."
    if len(password) > MAX_LENGTH:
        return _TOO_LONG
    if email is not None and folded in (email.casefold(), email.casefold().partition("@")[0]):
        return "PASSWORD_IS_EMAIL", "The password must not be the e-mail address."
    if folded in _COMMON or len(set(folded)) < 3:
        return "PASSWORD_TOO_COMMON", "This password is one of those that everybody tries first."
    return None


class Passwords:
    """Hashes and verifies in `threads` of its own: Argon2 lets go of the interpreter's lock, and the event loop goes on.

    The threads have a lower priority than the event loop, so that hashing gets the processor time that nobody else wants, and a little of what
    others do. How many may wait for them is for the callers to bound (auth/sign_in_gate.py). Each uses 19 MiB.
    """

    def __init__(self, threads: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2", initializer=_lower_priority)
        # Verified when there is no account, so that it takes as long as when there is one.
        self._nobody = _HASHER.hash(token_urlsafe(32))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The encoded Argon2id hash, with its parameters and salt."""
        return await self._run(lambda: _HASHER.hash(_bytes(password)))

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Whether it is the password. For no hash (no such account, or one without a password) it takes the same time and is not."""
        if len(password) > _LONGEST_TYPED:
            password_hash, password = None, ""

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
        return await asyncio.get_running_loop().run_in_executor(self._threads, function)


def _lower_priority() -> None:
    # Linux keeps a priority for each thread; elsewhere this would slow the whole process.
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(os.getpriority(os.PRIO_PROCESS, thread) + _NICE, 19))


def _normal(password: str) -> str:
    # The same password typed on two keyboards may come composed or decomposed (NIST SP 800-63B asks for NFKC or NFKD).
    return unicodedata.normalize("NFKC", password)


def _bytes(password: str) -> bytes:
    return _normal(password).encode(errors="surrogatepass")
