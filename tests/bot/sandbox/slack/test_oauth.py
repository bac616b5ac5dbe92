"""OAuth in the stand-in Slack: the app is installed in a second workspace, and uninstalled."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.seed import build_field_workspace, build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import Command, OAuth, Settings

BACK = "https://api.example.com/slack/oauth_redirect"
QUERY = {"client_id": "1.2", "redirect_uri": BACK, "state": "a state", "scope": "commands,chat:write"}
SIGNING_SECRET, TOKEN = "signing-secret-of-the-tests", "xoxb-of-the-tests"


@dataclass
class Slack:
    url: str
    installations: Any

    def get(self, path: str, **query: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", params=query, timeout=10)

    def code(self, team: str = "T1FIELD") -> str:
        location = self.get("/oauth/v2/allow", **QUERY, team=team).headers["location"]
        return parse_qs(urlsplit(location).query)["code"][0]

    def access(self, code: str, redirect_uri: str = BACK, client_id: str = "1.2", secret: str = "hidden") -> str:
        """Exchange a code; return the token or Slack's error code."""
        client = WebClient(base_url=f"{self.url}/api/", retry_handlers=[])
        try:
            answer = client.oauth_v2_access(
                client_id=client_id, client_secret=secret, code=code, redirect_uri=redirect_uri
            )
        except SlackApiError as error:
            return str(error.response["error"])
        return str(answer["access_token"])

    def client(self, token: str) -> WebClient:
        return WebClient(token, base_url=f"{self.url}/api/", retry_handlers=[])

    def do(self, act: str, **fields: Any) -> httpx2.Response:
        """Use an action of the page in the second workspace."""
        fields = {"channel": "C1SUPPORT", "user": "U1NORA", **fields}
        return httpx2.post(f"{self.url}/workspaces/T1FIELD/sandbox/{act}", json=fields, timeout=10)


@pytest.fixture
def slack(serve, receiving_app) -> Slack:
    urls = {name: f"{receiving_app.url}/slack/{name}" for name in ("events", "commands")}
    settings = Settings(
        SIGNING_SECRET,
        TOKEN,
        oauth=OAuth("1.2", "hidden", frozenset({BACK})),
        commands=(Command("/classify", "Classify"),),
        events_url=urls["events"],
        commands_url=urls["commands"],
    )
    app = create_app(build_workspace(), settings, [build_field_workspace()])
    return Slack(serve(Server(app)), app.state.installations)


def test_a_person_is_asked_in_which_workspace_and_for_what(slack):
    page = slack.get("/oauth/v2/authorize", **QUERY)

    assert page.status_code == 200
    assert all(words in page.text for words in ("Allow in Sandbox", "Allow in Field office", "commands, chat:write"))
    assert "Allow in Sandbox" not in slack.get("/oauth/v2/authorize", **QUERY, team="T1FIELD").text


@pytest.mark.parametrize("changes", [{"client_id": "9"}, {"redirect_uri": "https://evil.example.com"}, {"team": "T9"}])
def test_a_link_that_is_not_the_apps_leads_nowhere(slack, changes):
    answer = slack.get("/oauth/v2/allow", **{**QUERY, "team": "T1FIELD", **changes})

    assert answer.status_code == 400


def test_allow_redirects_with_a_code_and_the_state(slack):
    answer = slack.get("/oauth/v2/allow", **QUERY, team="T1FIELD")

    assert answer.status_code == 302
    assert answer.headers["location"].partition("?")[0] == BACK
    assert dict(parse_qsl(urlsplit(answer.headers["location"]).query))["state"] == "a state"


def test_a_code_is_worth_a_token_of_its_workspace_once(slack):
    code = slack.code()

    token = slack.access(code)

    assert slack.client(token).auth_test()["team_id"] == "T1FIELD"
    assert slack.client(TOKEN).auth_test()["team_id"] == "T0SANDBOX"
    assert slack.access(code) == "code_already_used"
    assert slack.access(slack.code()) == token, "installing again gives the same token"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "made-up"}, "invalid_code"),
        ({"redirect_uri": "https://elsewhere.example.com"}, "bad_redirect_uri"),
        ({"client_id": "9"}, "invalid_client_id"),
        ({"secret": "wrong"}, "bad_client_secret"),
    ],
)
def test_an_exchange_that_is_not_in_order_is_refused(slack, changes, error):
    assert slack.access(**{"code": slack.code(), **changes}) == error


@pytest.mark.parametrize("credentials", ["", "Basic", "Basic é", "Basic /w==", "Bearer MS4yOmhpZGRlbg=="])
def test_credentials_that_are_none_are_refused(slack, credentials):
    headers = {"authorization": credentials.encode("latin-1")}

    answer = httpx2.post(f"{slack.url}/api/oauth.v2.access", data={"code": slack.code()}, headers=headers)

    assert answer.json() == {"ok": False, "error": "invalid_client_id"}


@pytest.mark.parametrize("token", [["a list"], {}, 5, "xoxb-unknown"])
def test_a_token_that_is_none_is_refused(slack, token):
    answer = httpx2.post(f"{slack.url}/api/auth.test", json={"token": token})

    assert answer.json()["error"] in ("invalid_auth", "not_authed")


def test_an_app_hears_of_a_workspace_only_while_it_is_installed_there(slack, receiving_app):
    slack.do("messages", text="too early").raise_for_status()
    slack.access(slack.code())
    slack.do("messages", text="in time").raise_for_status()

    received = json.loads(receiving_app.next().body)
    assert (received["event"]["text"], received["team_id"]) == ("in time", "T1FIELD")
    assert received["authorizations"][0]["user_id"] == "U1BOT"


def test_an_app_that_is_taken_out_hears_of_it_and_has_no_token_any_more(slack, receiving_app):
    token = slack.access(slack.code())

    slack.do("uninstall").raise_for_status()

    received = [json.loads(receiving_app.next().body)["event"] for _ in range(2)]
    assert {each["type"] for each in received} == {"tokens_revoked", "app_uninstalled"}
    with pytest.raises(SlackApiError, match="token_revoked"):
        slack.client(token).auth_test()
    assert slack.do("uninstall").status_code == 409


def test_each_workspace_has_its_page_and_links_that_lead_there(slack):
    client = slack.client(slack.access(slack.code()))
    ts = slack.do("messages", text="hello").json()["ts"]

    link = client.chat_getPermalink(channel="C1SUPPORT", message_ts=ts)["permalink"]

    assert link.startswith(f"{slack.url}/workspaces/T1FIELD/archives/C1SUPPORT/p")
    assert httpx2.get(link).headers["location"] == f"/workspaces/T1FIELD/#C1SUPPORT/{ts}"
    assert "<title>Sandbox</title>" in slack.get("/workspaces/T1FIELD/").text
    assert slack.get("/workspaces/T1FIELD/sandbox/state").json()["team"]["id"] == "T1FIELD"


def test_an_answer_to_a_command_comes_back_to_its_own_workspace(slack, receiving_app):
    slack.access(slack.code())
    slack.do("commands", command="/classify", text="x").raise_for_status()
    form = dict(parse_qsl(receiving_app.next().body.decode()))

    httpx2.post(form["response_url"], json={"text": "here it is"}).raise_for_status()

    state = slack.get("/workspaces/T1FIELD/sandbox/state").json()
    assert [each["text"] for each in state["channels"][0]["ephemerals"]] == ["here it is"]


def test_without_oauth_settings_there_is_no_consent_page(serve):
    url = serve(Server(create_app(build_workspace(), Settings(SIGNING_SECRET, TOKEN))))

    assert httpx2.get(f"{url}/oauth/v2/authorize?{urlencode(QUERY)}").status_code == 404
