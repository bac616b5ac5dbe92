"""The entry module: settings and the table of a deployment, and the stand-in Slack behind it."""

import time
from types import SimpleNamespace

import pytest

from bot.lambdas import oauth
from bot.sandbox.resources import create_tables
from bot.settings import MissingSetting


@pytest.fixture
def environ(monkeypatch, aws_environment, dynamodb, stand_in, installer) -> dict[str, str]:
    values = {
        "SLACK_WORKSPACES": "T1FIELD",
        "SLACK_CLIENT_ID": installer.credentials.client_id,
        "SLACK_CLIENT_SECRET": installer.credentials.client_secret,
        "SLACK_REDIRECT_URI": installer.redirect_uri,
        "SLACK_API_URL": f"{stand_in.url}/api/",
        "INSTALLATIONS_TABLE": create_tables(dynamodb, f"entry-{time.time_ns()}")["InstallationsTable"],
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    oauth._installer.cache_clear()
    return values


@pytest.fixture
def browser(open_browser):
    return open_browser(lambda event: oauth.handler(event, SimpleNamespace()))


def test_the_entry_module_installs_through_the_table_and_never_twice_with_one_state(
    environ, browser, stand_in, dynamodb
):
    query = browser.press(browser.begin(), "Allow in Field office")

    assert browser.come_back(query).status == 200
    assert browser.come_back(query).status == 409

    rows = dynamodb.scan(TableName=environ["INSTALLATIONS_TABLE"])["Items"]
    assert [row["bot_token"]["S"] for row in rows if "bot_token" in row] == [stand_in.installations[1].token]


@pytest.mark.parametrize(
    "name", ["SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET", "SLACK_REDIRECT_URI", "INSTALLATIONS_TABLE"]
)
def test_a_setting_that_is_missing_fails_with_its_name(environ, browser, monkeypatch, name):
    monkeypatch.delenv(name)

    with pytest.raises(MissingSetting, match=name):
        browser.open("/slack/install")


def test_where_no_workspace_is_named_no_secret_is_asked_for(environ, browser, monkeypatch):
    for name in environ:
        monkeypatch.delenv(name)

    assert browser.open("/slack/install").status == 404
