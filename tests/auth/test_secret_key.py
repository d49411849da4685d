"""Tests the secret key of an installation without SECRET_KEY."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from auth.secret_key import load_or_create_secret_key
from config import ConfigurationError, Settings
from db.postgres_binaries import unprivileged_account
from tests.temp_folders import reachable_folder


@pytest.fixture
def folder():
    return reachable_folder("secret")


def test_it_is_made_once_and_kept_for_its_owner_alone(folder):
    first = load_or_create_secret_key(folder / "new" / "data")
    assert len(first) == 64
    assert load_or_create_secret_key(folder / "new" / "data") == first
    assert stat.S_IMODE((folder / "new" / "data" / "secret_key").stat().st_mode) == 0o600
    assert load_or_create_secret_key(folder / "another") != first
    Settings(secret_key=first)


def test_starts_at_once_get_the_same_and_leave_nothing_beside_it(folder):
    with ThreadPoolExecutor(16) as pool:
        made = set(pool.map(load_or_create_secret_key, [folder / "data"] * 64))
    assert len(made) == 1
    assert [path.name for path in (folder / "data").iterdir()] == ["secret_key"]


def test_one_that_others_can_read_is_not_used(folder):
    load_or_create_secret_key(folder)
    (folder / "secret_key").chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_create_secret_key(folder)


@pytest.mark.parametrize("kept", [b"", b"short\n", b"\xff" * 64])
def test_one_that_is_none_is_not_used(folder, kept):
    (folder / "secret_key").write_bytes(kept)
    (folder / "secret_key").chmod(0o600)
    with pytest.raises(ConfigurationError, match="secret_key"):
        load_or_create_secret_key(folder)


def test_where_none_can_be_kept_that_is_said(folder):
    (folder / "data").write_text("a file")
    with pytest.raises(ConfigurationError, match="SECRET_KEY is not set"):
        load_or_create_secret_key(folder / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
def test_what_root_makes_in_a_users_folder_is_the_users(folder):
    os.chown(folder, 1234, 1234)
    load_or_create_secret_key(folder)
    assert (folder / "secret_key").stat().st_uid == 1234


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")
def test_in_a_folder_of_postgresqls_account_it_stays_roots(folder):
    folder.chmod(0o700)
    os.chown(folder, unprivileged_account().uid, unprivileged_account().gid)
    load_or_create_secret_key(folder)
    assert (folder / "secret_key").stat().st_uid == 0
