"""Tests listing and ending sessions, by their owners and by administrators."""

import pytest

from tests.in_process_server import serving

ROLES = ["admin", "bursar", "teacher", "student", "guardian"]
OWN = "{ viewer { session { id } user { id sessions { totalCount nodes { id endedAt endReason userAgent address user { id } } } } } }"
END = "mutation ($id: ID!) { endSession(input: {id: $id}) { session { id endReason } userErrors { field code } } }"
END_ALL = "mutation ($id: ID!) { endSessions(input: {userId: $id}) { endedSessionCount user { id } userErrors { field code } } }"
REASON = "SELECT coalesce(revoked_because, 'goes on') FROM sessions WHERE id = $1::text::uuid"


@pytest.fixture
async def client(databases):
    url = databases.clone("demo", "sessions")
    async with serving(url) as made:
        yield made
    databases.drop("sessions")


async def signed_in(client, role):
    """Returns the token and the id of a new session, and its owner's id."""
    token = await client.token(f"{role}@demo.school")
    viewer = (await client.data("{ viewer { session { id } user { id } } }", token=token))["viewer"]
    return token, viewer["session"]["id"], viewer["user"]["id"]


async def is_good(client, token):
    return (await client.post("{ viewer { role } }", token=token)).status_code == 200


async def reason(client, session_id):
    return await client.app.state.services.database.fetchval(REASON, session_id.removeprefix("ses_"))


@pytest.mark.parametrize("role", ROLES)
async def test_everybody_sees_and_ends_their_own(client, role):
    here, there = await signed_in(client, role), await signed_in(client, role)
    viewer = (await client.data(OWN, token=here[0]))["viewer"]
    assert viewer["session"]["id"] == here[1]
    listed = viewer["user"]["sessions"]
    assert listed["totalCount"] == 2
    assert [each["id"] for each in listed["nodes"]] == [there[1], here[1]], "the newest first"
    assert all(each["address"] == "127.0.0.1" and each["userAgent"] and each["endedAt"] is None for each in listed["nodes"])
    ended = await client.data(END, token=here[0], id=there[1])
    assert ended["endSession"] == {"session": {"id": there[1], "endReason": "SIGNED_OUT"}, "userErrors": []}
    assert not await is_good(client, there[0])
    assert await is_good(client, here[0])
    assert (await client.data(END, token=here[0], id=here[1]))["endSession"]["userErrors"] == []
    assert not await is_good(client, here[0]), "the one that it asked in, too"


@pytest.mark.parametrize("role", ROLES)
async def test_who_is_signed_in_where_is_for_oneself_and_administrators(client, role):
    other = "bursar" if role != "bursar" else "teacher"
    token, *_ = await signed_in(client, role)
    theirs, session_id, user_id = await signed_in(client, other)
    query = "query ($session: ID!, $user: ID!) { session: node(id: $session) { id } user: node(id: $user) { ... on User { sessions { nodes { id } } } } }"
    answer = (await client.post(query, token=token, variables={"session": session_id, "user": user_id})).json()
    if role == "admin":
        assert answer["data"]["session"] == {"id": session_id}
        assert answer["data"]["user"]["sessions"]["nodes"] == [{"id": session_id}]
    else:
        assert answer["data"]["session"] is None
        assert (answer["data"]["user"] or {"sessions": None})["sessions"] is None
    ended = (await client.data(END, token=token, id=session_id))["endSession"]
    if role == "admin":
        assert ended == {"session": {"id": session_id, "endReason": "REVOKED"}, "userErrors": []}
        assert not await is_good(client, theirs)
    else:
        assert ended == {"session": None, "userErrors": [{"field": "id", "code": "NOT_FOUND"}]}
        assert await is_good(client, theirs)
        assert await reason(client, session_id) == "goes on"


@pytest.mark.parametrize("role", ROLES)
async def test_administrators_alone_end_all_sessions_of_somebody(client, role):
    token, *_ = await signed_in(client, role)
    theirs = [await signed_in(client, "teacher") for _ in range(3)]
    answer = (await client.post(END_ALL, token=token, variables={"id": theirs[0][2]})).json()
    if role != "admin":
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert [await reason(client, each[1]) for each in theirs] == ["goes on"] * 3
        return
    assert answer["data"]["endSessions"] == {"endedSessionCount": 3, "user": {"id": theirs[0][2]}, "userErrors": []}
    assert [await is_good(client, each[0]) for each in theirs] == [False] * 3
    assert [await reason(client, each[1]) for each in theirs] == ["REVOKED"] * 3
    assert await is_good(client, token)


async def test_of_their_own_sessions_the_administrators_goes_on(client):
    token, _, user_id = await signed_in(client, "admin")
    other, other_id, _ = await signed_in(client, "admin")
    assert (await client.data(END_ALL, token=token, id=user_id))["endSessions"]["endedSessionCount"] == 1
    assert await is_good(client, token)
    assert not await is_good(client, other)
    assert await reason(client, other_id) == "SIGNED_OUT"


async def test_nobody_is_no_user(client):
    token, *_ = await signed_in(client, "admin")
    answer = await client.data(END_ALL, token=token, id="usr_" + "0" * 32)
    assert answer["endSessions"] == {"endedSessionCount": 0, "user": None, "userErrors": [{"field": "userId", "code": "NOT_FOUND"}]}


async def test_one_that_has_ended_stays_as_it_was(client):
    token, *_ = await signed_in(client, "admin")
    theirs, session_id, _ = await signed_in(client, "guardian")
    await client.data("mutation { signOut { endedSessionCount } }", token=theirs)
    ended = (await client.data(END, token=token, id=session_id))["endSession"]
    assert ended["session"]["endReason"] == "SIGNED_OUT"


async def test_the_open_ones_can_be_asked_for(client):
    token, session_id, _ = await signed_in(client, "admin")
    other, *_ = await signed_in(client, "admin")
    await client.data("mutation { signOut { endedSessionCount } }", token=other)
    query = "query ($open: Boolean) { viewer { user { sessions(filter: {isOpen: $open}) { nodes { id } } } } }"
    for is_open, count in ((True, 1), (False, 1), (None, 2)):
        nodes = (await client.data(query, token=token, open=is_open))["viewer"]["user"]["sessions"]["nodes"]
        assert len(nodes) == count
        assert ({"id": session_id} in nodes) == (is_open is not False)


async def test_without_a_token_nothing_ends(client):
    _, session_id, user_id = await signed_in(client, "admin")
    for query, identifier in ((END, session_id), (END_ALL, user_id)):
        answer = (await client.post(query, variables={"id": identifier})).json()
        assert answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert await reason(client, session_id) == "goes on"
