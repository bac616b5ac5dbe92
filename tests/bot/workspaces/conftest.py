"""Somebody's browser, an installer that remembers in memory, and a stand-in Slack that gives codes and takes them."""

import html
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
from slack_sdk import WebClient

from bot.http.proxy import Answer
from bot.sandbox.gateway import build_event
from bot.sandbox.slack.seed import build_field_workspace, build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import OAuth, Settings
from bot.settings import AppCredentials
from bot.ui.text.install import PageText
from bot.workspaces.oauth_exchange import build_oauth_client
from bot.workspaces.oauth_flow import Installer, handle
from bot.workspaces.oauth_states import StateRefused

CREDENTIALS = AppCredentials("1.2", "the-apps-secret")
BACK = "https://api.example.com/dev/slack/oauth_redirect"


# --- What the installer remembers ---------------------------------------------------------------------------


class States:
    """States in memory; `refused` is what becomes of the next one, `failure` breaks both ways."""

    def __init__(self) -> None:
        self.issued: set[str] = set()
        self.refused: str | None = None
        self.failure: Exception | None = None

    def issue(self) -> str:
        if self.failure:
            raise self.failure
        self.issued.add(state := f"state-{len(self.issued):040}")
        return state

    def consume(self, state: str) -> bool:
        if self.failure:
            raise self.failure
        if self.refused or state not in self.issued:
            raise StateRefused(self.refused or "unknown")
        self.issued.remove(state)
        return True


class Kept:
    """What was installed; `failure` breaks keeping it."""

    def __init__(self) -> None:
        self.installations: list[Any] = []
        self.failure: Exception | None = None

    def save(self, installation: Any) -> None:
        if self.failure:
            raise self.failure
        self.installations.append(installation)


@pytest.fixture(scope="session")
def build_installer() -> Callable[[WebClient], Installer]:
    """Build an installer that lets T1FIELD in."""

    def build(client: WebClient) -> Installer:
        return Installer(CREDENTIALS, frozenset({"T1FIELD"}), BACK, States(), Kept(), client, time.time)

    return build


@pytest.fixture
def stand_in(serve) -> SimpleNamespace:
    """A Slack with two workspaces, Sandbox and Field office; `installations` has the bot in each, in this order."""
    app_settings = Settings(
        "signing", "xoxb-first", oauth=OAuth(CREDENTIALS.client_id, CREDENTIALS.client_secret, frozenset({BACK}))
    )
    app = create_app(build_workspace(time.time), app_settings, [build_field_workspace(time.time)])
    return SimpleNamespace(url=serve(Server(app)), installations=app.state.installations)


@pytest.fixture
def installer(stand_in, build_installer) -> Installer:
    return build_installer(build_oauth_client(f"{stand_in.url}/api/"))


# --- Who installs -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered to a browser."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def link(self) -> str:
        """Where its one link leads."""
        return html.unescape(re.search(r'<a href="([^"]*)"', self.body)[1])

    def says(self, text: PageText) -> bool:
        return all(html.escape(each) in self.body for each in (text.title, *text.paragraphs))


@dataclass(slots=True)
class Browser:
    """Gets its pages from `answer`, through API Gateway; `cookies` are the Cookie headers that it sends."""

    answer: Callable[[Mapping[str, Any]], Answer]
    cookies: list[str] = field(default_factory=list)

    def open(self, path: str, query: str = "") -> Page:
        headers = [("Host", "api.example.com"), *(("cookie", each) for each in self.cookies)]
        answer = self.answer(build_event("GET", path, headers, parse_qsl(query, keep_blank_values=True), b""))
        if set_cookie := answer["headers"].get("Set-Cookie"):
            self.cookies = [set_cookie.partition(";")[0]]
        return Page(answer["statusCode"], answer["headers"], answer["body"])

    def begin(self, query: str = "") -> str:
        """Open the page that offers it; give the address of Slack's question."""
        offered = self.open("/slack/install", query)
        assert offered.status == 200
        return offered.link

    def begin_with_state(self) -> str:
        """Begin, and give the state that Slack is to send back."""
        return parse_qs(urlsplit(self.begin()).query)["state"][0]

    def press(self, url: str, words: str) -> str:
        """Press a link on Slack's page; give the query of the address that the browser is sent to then."""
        page = httpx2.get(url).raise_for_status().text
        links = re.findall(r'<a href="([^"]*)">([^<]*)', page)
        target = next(html.unescape(address) for address, text in links if words in text)
        if target.startswith("/"):
            target = httpx2.get(httpx2.URL(url).join(target)).headers["location"]
        assert target.partition("?")[0] == BACK
        return urlsplit(target).query

    def come_back(self, query: str) -> Page:
        return self.open("/slack/oauth_redirect", query)

    def install(self, words: str = "Allow in Field office") -> Page:
        """Go all the way, with one press on Slack's page."""
        return self.come_back(self.press(self.begin(), words))


@pytest.fixture
def open_browser() -> Callable[[Callable[[Mapping[str, Any]], Answer]], Browser]:
    """Build a browser for what answers proxy events."""
    return Browser


@pytest.fixture
def browser_at(open_browser) -> Callable[[Installer | None], Browser]:
    """Build a browser that installs with an installer, or finds none."""
    return lambda installer: open_browser(lambda event: handle(event, lambda: installer))


@pytest.fixture
def browser(browser_at, installer) -> Browser:
    return browser_at(installer)
