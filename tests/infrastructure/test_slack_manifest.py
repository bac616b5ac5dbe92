"""The Slack app's manifest requests what the bot uses, and points at the deployed routes."""

from pathlib import Path

import pytest
import yaml

from bot.sandbox.gateway import read_functions
from bot.sandbox.slack.settings import Settings
from classifier_infra.endpoint.checks import SLACK_SCOPES

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "docs" / "slack-app-manifest.yml").read_text())
SANDBOX = Settings(signing_secret="", bot_token="")


def test_the_scopes_are_those_that_the_sandbox_grants_and_the_doctor_looks_for():
    asked = MANIFEST["oauth_config"]["scopes"]["bot"]

    assert len(asked) == len(set(asked))
    assert set(asked) == SANDBOX.scopes == SLACK_SCOPES


def test_the_events_are_those_that_the_sandbox_sends():
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == SANDBOX.subscriptions


def test_commands_and_shortcuts_are_those_of_the_sandbox():
    features = MANIFEST["features"]

    assert {each["command"] for each in features["slash_commands"]} == {each.name for each in SANDBOX.commands}
    shortcuts = {(each["name"], each["callback_id"]) for each in features["shortcuts"]}
    assert shortcuts == {(each.name, each.callback_id) for each in SANDBOX.shortcuts}


def test_every_address_is_a_route_that_is_deployed():
    settings = MANIFEST["settings"]
    addresses = {each["url"] for each in MANIFEST["features"]["slash_commands"]}
    addresses |= {settings["event_subscriptions"]["request_url"], settings["interactivity"]["request_url"]}

    redirected = {each.removeprefix("https://API") for each in MANIFEST["oauth_config"]["redirect_urls"]}
    read = {route.path for route in read_functions(ROOT / "serverless.yml").routes if route.method == "GET"}
    assert redirected == {"/slack/oauth_redirect"} & read
    posted = {route.path for route in read_functions(ROOT / "serverless.yml").routes if route.method == "POST"}
    assert {address.removeprefix("https://API") for address in addresses} <= posted


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (MANIFEST["display_information"]["name"], 35),
        (MANIFEST["display_information"]["description"], 140),
        (MANIFEST["features"]["shortcuts"][0]["name"], 24),
    ],
)
def test_slacks_limits_hold(text, most):
    assert len(text) <= most
