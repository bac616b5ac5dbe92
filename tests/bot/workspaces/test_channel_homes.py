"""A channel that several workspaces share is handled for one of them."""

import uuid

import pytest

from bot.slack.api import build_client
from bot.store.channel_homes import ChannelHomes
from bot.workspaces.workspaces import HOME_SECONDS, ManyWorkspaces, OneWorkspace
from tests.bot.workspaces.test_workspaces import Installations


@pytest.fixture
def channel() -> str:
    """A channel that no other test knows."""
    return f"C{uuid.uuid4().hex.upper()}"


@pytest.fixture
def homes(dynamodb, ledger_table) -> ChannelHomes:
    return ChannelHomes(dynamodb, ledger_table)


@pytest.fixture
def build(homes, clock):
    """Build workspaces T1 and T2; `named` are those whose policy names the channel."""

    def build_workspaces(*named: str) -> ManyWorkspaces:
        installations = Installations(T1="xoxb-one", T2="xoxb-two")
        client = build_client
        return ManyWorkspaces(installations, lambda t: client(t, None), None, clock, homes, lambda channel: named)

    return build_workspaces


@pytest.mark.parametrize("first", ["T1", "T2"])
def test_whichever_workspace_tells_of_it_the_one_whose_policy_names_it_has_it(build, channel, first):
    workspaces = build("T2")
    second = {"T1": "T2", "T2": "T1"}[first]

    assert [workspaces.home_of(team, channel) for team in (first, second)] == ["T2", "T2"]


def test_where_no_policy_names_it_the_first_that_tells_of_it_keeps_it(build, channel):
    assert build().home_of("T2", channel) == "T2"
    assert build().home_of("T1", channel) == "T2"


def test_what_was_decided_stays_when_a_policy_names_it_later(build, channel):
    assert build().home_of("T1", channel) == "T1"
    assert build("T2").home_of("T2", channel) == "T1"


def test_where_its_workspace_uninstalled_the_bot_another_takes_it_over(build, channel, clock):
    workspaces = build("T2")
    assert workspaces.home_of("T1", channel) == "T2"

    del workspaces.installations.tokens["T2"]
    clock.now += HOME_SECONDS + 1

    assert workspaces.home_of("T1", channel) == "T1"


def test_of_two_that_decide_at_once_one_decision_stands(homes, channel):
    assert homes.settle(channel, "T1") == "T1"
    assert homes.settle(channel, "T2") == "T1"
    assert homes.find(channel) == "T1"


def test_in_one_workspace_nothing_is_looked_up():
    assert OneWorkspace(build_client("xoxb-1", None)).home_of("T9", "C1") == "T9"
