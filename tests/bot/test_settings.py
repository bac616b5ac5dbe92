import json

import boto3
import pytest
from moto import mock_aws

from bot.settings import (
    FRESH_SECONDS,
    AppCredentials,
    MissingSetting,
    Renewed,
    find_bot_token,
    read_app_credentials,
    read_bot_token,
    read_signing_secret,
    read_workspaces,
    require,
)


@pytest.fixture
def store_secret(monkeypatch):
    """Put a secret into a Secrets Manager in memory."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("secretsmanager")
        yield lambda value: client.create_secret(Name="triage/slack", SecretString=value)


@pytest.mark.parametrize("environ", [{}, {"LEDGER_TABLE": ""}])
def test_a_missing_setting_is_named(environ):
    with pytest.raises(MissingSetting, match="LEDGER_TABLE"):
        require(environ, "LEDGER_TABLE")


def test_secrets_come_from_their_variables():
    environ = {"SLACK_SIGNING_SECRET": "signing", "SLACK_BOT_TOKEN": "xoxb-1"}

    assert (read_signing_secret(environ), read_bot_token(environ)) == ("signing", "xoxb-1")


def test_secrets_come_from_the_secret_that_is_named(store_secret):
    store_secret(json.dumps({"signing_secret": "signing", "bot_token": "xoxb-1"}))
    environ = {"SLACK_SECRET_NAME": "triage/slack"}

    assert (read_signing_secret(environ), read_bot_token(environ)) == ("signing", "xoxb-1")


@pytest.mark.parametrize("value", ['{"signing_secret": "signing"}', '{"bot_token": ""}', '{"bot_token": 5}', "[]", "x"])
def test_a_secret_that_lacks_what_is_needed_is_refused_without_being_quoted(store_secret, value):
    store_secret(value)

    with pytest.raises(MissingSetting) as raised:
        read_bot_token({"SLACK_SECRET_NAME": "triage/slack"})

    assert "SLACK_SECRET_NAME" in str(raised.value)
    assert "signing" not in str(raised.value)


# --- More than one workspace --------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "none", " none "])
def test_no_workspace_may_install_the_bot_unless_one_is_named(text):
    assert read_workspaces({"SLACK_WORKSPACES": text}) == read_workspaces({}) == frozenset()


def test_workspaces_and_organisations_are_named_by_their_ids():
    assert read_workspaces({"SLACK_WORKSPACES": "T0ONE, E0TWO"}) == {"T0ONE", "E0TWO"}


@pytest.mark.parametrize("text", ["*", "acme", "T1,", "t1", "T1 T2", "U1"])
def test_a_list_of_workspaces_that_is_none_is_refused(text):
    with pytest.raises(MissingSetting, match="SLACK_WORKSPACES"):
        read_workspaces({"SLACK_WORKSPACES": text})


def test_the_apps_own_credentials_come_from_a_secret_of_their_own(store_secret):
    store_secret(json.dumps({"client_id": "1.2", "client_secret": "hidden"}))

    read = read_app_credentials({"SLACK_OAUTH_SECRET_NAME": "triage/slack", "SLACK_SECRET_NAME": "another"})

    assert read == AppCredentials("1.2", "hidden")
    assert "hidden" not in repr(read)


def test_a_secret_without_the_apps_credentials_is_named(store_secret):
    store_secret("{}")

    with pytest.raises(MissingSetting, match="SLACK_OAUTH_SECRET_NAME names has no client_id"):
        read_app_credentials({"SLACK_OAUTH_SECRET_NAME": "triage/slack"})


@pytest.mark.parametrize(("value", "token"), [('{"bot_token": "xoxb-1"}', "xoxb-1"), ('{"signing_secret": "s"}', None)])
def test_a_bot_token_may_be_missing_where_workspaces_are_installed(store_secret, value, token):
    store_secret(value)

    assert find_bot_token({"SLACK_SECRET_NAME": "triage/slack"}) == token
    assert find_bot_token({"SLACK_BOT_TOKEN": "xoxb-2", "SLACK_SECRET_NAME": "triage/slack"}) == "xoxb-2"
    assert find_bot_token({}) is None


# --- Secrets that are rotated -------------------------------------------------------------------------------


class Secret:
    """A secret that can be rotated, and read or not."""

    def __init__(self) -> None:
        self.value, self.failure = "old", None
        self.reads = 0

    def __call__(self) -> str:
        self.reads += 1
        if self.failure:
            raise self.failure
        return self.value


def test_a_secret_is_read_again_after_a_while(clock):
    secret = Secret()
    renewed = Renewed(secret, clock)
    secret.value = "new"

    assert (renewed.get(), secret.reads) == ("old", 1)
    clock.now += FRESH_SECONDS + 1
    assert (renewed.get(), renewed.get(), secret.reads) == ("new", "new", 2)


def test_a_secret_that_was_refused_is_read_again_but_not_for_every_wrong_signature(clock):
    secret = Secret()
    renewed = Renewed(secret, clock)
    secret.value = "new"
    assert not renewed.renew()
    clock.now += 11

    assert renewed.renew()
    assert not renewed.renew()
    assert (renewed.get(), secret.reads) == ("new", 2)


def test_a_secret_that_cannot_be_read_again_stays(clock):
    secret = Secret()
    renewed = Renewed(secret, clock)
    secret.failure = MissingSetting("gone")
    clock.now += FRESH_SECONDS + 1

    assert renewed.get() == "old"


def test_a_secret_that_cannot_be_read_at_all_is_reported(clock):
    secret = Secret()
    secret.failure = MissingSetting("gone")

    with pytest.raises(MissingSetting):
        Renewed(secret, clock)


def test_a_secrets_value_is_not_in_the_repr(clock):
    assert "old" not in repr(Renewed(Secret(), clock))
