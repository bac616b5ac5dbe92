"""Slack's side: what it is asked, and what becomes of whatever it answers."""

import logging
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import yaml
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from bot.settings import AppCredentials
from bot.ui.text import install as install_text
from bot.workspaces.oauth_exchange import SCOPES, build_oauth_client

# --- Slack's question ---------------------------------------------------------------------------------------


def test_slack_is_asked_for_what_the_manifest_says_and_to_come_back_here(browser, installer):
    url = browser.begin("team=T1FIELD")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    assert asked["client_id"] == installer.credentials.client_id
    assert asked["redirect_uri"] == installer.redirect_uri
    assert asked["scope"].split(",") == list(SCOPES)
    assert asked["team"] == "T1FIELD"
    with open("docs/slack-app-manifest.yml", encoding="utf-8") as manifest:
        assert set(SCOPES) == set(yaml.safe_load(manifest)["oauth_config"]["scopes"]["bot"])


@pytest.mark.parametrize("wanted", ["T1 FIELD", "<script>", "E1", "T1FIELD&scope=admin"])
def test_a_workspace_that_is_none_is_not_passed_on_to_slack(browser, wanted):
    assert "team=" not in browser.begin(str(httpx2.QueryParams({"team": wanted})))


# --- The code -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "text"), [("&code=made-up", install_text.CODE_REFUSED), ("", install_text.NO_CODE)])
def test_a_code_that_slack_does_not_take_or_did_not_send_installs_nothing(browser, code, text):
    page = browser.come_back(f"state={browser.begin_with_state()}{code}")

    assert (page.status, page.says(text)) == (400, True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"credentials": AppCredentials("1.2", "wrong")}, "bad_client_secret"),
        ({"redirect_uri": "https://elsewhere.example.com/slack/oauth_redirect"}, "bad_redirect_uri"),
    ],
)
def test_an_app_that_is_set_up_wrong_says_what_slack_says_of_it(browser, browser_at, installer, changes, word):
    query = browser.press(browser.begin(), "Allow in Field office")
    wrong = browser_at(replace(installer, **changes))
    wrong.cookies = browser.cookies

    page = wrong.come_back(query)

    assert (page.status, page.says(install_text.error_of_slack(word))) == (502, True)


def test_a_slack_that_cannot_be_reached_says_to_try_again(browser_at, installer):
    browser = browser_at(replace(installer, client=build_oauth_client("http://127.0.0.1:9/api/")))

    page = browser.come_back(f"state={browser.begin_with_state()}&code=1")

    assert (page.status, page.says(install_text.SLACK_AWAY)) == (503, True)


# --- Slacks that do strange things --------------------------------------------------------------------------


GRANTED = {
    "ok": True, "access_token": "xoxb-secret", "token_type": "bot", "scope": "commands", "bot_user_id": "U1BOT",
    "app_id": "A1", "team": {"id": "T1FIELD", "name": "Field <b>office</b>"}, "enterprise": None,
    "authed_user": {"id": "U1NORA"}, "is_enterprise_install": False,
}  # fmt: skip


@pytest.fixture
def odd_slack(serve, installer, browser_at):
    """Install with a Slack that answers the exchange of a code as it is told."""

    def run(answer: Any, status: int = 200, allowed: str = "T1FIELD"):
        async def access(request):
            return JSONResponse(answer, status) if not isinstance(answer, str) else PlainTextResponse(answer, status)

        async def auth_test(request):
            return JSONResponse({"ok": True, "bot_id": "B1", "team_id": "T1FIELD"})

        url = serve(Starlette(routes=[
            Route("/api/oauth.v2.access", access, methods=["POST"]),
            Route("/api/auth.test", auth_test, methods=["POST"]),
        ]))  # fmt: skip
        odd = replace(installer, client=build_oauth_client(f"{url}/api/"), allowed=frozenset({allowed}))
        browser = browser_at(odd)
        return browser.come_back(f"state={browser.begin_with_state()}&code=the-code")

    return run


def test_an_organisation_allows_all_its_workspaces_by_its_own_id(odd_slack):
    enterprise = {"id": "E1", "name": "Example"}

    assert odd_slack({**GRANTED, "enterprise": enterprise}, allowed="E1").status == 200
    assert odd_slack({**GRANTED, "enterprise": enterprise}, allowed="E2").status == 403


def test_a_whole_organisation_at_once_is_refused_with_what_to_do(odd_slack, installer):
    whole = {**GRANTED, "team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True}

    page = odd_slack(whole, allowed="E1")

    assert (page.status, page.says(install_text.ORGANISATION_WIDE)) == (403, True)
    assert installer.installations.installations == []


@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        ("<html>bad gateway</html>", 502, 503),
        ("not JSON", 200, 503),
        ({"ok": False, "error": "ratelimited"}, 429, 503),
        ({"ok": False, "error": "fatal_error"}, 200, 503),
        ({"ok": False, "error": "invalid_auth"}, 200, 502),
        ({"ok": True}, 200, 502),
        ({**GRANTED, "team": "T1FIELD"}, 200, 502),
        ({**GRANTED, "access_token": None}, 200, 502),
        ({**GRANTED, "enterprise": "E1", "authed_user": []}, 200, 200),
    ],
)
def test_whatever_slack_answers_the_person_sees_a_page(odd_slack, answer, status, expected):
    page = odd_slack(answer, status)

    assert page.status == expected
    assert page.body.startswith("<!DOCTYPE html>")


def test_a_name_is_text_whatever_it_looks_like(odd_slack):
    body = odd_slack(GRANTED).body

    assert "<b>" not in body
    assert "Field &lt;b&gt;office&lt;/b&gt;" in body


@pytest.mark.parametrize(
    "answer",
    [GRANTED, {"ok": False, "error": "invalid_code"}, {**GRANTED, "team": {"id": "T9OTHER"}}, "xoxb-secret the-code"],
)
def test_neither_code_nor_token_nor_secret_is_in_a_log_or_on_a_page(odd_slack, installer, caplog, answer):
    caplog.set_level(logging.DEBUG)

    page = odd_slack(answer)

    ours = [each for each in caplog.records if each.name.startswith(("bot", "slack"))]
    logged = "\n".join(f"{each.getMessage()} {vars(each)}" for each in ours)
    assert any("installed" in each.getMessage() for each in ours)
    for secret in ("the-code", "xoxb-secret", installer.credentials.client_secret):
        assert secret not in logged
        assert secret not in str(page)
