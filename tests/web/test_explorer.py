"""Tests the explorer in a real browser: sessions are renewed in the background, their end is announced, and the page fits a phone."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from tests.in_process_server import PASSWORD, serving

pytestmark = pytest.mark.processes

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
ADMIN = "admin@demo.school"
RUN = ".graphiql-execute-button"
RESULT = ".result-window"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(demo_url):
    async with serving(demo_url) as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser():
    async with async_playwright() as playwright:
        # Containers often have no user but root, for whom Chromium has no sandbox. It opens only our own page.
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def opened(browser, server, *, width=1280, height=844, clock=None):
    page = await browser.new_page(viewport={"width": width, "height": height})
    page.set_default_timeout(30_000)
    if clock is not None:
        await page.clock.install(time=clock)
    page.asked = []
    page.errors = []
    page.on("request", lambda request: page.asked.append(request.post_data or "") if request.method == "POST" else None)
    page.on("pageerror", lambda error: page.errors.append(error))  # noqa: PLW0108 - Playwright marks the function
    await page.goto(f"{server.url}/explorer")
    await page.wait_for_selector(RUN)
    return page


async def sign_in(page, password=PASSWORD):
    await page.fill("input[name=email]", ADMIN)
    await page.fill("input[name=password]", password)
    await page.click("#sign-in button")


def refreshes(page):
    return sum("RefreshSessionInput" in each for each in page.asked)


@needs_browser
async def test_signing_in_and_out(browser, server):
    page = await opened(browser, server)
    await sign_in(page, "not the password")
    await expect(page.locator("#who")).to_have_text("The e-mail address or the password is wrong.")
    await sign_in(page)
    await expect(page.locator("#who")).to_have_text(f"Signed in as {ADMIN}")
    await expect(page.locator("#sign-in")).to_be_hidden()
    await page.click(RUN)
    await expect(page.locator(RESULT)).to_contain_text('"role": "ADMIN"')
    await page.click("#sign-out")
    await expect(page.locator("#who")).to_have_text("Signed out.")
    await expect(page.locator("#sign-in")).to_be_visible()
    assert page.errors == []
    await page.close()


@needs_browser
async def test_a_token_that_is_about_to_expire_is_renewed_while_nobody_looks(browser, server):
    page = await opened(browser, server)
    await page.clock.install()
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    assert refreshes(page) == 0
    async with page.expect_request(lambda request: "RefreshSessionInput" in (request.post_data or "")):
        await page.clock.fast_forward(timedelta(minutes=14, seconds=30) / timedelta(milliseconds=1))
    await page.close()


async def passes(page, time):
    await page.clock.fast_forward(time / timedelta(milliseconds=1))


async def run(page):
    """Runs the operation in the editor, and waits for its result."""
    async with page.expect_response(lambda response: "viewer { role" in (response.request.post_data or "")) as answered:
        await page.click(RUN)
    await (await answered.value).finished()


@needs_browser
@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_is_wrong_renews_no_sooner_and_no_later(browser, server, hours):
    page = await opened(browser, server, clock=datetime.now(UTC) + timedelta(hours=hours))
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    await run(page)
    assert refreshes(page) == 0
    await passes(page, timedelta(minutes=13))
    await run(page)
    assert refreshes(page) == 0
    async with page.expect_response(lambda response: "RefreshSessionInput" in (response.request.post_data or "")) as renewed:
        await passes(page, timedelta(minutes=1, seconds=30))
    await (await renewed.value).finished()
    await run(page)
    assert refreshes(page) == 1
    await page.close()


@needs_browser
async def test_tokens_that_seem_to_have_expired_when_they_come_are_renewed_no_sooner_than_half_a_minute_later(browser, server):
    """Checks responses without a Date header and a clock that is ahead, so that the token's remaining life is unknown."""

    async def without_a_date(route):
        answer = await route.fetch()
        await route.fulfill(response=answer, headers={name: value for name, value in answer.headers.items() if name != "date"})

    page = await opened(browser, server, clock=datetime.now(UTC) + timedelta(hours=1))
    await page.route("**/graphql", without_a_date)
    await page.reload()
    await page.wait_for_selector(RUN)
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    await run(page)
    await passes(page, timedelta(seconds=5))
    await run(page)
    assert refreshes(page) == 0
    for times in (1, 2):
        async with page.expect_response(lambda response: "RefreshSessionInput" in (response.request.post_data or "")) as renewed:
            await passes(page, timedelta(seconds=30))
        await (await renewed.value).finished()
        await run(page)
        assert refreshes(page) == times
    await page.close()


@needs_browser
async def test_a_renewal_that_fails_is_tried_again_after_longer_and_longer_pauses(browser, server):
    async def fail(route):
        if "RefreshSessionInput" in (route.request.post_data or ""):
            await route.abort()
        else:
            await route.continue_()

    page = await opened(browser, server, clock=datetime.now(UTC))
    await page.route("**/graphql", fail)
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    await run(page)
    pauses = [timedelta(minutes=14), *(timedelta(seconds=30 * 2**n) for n in range(4))]
    for times, pause in enumerate(pauses, start=1):
        await passes(page, pause / 2)
        await run(page)
        assert refreshes(page) == times - 1
        async with page.expect_event("requestfailed"):
            await passes(page, pause / 2 + timedelta(seconds=1))
        await expect(page.locator("#who")).to_contain_text("did not answer")
        await run(page)
        assert refreshes(page) == times
    await page.unroute("**/graphql")
    await passes(page, timedelta(minutes=8))
    await expect(page.locator("#who")).to_have_text(f"Signed in as {ADMIN}")
    assert refreshes(page) == len(pauses) + 1
    await page.close()


@needs_browser
async def test_a_token_that_the_server_refuses_is_renewed_once_and_the_request_is_sent_again(browser, server, monkeypatch):
    page = await opened(browser, server)
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    clock = server.app.state.services.authenticator.clock
    now = clock.now
    monkeypatch.setattr(clock, "now", lambda: now() + timedelta(minutes=20))
    await page.click(RUN)
    await expect(page.locator(RESULT)).to_contain_text('"role": "ADMIN"')
    assert refreshes(page) == 1
    await expect(page.locator("#who")).to_have_text(f"Signed in as {ADMIN}")
    await page.close()


@needs_browser
async def test_the_end_of_a_session_is_told(browser, server):
    page = await opened(browser, server)
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    token = await server.token(ADMIN)
    await server.data("mutation { signOut(input: {everywhere: true}) { endedSessionCount } }", token=token)
    await page.click(RUN)
    await expect(page.locator("#who")).to_have_text("Your session has ended. Sign in again.")
    await expect(page.locator("#sign-in")).to_be_visible()
    await page.close()


@needs_browser
@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 800)])
async def test_everything_fits_on_the_screen(browser, server, width, height):
    page = await opened(browser, server, width=width, height=height)
    await sign_in(page)
    await expect(page.locator("#sign-out")).to_be_visible()
    await page.click(RUN)
    await expect(page.locator(RESULT)).to_contain_text('"role": "ADMIN"')
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    for part, least in ((".graphiql-query-editor", 0.35), (RESULT, 0.35), (".graphiql-sidebar", 0.04), ("#sign-out", 0.05)):
        box = await page.locator(part).bounding_box()
        assert box["x"] >= 0, part
        assert box["y"] >= 0, part
        assert box["x"] + box["width"] <= width, part
        assert box["y"] + box["height"] <= height, part
        assert box["width"] >= least * width, part
    await page.close()


async def test_production_serves_no_explorer_unless_it_is_set_to(demo_url):
    for explorer, status in ((None, 404), (False, 404), (True, 200)):
        async with serving(demo_url, environment="production", explorer=explorer) as client:
            for path in ("/", "/explorer", "/explorer/explorer.js"):
                answer = await client.http.get(path, follow_redirects=True)
                assert answer.status_code == status, (explorer, path)
            page = await client.http.get("/graphql", headers={"accept": "text/html,*/*"})
            assert page.headers.get("location") == ("/explorer" if explorer else None)
    async with serving(demo_url, explorer=False) as client:
        assert (await client.http.get("/explorer")).status_code == 404
