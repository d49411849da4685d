"""Tests a worker's cache of viewers: it is bounded, revocations remove entries, and what was read before a revocation is never cached."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from auth.viewer import Viewer
from auth.viewer_cache import Entry, ViewerCache

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
USERS = [uuid4() for _ in range(3)]


def entry(user: UUID, session: UUID | None = None, minutes: int = 15) -> Entry:
    session = session or uuid4()
    return Entry(Viewer(user, "TEACHER", session), NOW + timedelta(minutes=minutes), (("session", session), ("user", user)))


def test_an_entry_is_found_until_it_expires() -> None:
    cache = ViewerCache(10)
    made = entry(USERS[0])
    cache.put(b"a", made, cache.generation)
    assert cache.get(b"a", NOW + timedelta(minutes=14, seconds=59)) is made
    assert cache.get(b"a", NOW + timedelta(minutes=15)) is None
    assert len(cache) == 0


def test_the_least_recently_used_goes_first() -> None:
    cache = ViewerCache(2)
    for token in (b"a", b"b"):
        cache.put(token, entry(USERS[0]), cache.generation)
    cache.get(b"a", NOW)
    cache.put(b"c", entry(USERS[0]), cache.generation)
    assert [bool(cache.get(token, NOW)) for token in (b"a", b"b", b"c")] == [True, False, True]


def test_a_revocation_drops_what_stands_on_it_and_nothing_else() -> None:
    cache = ViewerCache(10)
    session = uuid4()
    cache.put(b"a", entry(USERS[0], session), cache.generation)
    cache.put(b"b", entry(USERS[0]), cache.generation)
    cache.put(b"c", entry(USERS[1]), cache.generation)
    cache.revoke("session", session)
    assert [bool(cache.get(token, NOW)) for token in (b"a", b"b", b"c")] == [False, True, True]
    cache.revoke("user", USERS[0])
    assert [bool(cache.get(token, NOW)) for token in (b"a", b"b", b"c")] == [False, False, True]
    cache.revoke("session", USERS[1])
    assert cache.get(b"c", NOW)


def test_what_was_read_before_a_revocation_is_not_kept_after_it() -> None:
    cache = ViewerCache(10)
    for happens in (lambda: cache.revoke("user", uuid4()), cache.clear):
        read_in = cache.generation
        happens()
        cache.put(b"a", entry(USERS[0]), read_in)
        assert cache.get(b"a", NOW) is None


STEPS = st.lists(
    st.tuples(st.just("keep"), st.binary(max_size=1), st.sampled_from(USERS))
    | st.tuples(st.just("revoke"), st.just(b""), st.sampled_from(USERS))
    | st.tuples(st.just("find"), st.binary(max_size=1), st.sampled_from(USERS))
)


@given(STEPS, st.integers(1, 4))
def test_whatever_happens_it_stays_small_and_forgets_the_revoked(steps: list[tuple[str, bytes, UUID]], size: int) -> None:
    cache = ViewerCache(size)
    owners: dict[bytes, UUID] = {}
    for step, token, user in steps:
        if step == "keep":
            cache.put(token, entry(user), cache.generation)
            owners[token] = user
        elif step == "revoke":
            cache.revoke("user", user)
            owners = {token: owner for token, owner in owners.items() if owner != user}
        else:
            found = cache.get(token, NOW)
            assert found is None or found.viewer.user_id == owners[token]
        assert len(cache) <= size
        assert sum(len(tokens) for tokens in cache._tokens.values()) == 2 * len(cache)
