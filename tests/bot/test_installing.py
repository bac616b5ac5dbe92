"""The pages of an installation, against a stand-in Slack that asks, gives codes and takes them."""

import html
import logging
import re
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from bot.install_states import StateRefused
from bot.installations import InstallationsUnavailable
from bot.installing import Installer, handle
from bot.lambdas import oauth
from bot.sandbox.gateway import build_event
from bot.sandbox.slack.seed import build_field_workspace, build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import OAuth, Settings
from bot.settings import AppCredentials, MissingSetting
from bot.slack_oauth import SCOPES, build_oauth_client
from bot.words import install as words
from classifier_infra.blueprint import create_tables

CREDENTIALS = AppCredentials("1.2", "the-apps-secret")
BACK = "https://api.example.com/dev/slack/oauth_redirect"
AGAIN = "https://api.example.com/dev/slack/install"


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


@pytest.fixture
def stand_in(serve) -> SimpleNamespace:
    app_settings = Settings(
        "signing", "xoxb-first", oauth=OAuth(CREDENTIALS.client_id, CREDENTIALS.client_secret, frozenset({BACK}))
    )
    app = create_app(build_workspace(time.time), app_settings, [build_field_workspace(time.time)])
    return SimpleNamespace(url=serve(Server(app)), installations=app.state.installations)


@pytest.fixture
def installer(stand_in) -> Installer:
    client = build_oauth_client(f"{stand_in.url}/api/")
    return Installer(CREDENTIALS, frozenset({"T1FIELD"}), BACK, States(), Kept(), client, time.time)


def get(installer: Installer | None, path: str, query: str = "", cookie: str | None = None) -> dict[str, Any]:
    headers = [("Host", "api.example.com"), *([("cookie", cookie)] if cookie is not None else [])]
    event = build_event("GET", path, headers, parse_qsl(query, keep_blank_values=True), b"")
    return handle(event, lambda: installer)


def begin(installer: Installer, query: str = "") -> tuple[str, str]:
    """Open the page that offers it; give the address of Slack's question, and the cookie."""
    offered = get(installer, "/slack/install", query)
    assert offered["statusCode"] == 200
    return link_of(offered), offered["headers"]["Set-Cookie"].partition(";")[0]


def link_of(answer: dict[str, Any]) -> str:
    return html.unescape(re.search(r'<a href="([^"]*)"', answer["body"])[1])


def press(url: str, words: str) -> str:
    """Press a link on Slack's page; give the query of the address that the browser is sent to then."""
    page = httpx2.get(url).raise_for_status().text
    links = re.findall(r'<a href="([^"]*)">([^<]*)', page)
    target = next(html.unescape(address) for address, text in links if words in text)
    if target.startswith("/"):
        target = httpx2.get(httpx2.URL(url).join(target)).headers["location"]
    assert target.partition("?")[0] == BACK
    return urlsplit(target).query


def finish(installer: Installer, query: str, cookie: str | None) -> dict[str, Any]:
    return get(installer, "/slack/oauth_redirect", query, cookie)


def says(answer: dict[str, Any], text: words.PageText) -> bool:
    return all(html.escape(each) in answer["body"] for each in (text.title, *text.paragraphs))


# --- The way through ----------------------------------------------------------------------------------------


def test_a_workspace_of_the_organisation_is_installed(installer, stand_in, caplog):
    caplog.set_level(logging.DEBUG)
    url, cookie = begin(installer)

    answer = finish(installer, press(url, "Allow in Field office"), cookie)

    assert answer["statusCode"] == 200
    assert says(answer, words.installed("Field office"))
    assert link_of(answer) == "https://app.slack.com/client/T1FIELD"
    [kept] = installer.installations.installations
    assert kept.bot_token == stand_in.installations[1].token
    assert (kept.team_id, kept.bot_id, kept.bot_user_id) == ("T1FIELD", "B1TRIAGE", "U1BOT")
    assert "T1FIELD" in caplog.text


def test_slack_is_asked_for_what_the_manifest_says_and_to_come_back_here(installer):
    url, _ = begin(installer, "team=T1FIELD")
    asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}

    assert asked["client_id"] == CREDENTIALS.client_id
    assert asked["redirect_uri"] == BACK
    assert asked["scope"].split(",") == list(SCOPES)
    assert asked["team"] == "T1FIELD"
    with open("docs/slack-app-manifest.yml", encoding="utf-8") as manifest:
        assert set(SCOPES) == set(yaml.safe_load(manifest)["oauth_config"]["scopes"]["bot"])


def test_the_state_is_in_a_cookie_that_only_this_site_gets_over_https(installer):
    offered = get(installer, "/slack/install")

    attributes = {each.strip().lower() for each in offered["headers"]["Set-Cookie"].split(";")[1:]}
    assert {"secure", "httponly", "path=/", "max-age=600", "samesite=lax"} == attributes


def test_installing_again_keeps_the_new_token_in_place_of_the_old(installer):
    for _ in range(2):
        url, cookie = begin(installer)
        assert finish(installer, press(url, "Allow in Field office"), cookie)["statusCode"] == 200

    assert len(installer.installations.installations) == 2


@pytest.mark.parametrize("wanted", ["T1 FIELD", "<script>", "E1", "T1FIELD&scope=admin"])
def test_a_workspace_that_is_none_is_not_passed_on_to_slack(installer, wanted):
    offered = get(installer, "/slack/install", f"team={httpx2.QueryParams({'t': wanted})}".replace("t=", "", 1))

    assert "team=" not in link_of(offered)


# --- Where it ends ------------------------------------------------------------------------------------------


def test_whoever_presses_cancel_has_installed_nothing(installer):
    url, cookie = begin(installer)

    answer = finish(installer, press(url, "Cancel"), cookie)

    assert answer["statusCode"] == 200
    assert says(answer, words.CANCELLED)
    assert link_of(answer) == AGAIN
    assert installer.installations.installations == []


@pytest.mark.parametrize("error", ["invalid_team_for_non_distributed_app", "<b>&", "x" * 500, ""])
def test_an_error_that_slack_sends_along_is_shown_if_it_is_one(installer, error):
    answer = get(installer, "/slack/oauth_redirect", str(httpx2.QueryParams({"error": error})))

    shown = error if error.startswith("invalid") else "unknown_error"
    assert answer["statusCode"] == 400
    assert says(answer, words.error_of_slack(shown))


@pytest.mark.parametrize("cookie", [None, "", "slack-app-oauth-state=another", "other=1"])
def test_another_browser_cannot_finish_it(installer, cookie):
    url, _ = begin(installer)
    query = press(url, "Allow in Field office")

    answer = finish(installer, query, cookie)

    assert answer["statusCode"] == 400
    assert says(answer, words.NOT_FROM_HERE)
    assert installer.installations.installations == []


@pytest.mark.parametrize("query", ["", "code=1", "state=&code=1", "state=short&code=1"])
def test_without_a_state_nothing_is_done(installer, query):
    answer = finish(installer, query, "slack-app-oauth-state=short")

    assert (answer["statusCode"], says(answer, words.NOT_FROM_HERE)) == (400, True)


@pytest.mark.parametrize(
    ("reason", "status", "text"),
    [("unknown", 400, words.NOT_FROM_HERE), ("expired", 410, words.EXPIRED), ("used", 409, words.USED)],
)
def test_a_state_that_is_no_good_any_more_says_why(installer, reason, status, text):
    url, cookie = begin(installer)
    query = press(url, "Allow in Field office")
    installer.states.refused = reason

    answer = finish(installer, query, cookie)

    assert (answer["statusCode"], says(answer, text), link_of(answer)) == (status, True, AGAIN)


def test_the_cookie_may_come_among_others_and_in_several_headers(installer):
    url, cookie = begin(installer)
    event = build_event("GET", "/slack/oauth_redirect", [("Cookie", "a=1"), ("Cookie", f"b=2; {cookie}")],
                        parse_qsl(press(url, "Allow in Field office")), b"")  # fmt: skip

    assert handle(event, lambda: installer)["statusCode"] == 200


@pytest.mark.parametrize(("code", "text"), [("&code=made-up", words.CODE_REFUSED), ("", words.NO_CODE)])
def test_a_code_that_slack_does_not_take_or_did_not_send_installs_nothing(installer, code, text):
    url, cookie = begin(installer)
    state = parse_qs(urlsplit(url).query)["state"][0]

    answer = finish(installer, f"state={state}{code}", cookie)

    assert (answer["statusCode"], says(answer, text)) == (400, True)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"credentials": AppCredentials("1.2", "wrong")}, "bad_client_secret"),
        ({"redirect_uri": "https://elsewhere.example.com/slack/oauth_redirect"}, "bad_redirect_uri"),
    ],
)
def test_an_app_that_is_set_up_wrong_says_what_slack_says_of_it(installer, changes, word):
    url, cookie = begin(installer)

    answer = finish(replace(installer, **changes), press(url, "Allow in Field office"), cookie)

    assert (answer["statusCode"], says(answer, words.error_of_slack(word))) == (502, True)


def test_a_workspace_that_is_not_on_the_list_is_not_served_and_its_token_not_kept(installer):
    url, cookie = begin(installer)

    answer = finish(installer, press(url, "Allow in Sandbox"), cookie)

    assert answer["statusCode"] == 403
    assert says(answer, words.not_allowed("Sandbox", "T0SANDBOX"))
    assert installer.installations.installations == []


def test_where_the_bots_own_memory_fails_the_person_can_try_again(installer):
    url, cookie = begin(installer)
    query = press(url, "Allow in Field office")
    installer.installations.failure = InstallationsUnavailable("the table did not answer")

    answer = finish(installer, query, cookie)
    installer.states.failure = InstallationsUnavailable("the table did not answer")
    offered = get(installer, "/slack/install")

    assert (answer["statusCode"], says(answer, words.NOT_KEPT)) == (503, True)
    assert (offered["statusCode"], says(offered, words.NOT_KEPT)) == (503, True)


@pytest.mark.parametrize("path", ["/slack/install", "/slack/oauth_redirect"])
def test_where_one_workspace_is_served_nothing_can_be_installed(path):
    answer = get(None, path, "code=1&state=2")

    assert (answer["statusCode"], says(answer, words.CLOSED)) == (404, True)


def test_other_paths_lead_nowhere(installer):
    assert get(installer, "/favicon.ico")["statusCode"] == 404
    assert installer.states.issued == set()


# --- Slacks that do strange things --------------------------------------------------------------------------


GRANTED = {
    "ok": True, "access_token": "xoxb-secret", "token_type": "bot", "scope": "commands", "bot_user_id": "U1BOT",
    "app_id": "A1", "team": {"id": "T1FIELD", "name": "Field <b>office</b>"}, "enterprise": None,
    "authed_user": {"id": "U1NORA"}, "is_enterprise_install": False,
}  # fmt: skip


@pytest.fixture
def odd_slack(serve, installer):
    """Build an installer for a Slack that answers the exchange of a code as it is told; finish with it."""

    def run(answer: Any, status: int = 200, allowed: str = "T1FIELD") -> dict[str, Any]:
        async def access(request):
            return JSONResponse(answer, status) if not isinstance(answer, str) else PlainTextResponse(answer, status)

        async def test(request):
            return JSONResponse({"ok": True, "bot_id": "B1", "team_id": "T1FIELD"})

        url = serve(Starlette(routes=[
            Route("/api/oauth.v2.access", access, methods=["POST"]), Route("/api/auth.test", test, methods=["POST"]),
        ]))  # fmt: skip
        odd = replace(installer, client=build_oauth_client(f"{url}/api/"), allowed=frozenset({allowed}))
        link, cookie = begin(odd)
        state = parse_qs(urlsplit(link).query)["state"][0]
        return finish(odd, f"state={state}&code=the-code", cookie)

    return run


def test_an_organisation_allows_all_its_workspaces_by_its_own_id(odd_slack):
    enterprise = {"id": "E1", "name": "Example"}

    assert odd_slack({**GRANTED, "enterprise": enterprise}, allowed="E1")["statusCode"] == 200
    assert odd_slack({**GRANTED, "enterprise": enterprise}, allowed="E2")["statusCode"] == 403


def test_a_whole_organisation_at_once_is_refused_with_what_to_do(odd_slack, installer):
    whole = {**GRANTED, "team": None, "enterprise": {"id": "E1"}, "is_enterprise_install": True}

    answer = odd_slack(whole, allowed="E1")

    assert (answer["statusCode"], says(answer, words.ORGANISATION_WIDE)) == (403, True)
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

    assert page["statusCode"] == expected
    assert page["body"].startswith("<!DOCTYPE html>")


def test_a_slack_that_cannot_be_reached_says_to_try_again(installer):
    away = replace(installer, client=build_oauth_client("http://127.0.0.1:9/api/"))
    url, cookie = begin(away)
    state = parse_qs(urlsplit(url).query)["state"][0]

    answer = finish(away, f"state={state}&code=1", cookie)

    assert (answer["statusCode"], says(answer, words.SLACK_AWAY)) == (503, True)


def test_a_name_is_text_whatever_it_looks_like(odd_slack):
    body = odd_slack(GRANTED)["body"]

    assert "<b>" not in body
    assert "Field &lt;b&gt;office&lt;/b&gt;" in body


@pytest.mark.parametrize(
    "answer",
    [GRANTED, {"ok": False, "error": "invalid_code"}, {**GRANTED, "team": {"id": "T9OTHER"}}, "xoxb-secret the-code"],
)
def test_neither_code_nor_token_nor_secret_is_in_a_log_or_on_a_page(odd_slack, caplog, answer):
    caplog.set_level(logging.DEBUG)

    page = odd_slack(answer)

    ours = [each for each in caplog.records if each.name.startswith(("bot", "slack"))]
    logged = "\n".join(f"{each.getMessage()} {vars(each)}" for each in ours)
    assert "bot.installing" in {each.name for each in caplog.records}
    for secret in ("the-code", "xoxb-secret", CREDENTIALS.client_secret):
        assert secret not in logged
        assert secret not in str(page)


# --- Every page ---------------------------------------------------------------------------------------------


def test_a_page_loads_runs_and_keeps_nothing_and_tells_nobody_its_address(installer):
    for answer in (get(installer, "/slack/install"), get(None, "/slack/install"), finish(installer, "", None)):
        headers = answer["headers"]
        policy = headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in answer["body"]


class Nothing:
    """A Slack that grants nothing."""

    base_url = "https://slack.example.com/api/"

    def oauth_v2_access(self, **arguments: Any) -> Any:
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
def test_no_query_and_no_header_breaks_it(path, query, headers, many):
    client: WebClient = Nothing()  # type: ignore[assignment]
    installer = Installer(CREDENTIALS, frozenset({"T1"}), BACK, States(), Kept(), client, time.time)
    event = {"path": path, "queryStringParameters": query, "headers": headers, "multiValueHeaders": many}

    answer = handle(event, lambda: installer)

    assert answer["statusCode"] < 500
    assert answer["body"].startswith("<!DOCTYPE html>")
    answer["body"].encode("utf-8", "surrogatepass")


# --- The entry module ---------------------------------------------------------------------------------------


@pytest.fixture
def environ(monkeypatch, aws_environment, dynamodb, stand_in) -> dict[str, str]:
    values = {
        "SLACK_WORKSPACES": "T1FIELD",
        "SLACK_CLIENT_ID": CREDENTIALS.client_id,
        "SLACK_CLIENT_SECRET": CREDENTIALS.client_secret,
        "SLACK_REDIRECT_URI": BACK,
        "SLACK_API_URL": f"{stand_in.url}/api/",
        "INSTALLATIONS_TABLE": create_tables(dynamodb, f"entry-{time.time_ns()}")["InstallationsTable"],
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    oauth._installer.cache_clear()
    return values


def ask_entry(path: str, query: str = "", cookie: str = "") -> dict[str, Any]:
    event = build_event("GET", path, [("cookie", cookie)], parse_qsl(query), b"")
    return oauth.handler(event, SimpleNamespace())


def test_the_entry_module_installs_through_the_table_and_never_twice_with_one_state(environ, stand_in, dynamodb):
    offered = ask_entry("/slack/install")
    cookie = offered["headers"]["Set-Cookie"].partition(";")[0]
    query = press(link_of(offered), "Allow in Field office")

    assert ask_entry("/slack/oauth_redirect", query, cookie)["statusCode"] == 200
    assert ask_entry("/slack/oauth_redirect", query, cookie)["statusCode"] == 409

    rows = dynamodb.scan(TableName=environ["INSTALLATIONS_TABLE"])["Items"]
    assert [row["bot_token"]["S"] for row in rows if "bot_token" in row] == [stand_in.installations[1].token]


@pytest.mark.parametrize(
    "name", ["SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_REDIRECT_URI", "INSTALLATIONS_TABLE"]
)
def test_a_setting_that_is_missing_fails_with_its_name(environ, monkeypatch, name):
    monkeypatch.delenv(name)

    with pytest.raises(MissingSetting, match=name):
        ask_entry("/slack/install")


def test_where_no_workspace_is_named_no_secret_is_asked_for(environ, monkeypatch):
    for name in environ:
        monkeypatch.delenv(name)

    assert ask_entry("/slack/install")["statusCode"] == 404
