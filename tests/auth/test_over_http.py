"""Tests authentication over HTTP as clients use it, from sign-in to sign-out, and what each kind of user is denied."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from argon2 import PasswordHasher

from app import create_app
from config import Settings
from tests.auth.school import PASSWORD, School

NEW = "a new and longer password"
SESSION = "session { accessToken accessTokenExpiresAt refreshToken sessionExpiresAt } userErrors { field code message }"
SIGN_IN = f"mutation ($input: SignInInput!) {{ answer: signIn(input: $input) {{ {SESSION} }} }}"
REFRESH = f"mutation ($input: RefreshSessionInput!) {{ answer: refreshSession(input: $input) {{ {SESSION} }} }}"
RESET = f"mutation ($input: ResetPasswordInput!) {{ answer: resetPassword(input: $input) {{ {SESSION} }} }}"
SIGN_OUT = "mutation ($input: SignOutInput) { answer: signOut(input: $input) { endedSessionCount userErrors { code } } }"
CHANGE = "mutation ($input: ChangePasswordInput!) { answer: changePassword(input: $input) { changed userErrors { field code } } }"
ISSUE = """mutation ($input: IssuePasswordResetInput!) {
    answer: issuePasswordReset(input: $input) { passwordReset { token expiresAt user { id name } } userErrors { field code } }
}"""
TOKEN = "serviceToken { id name scopes createdAt expiresAt lastUsedAt revokedAt createdBy { id } }"
CREATE = f"mutation ($input: CreateServiceTokenInput!) {{ answer: createServiceToken(input: $input) {{ {TOKEN} token userErrors {{ field code }} }} }}"
REVOKE = (
    f"mutation ($input: RevokeServiceTokenInput!) {{ answer: revokeServiceToken(input: $input) {{ {TOKEN} userErrors {{ field code }} }} }}"
)
LIST = f"{{ answer: serviceTokens(first: 100) {{ totalCount nodes {TOKEN.removeprefix('serviceToken')} }} }}"
WHO = "{ answer: viewer { role user { id name email: contact { email } } } }"


class Http:
    """Sends requests to the whole server."""

    def __init__(self, client: httpx2.AsyncClient, school: School) -> None:
        self._client = client
        self.school = school

    async def ask(self, document: str, bearer: str | None = None, /, **given: Any) -> Any:
        """Returns the field `answer` of the data, or the error's code."""
        headers = {} if bearer is None else {"authorization": f"Bearer {bearer}"}
        body = {"query": document, "variables": {"input": given} if given else {}}
        answer = (await self._client.post("/graphql", json=body, headers=headers)).json()
        if "errors" in answer:
            assert not (answer.get("data") or {}).get("answer"), answer
            return answer["errors"][0]["extensions"]["code"]
        return answer["data"]["answer"]

    async def sign_in(self, role: str) -> tuple[str, dict[str, Any]]:
        user_id, email = await self.school.person(role)
        answer = await self.ask(SIGN_IN, email=email, password=PASSWORD)
        assert answer["userErrors"] == []
        return f"usr_{user_id.hex}", answer["session"]


@pytest.fixture
async def http(school: School) -> AsyncIterator[Http]:
    app = create_app(Settings(environment="test", database_url=school.url, pool_min_size=1))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://school.test") as client,
    ):
        yield Http(client, school)


async def test_a_session_from_beginning_to_end(http: Http) -> None:
    assert await http.ask(WHO) is None
    _, session = await http.sign_in("TEACHER")
    assert (await http.ask(WHO, session["accessToken"]))["role"] == "TEACHER"
    refreshed = (await http.ask(REFRESH, refreshToken=session["refreshToken"]))["session"]
    assert refreshed["refreshToken"].startswith("rcr_")
    assert refreshed["sessionExpiresAt"] == session["sessionExpiresAt"]
    answer = await http.ask(CHANGE, refreshed["accessToken"], currentPassword=PASSWORD, newPassword=NEW)
    assert answer == {"changed": True, "userErrors": []}
    assert await http.ask(SIGN_OUT, refreshed["accessToken"]) == {"endedSessionCount": 1, "userErrors": []}
    assert await http.ask(WHO, refreshed["accessToken"]) == "UNAUTHENTICATED"
    assert await http.ask(WHO, session["accessToken"]) == "UNAUTHENTICATED"
    assert await http.ask(REFRESH, refreshToken=refreshed["refreshToken"]) == "UNAUTHENTICATED"


async def test_wrong_credentials_are_an_answer_and_too_many_an_error(http: Http) -> None:
    _, email = await http.school.person()
    for _ in range(6):
        answer = await http.ask(SIGN_IN, email=email, password="wrong")
        assert answer["session"] is None
        assert [each["code"] for each in answer["userErrors"]] == ["WRONG_CREDENTIALS"]
    assert await http.ask(SIGN_IN, email=email, password=PASSWORD) == "RATE_LIMITED"


async def test_a_school_behind_one_address_signs_in_at_once(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checks with the default settings that no limit mistakes a school's morning for an attack."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr("auth.passwords._HASHER", hasher)
    emails = [(await http.school.person("STUDENT"))[1] for _ in range(150)]
    await http.school.database.execute("UPDATE users SET password_hash = $1 WHERE email = ANY($2)", hasher.hash(PASSWORD), emails)
    answers = await asyncio.gather(*(http.ask(SIGN_IN, email=each, password=PASSWORD) for each in emails))
    assert [answer for answer in answers if isinstance(answer, str)] == []
    assert all(answer["session"] for answer in answers)


async def test_a_request_cannot_hold_many_guesses(http: Http) -> None:
    fields = "\n".join(
        f'a{number}: signIn(input: {{email: "a@b", password: "{number}"}}) {{ session {{ accessToken }} }}' for number in range(9)
    )
    assert await http.ask(f"mutation {{ {fields} }}") == "QUERY_TOO_COSTLY"
    assert await http.school.value("SELECT count(*) FROM sign_in_throttles") == 0


async def test_a_password_reset_from_issue_to_use(http: Http) -> None:
    _, administrator = await http.sign_in("ADMIN")
    user, session = await http.sign_in("GUARDIAN")
    issued = await http.ask(ISSUE, administrator["accessToken"], userId=user)
    assert issued["userErrors"] == []
    assert issued["passwordReset"]["user"] == {"id": user, "name": "Ada Byron"}
    token = issued["passwordReset"]["token"]
    refused = await http.ask(RESET, token=token, newPassword="short")
    assert [(each["field"], each["code"]) for each in refused["userErrors"]] == [("newPassword", "PASSWORD_TOO_SHORT")]
    answer = await http.ask(RESET, token=token, newPassword=NEW)
    assert answer["userErrors"] == []
    assert (await http.ask(WHO, answer["session"]["accessToken"]))["user"]["id"] == user
    assert await http.ask(WHO, session["accessToken"]) == "UNAUTHENTICATED"


async def test_a_service_token_from_birth_to_death(http: Http) -> None:
    me, administrator = await http.sign_in("ADMIN")
    made = await http.ask(CREATE, administrator["accessToken"], name="Dashboard", scopes=["HEALTH_READ"])
    assert made["userErrors"] == []
    record = made["serviceToken"]
    assert (record["name"], record["scopes"], record["createdBy"]) == ("Dashboard", ["HEALTH_READ"], {"id": me})
    assert await http.ask("{ answer: systemHealth { status } }", made["token"]) == {"status": "healthy"}
    assert await http.ask(WHO, made["token"]) is None
    assert await http.ask("{ answer: students { nodes { id } } }", made["token"]) == "FORBIDDEN"
    listed = await http.ask(LIST, administrator["accessToken"])
    assert listed["totalCount"] == len(listed["nodes"])
    assert record["id"] in [each["id"] for each in listed["nodes"]]
    node = f'{{ answer: node(id: "{record["id"]}") {{ ... on ServiceToken {{ name }} }} }}'
    assert await http.ask(node, administrator["accessToken"]) == {"name": "Dashboard"}
    revoked = await http.ask(REVOKE, administrator["accessToken"], id=record["id"])
    assert revoked["serviceToken"]["revokedAt"] is not None
    assert await http.ask("{ answer: systemHealth { status } }", made["token"]) == "UNAUTHENTICATED"


@pytest.mark.parametrize("role", ["BURSAR", "TEACHER", "STUDENT", "GUARDIAN", "service", None])
async def test_what_is_the_administrators_alone(http: Http, role: str | None) -> None:
    user, administrator = await http.sign_in("ADMIN")
    existing = await http.ask(CREATE, administrator["accessToken"], name="Existing", scopes=["HEALTH_READ"])
    token, expected = None, "UNAUTHENTICATED"
    if role == "service":
        token, expected = existing["token"], "FORBIDDEN"
    elif role is not None:
        token, expected = (await http.sign_in(role))[1]["accessToken"], "FORBIDDEN"
    tables = "SELECT (SELECT count(*) FROM service_tokens) + (SELECT count(*) FROM password_resets)"
    before = await http.school.value(tables)
    record = existing["serviceToken"]["id"]
    assert await http.ask(ISSUE, token, userId=user) == expected
    assert await http.ask(CREATE, token, name="Mine", scopes=["HEALTH_READ"]) == expected
    assert await http.ask(REVOKE, token, id=record) == expected
    assert await http.ask(LIST, token) == expected
    node = f'{{ answer: node(id: "{record}") {{ id }} }}'
    assert await http.ask(node, token) == (None if role not in ("service", None) else expected)
    assert await http.school.value(tables) == before
    assert await http.ask("{ answer: systemHealth { status } }", existing["token"]) == {"status": "healthy"}


@pytest.mark.parametrize("role", ["service", None])
async def test_what_needs_an_account(http: Http, role: str | None) -> None:
    token, expected = None, "UNAUTHENTICATED"
    if role == "service":
        _, administrator = await http.sign_in("ADMIN")
        made = await http.ask(CREATE, administrator["accessToken"], name="Robot", scopes=["HEALTH_READ"])
        token, expected = made["token"], "FORBIDDEN"
    assert await http.ask(SIGN_OUT, token) == expected
    assert await http.ask(CHANGE, token, currentPassword=PASSWORD, newPassword=NEW) == expected


@pytest.mark.parametrize("role", ["ADMIN", "BURSAR", "TEACHER", "STUDENT", "GUARDIAN"])
async def test_everybody_manages_their_own_sign_in(http: Http, role: str) -> None:
    _, session = await http.sign_in(role)
    changed = await http.ask(CHANGE, session["accessToken"], currentPassword="wrong", newPassword=NEW)
    assert changed == {"changed": False, "userErrors": [{"field": "currentPassword", "code": "WRONG_PASSWORD"}]}
    assert (await http.ask(SIGN_OUT, session["accessToken"], everywhere=True))["endedSessionCount"] == 1


async def test_an_id_of_another_type_is_said_to_be_one(http: Http) -> None:
    user, administrator = await http.sign_in("ADMIN")
    assert await http.ask(REVOKE, administrator["accessToken"], id=user) == "BAD_USER_INPUT"
    assert await http.ask(ISSUE, administrator["accessToken"], userId="stu_" + user[4:]) == "BAD_USER_INPUT"
