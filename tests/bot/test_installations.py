"""Tokens of workspaces, and states of installations under way, in the table as it is deployed."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_sdk.oauth.installation_store.models.installation import Installation

from bot.install_states import GOOD_FOR_SECONDS, DynamoStateStore, StateRefused
from bot.installations import DynamoInstallationStore, InstallationsUnavailable
from classifier_infra.blueprint import create_tables

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def table(dynamodb) -> str:
    return create_tables(dynamodb, f"installing-{uuid.uuid4().hex[:8]}")["InstallationsTable"]


@pytest.fixture
def store(dynamodb, table) -> DynamoInstallationStore:
    return DynamoInstallationStore(dynamodb, table)


@pytest.fixture
def team() -> str:
    return f"T{uuid.uuid4().hex.upper()}"


def install(store: DynamoInstallationStore, team: str, token: str = "xoxb-1", at: float = NOW) -> None:
    store.save(
        Installation(
            team_id=team, bot_token=token, bot_id="B1", bot_user_id="U1", bot_scopes="commands,chat:write",
            user_id="U2", installed_at=at, enterprise_id="E1",
        )
    )  # fmt: skip


# --- Tokens -------------------------------------------------------------------------------------------------


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


def test_states_are_not_taken_for_workspaces(store, states):
    states.issue()

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


# --- States -------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def states(dynamodb, table, clock) -> DynamoStateStore:
    return DynamoStateStore(dynamodb, table, clock)


def test_a_state_is_good_once(states):
    state = states.issue()

    assert states.consume(state)
    with pytest.raises(StateRefused, match="used"):
        states.consume(state)


def test_of_many_who_come_with_one_state_at_once_one_is_let_in(states):
    state = states.issue()

    def come(_: int) -> bool:
        try:
            return states.consume(state)
        except StateRefused:
            return False

    with ThreadPoolExecutor(8) as people:
        assert sum(people.map(come, range(8))) == 1


def test_a_state_expires_by_the_clock_whether_or_not_its_row_is_still_there(states, clock):
    state = states.issue()

    clock.now += GOOD_FOR_SECONDS + 1

    with pytest.raises(StateRefused, match="expired"):
        states.consume(state)


@pytest.mark.parametrize("state", ["", "guessed", "\ud800"])
def test_a_state_that_was_never_issued_is_unknown(states, state):
    with pytest.raises(StateRefused, match="unknown"):
        states.consume(state)


def test_the_table_forgets_a_state_by_itself_and_never_had_it(states, dynamodb, table, clock):
    state = states.issue()

    rows = [row for row in dynamodb.scan(TableName=table)["Items"] if "good_until" in row]
    assert all(float(row["expires_at"]["N"]) > float(row["good_until"]["N"]) for row in rows)
    assert state not in str(rows)


def test_a_table_that_does_not_answer_lets_nobody_in(dynamodb, clock):
    states = DynamoStateStore(dynamodb, "no-such-table", clock)

    with pytest.raises(InstallationsUnavailable):
        states.issue()
    with pytest.raises(InstallationsUnavailable):
        states.consume("state")
