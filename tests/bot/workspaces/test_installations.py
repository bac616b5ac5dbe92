"""Tokens of workspaces, in the table as it is deployed."""

import uuid

import pytest
from slack_sdk.oauth.installation_store.models.installation import Installation

from bot.sandbox.resources import create_tables
from bot.workspaces.installations import DynamoInstallationStore, InstallationsUnavailable
from bot.workspaces.oauth_states import DynamoStateStore

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def table(dynamodb) -> str:
    return create_tables(dynamodb, f"installing-{uuid.uuid4().hex[:8]}")["InstallationsTable"]


@pytest.fixture
def store(dynamodb, table) -> DynamoInstallationStore:
    return DynamoInstallationStore(dynamodb, table)


def install(store: DynamoInstallationStore, team: str, token: str = "xoxb-1", at: float = NOW) -> None:
    store.save(
        Installation(
            team_id=team, bot_token=token, bot_id="B1", bot_user_id="U1", bot_scopes="commands,chat:write",
            user_id="U2", installed_at=at, enterprise_id="E1",
        )
    )  # fmt: skip


def test_a_workspace_has_the_token_of_its_own_installation(store, team):
    install(store, team, "xoxb-of-this-one")
    install(store, f"{team}2", "xoxb-of-the-other")

    found = store.find_bot(team_id=team)

    assert (found.bot_token, found.team_id, found.enterprise_id) == ("xoxb-of-this-one", team, "E1")
    assert found.bot_scopes == ["commands", "chat:write"]
    assert {team, f"{team}2"} <= {each.team_id for each in store.find_bots()}


def test_a_workspace_that_installed_nothing_has_none(store, team):
    assert store.find_bot(team_id=team) is None


def test_installing_again_replaces_the_token(store, team):
    install(store, team, "xoxb-old")
    install(store, team, "xoxb-new", NOW + 5)

    assert store.find_bot(team_id=team).bot_token == "xoxb-new"


def test_a_token_is_gone_once_it_is_removed_however_often(store, team):
    install(store, team)

    for _ in range(2):
        store.delete_bot(team_id=team, until=NOW + 1)

    assert store.find_bot(team_id=team) is None
    assert team not in {each.team_id for each in store.find_bots()}


def test_word_of_an_earlier_departure_leaves_a_later_installation_alone(store, team):
    install(store, team, "xoxb-new", NOW + 60)

    store.delete_bot(team_id=team, until=NOW)

    assert store.find_bot(team_id=team).bot_token == "xoxb-new"


def test_states_are_not_taken_for_workspaces(store, dynamodb, table):
    DynamoStateStore(dynamodb, table, lambda: NOW).issue()

    assert all(each.bot_token for each in store.find_bots())


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: install(store, "T1", "xoxb-secret"),
        lambda store: store.find_bot(team_id="T1"),
        lambda store: list(store.find_bots()),
        lambda store: store.delete_bot(team_id="T1"),
    ],
)
def test_a_table_that_does_not_answer_is_told_without_any_token(dynamodb, ask):
    with pytest.raises(InstallationsUnavailable, match="ResourceNotFoundException") as raised:
        ask(DynamoInstallationStore(dynamodb, "no-such-table"))

    assert "xoxb" not in str(raised.value)
    assert raised.value.__cause__ is None
