"""From the page that offers it to the workspace that is installed, and where the way ends before."""

import logging

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient

from bot.ui.text import install as install_text
from bot.workspaces.installations import InstallationsUnavailable
from bot.workspaces.oauth_flow import handle

AGAIN = "https://api.example.com/dev/slack/install"


# --- The way through ----------------------------------------------------------------------------------------


def test_a_workspace_of_the_organisation_is_installed(browser, installer, stand_in, caplog):
    caplog.set_level(logging.DEBUG)

    page = browser.install("Allow in Field office")

    assert page.status == 200
    assert page.says(install_text.installed("Field office"))
    assert page.link == "https://app.slack.com/client/T1FIELD"
    [kept] = installer.installations.installations
    assert kept.bot_token == stand_in.installations[1].token
    assert (kept.team_id, kept.bot_id, kept.bot_user_id) == ("T1FIELD", "B1TRIAGE", "U1BOT")
    assert "T1FIELD" in caplog.text


def test_installing_again_keeps_the_new_token_in_place_of_the_old(browser, installer):
    for _ in range(2):
        assert browser.install().status == 200

    assert len(installer.installations.installations) == 2


# --- Where it ends ------------------------------------------------------------------------------------------


def test_whoever_presses_cancel_has_installed_nothing(browser, installer):
    page = browser.install("Cancel")

    assert page.status == 200
    assert page.says(install_text.CANCELLED)
    assert page.link == AGAIN
    assert installer.installations.installations == []


@pytest.mark.parametrize("error", ["invalid_team_for_non_distributed_app", "<b>&", "x" * 500, ""])
def test_an_error_that_slack_sends_along_is_shown_if_it_is_one(browser, error):
    page = browser.come_back(str(httpx2.QueryParams({"error": error})))

    shown = error if error.startswith("invalid") else "unknown_error"
    assert page.status == 400
    assert page.says(install_text.error_of_slack(shown))


def test_a_workspace_that_is_not_on_the_list_is_not_served_and_its_token_not_kept(browser, installer):
    page = browser.install("Allow in Sandbox")

    assert page.status == 403
    assert page.says(install_text.not_allowed("Sandbox", "T0SANDBOX"))
    assert installer.installations.installations == []


def test_where_the_bots_own_memory_fails_the_person_can_try_again(browser, installer):
    query = browser.press(browser.begin(), "Allow in Field office")
    installer.installations.failure = InstallationsUnavailable("the table did not answer")

    page = browser.come_back(query)
    installer.states.failure = InstallationsUnavailable("the table did not answer")
    offered = browser.open("/slack/install")

    assert (page.status, page.says(install_text.NOT_KEPT)) == (503, True)
    assert (offered.status, offered.says(install_text.NOT_KEPT)) == (503, True)


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth_redirect"])
def test_where_one_workspace_is_served_nothing_can_be_installed(browser_at, path):
    page = browser_at(None).open(path, "code=1&state=2")

    assert (page.status, page.says(install_text.CLOSED)) == (404, True)


def test_other_paths_lead_nowhere(browser, installer):
    assert browser.open("/favicon.ico").status == 404
    assert installer.states.issued == set()


# --- Whatever is sent ---------------------------------------------------------------------------------------


class Nothing:
    """A Slack that grants nothing."""

    base_url = "https://slack.example.com/api/"

    def oauth_v2_access(self, **arguments):
        raise ValueError("no answer")


# What may be in a query: a name once, and anything as its value.
QUERIES = st.dictionaries(
    st.sampled_from(["state", "code", "error", "team", "other"]), st.text(max_size=80) | st.sampled_from(["state-0"])
)


@given(
    path=st.sampled_from(["/slack/install", "/dev/slack/oauth_redirect", "/slack/other", ""]),
    query=QUERIES | st.none() | st.just("x"),
    headers=st.none() | st.dictionaries(st.sampled_from(["Cookie", "COOKIE", "Host"]), st.text(max_size=80)),
    many=st.none() | st.dictionaries(st.sampled_from(["Cookie", "Host"]), st.lists(st.text(max_size=80))),
)
@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_query_and_no_header_breaks_it(build_installer, path, query, headers, many):
    client: WebClient = Nothing()  # type: ignore[assignment]
    installer = build_installer(client)
    event = {"path": path, "queryStringParameters": query, "headers": headers, "multiValueHeaders": many}

    answer = handle(event, lambda: installer)

    assert answer["statusCode"] < 500
    assert answer["body"].startswith("<!DOCTYPE html>")
    answer["body"].encode("utf-8", "surrogatepass")
