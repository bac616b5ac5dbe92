"""Whose token is used for which workspace."""

import pytest
from slack_sdk.oauth.installation_store.models.bot import Bot

from bot.queue.messages import LifecycleRecord
from bot.settings import MissingSetting
from bot.slack.api import RetryableError, WorkspaceUninstalled, build_client
from bot.workspaces.installations import InstallationsUnavailable
from bot.workspaces.workspaces import FRESH_SECONDS, ManyWorkspaces, OneWorkspace, build_workspaces


class Installations:
    """Installations in memory, by team; `failure` breaks all look-ups."""

    def __init__(self, **tokens: str) -> None:
        self.tokens = tokens
        self.lookups: list[str] = []
        self.deleted: list[tuple[str, float]] = []
        self.failure: Exception | None = None

    def find_bot(self, *, team_id: str) -> Bot | None:
        self.lookups.append(team_id)
        if self.failure:
            raise self.failure
        return self._bot(team_id) if team_id in self.tokens else None

    def find_bots(self):
        return [self._bot(team) for team in self.tokens]

    def delete_bot(self, *, team_id: str, until: float) -> None:
        self.deleted.append((team_id, until))

    def _bot(self, team: str) -> Bot:
        return Bot(team_id=team, bot_token=self.tokens[team], bot_id="B1", bot_user_id="U1", installed_at=0.0)


@pytest.fixture
def workspaces(slack, clock) -> ManyWorkspaces:
    """The secret's token is that of T0SANDBOX, and two workspaces have installed the bot."""
    installations = Installations(T1="xoxb-one", T2="xoxb-two")
    return ManyWorkspaces(installations, lambda token: build_client(token, None), slack.client, clock)


def test_each_workspace_is_spoken_to_with_its_own_token(workspaces):
    assert [workspaces.client_for(team).token for team in ("T1", "T2", "T1")] == ["xoxb-one", "xoxb-two", "xoxb-one"]


def test_the_secrets_token_is_used_for_the_workspace_that_it_belongs_to(workspaces, slack):
    assert workspaces.client_for("T0SANDBOX") is slack.client


@pytest.mark.parametrize("team", ["T9STRANGER", ""])
def test_no_other_workspace_is_ever_spoken_to_with_the_secrets_token(workspaces, team):
    with pytest.raises(WorkspaceUninstalled, match="not_installed"):
        workspaces.client_for(team)


def test_without_a_token_in_the_secret_only_installed_workspaces_are_there(clock):
    workspaces = ManyWorkspaces(Installations(T1="xoxb-one"), lambda token: build_client(token, None), None, clock)

    assert [each.client.token for each in workspaces.list_workspaces()] == ["xoxb-one"]
    with pytest.raises(WorkspaceUninstalled):
        workspaces.client_for("T0SANDBOX")


def test_a_workspace_is_looked_up_once_in_a_while(workspaces, clock):
    for _ in range(5):
        workspaces.client_for("T1")
    clock.now += FRESH_SECONDS
    workspaces.client_for("T1")

    assert workspaces.installations.lookups == ["T1", "T1"]


def test_slack_is_asked_once_whose_the_secrets_token_is(workspaces, slack, clock):
    for _ in range(3):
        workspaces.client_for("T0SANDBOX")
        clock.now += FRESH_SECONDS

    assert slack.calls("auth.test") == 1


def test_a_workspace_that_took_the_bot_out_is_gone_after_a_moment_and_back_at_once(workspaces, clock):
    workspaces.client_for("T1")
    del workspaces.installations.tokens["T1"]
    clock.now += FRESH_SECONDS

    with pytest.raises(WorkspaceUninstalled):
        workspaces.client_for("T1")
    workspaces.installations.tokens["T1"] = "xoxb-new"

    assert workspaces.client_for("T1").token == "xoxb-new"


def test_a_table_or_a_slack_that_does_not_answer_says_nothing_of_the_workspace(workspaces, slack):
    slack.client.lose.append("auth.test")
    with pytest.raises(RetryableError):
        workspaces.client_for("T0SANDBOX")
    workspaces.installations.failure = InstallationsUnavailable("no answer")
    with pytest.raises(InstallationsUnavailable):
        workspaces.client_for("T1")


def test_every_workspace_is_listed_once_also_one_that_has_two_tokens(workspaces, slack):
    workspaces.installations.tokens["T0SANDBOX"] = "xoxb-installed"

    listed = {(each.client.token, each.installed) for each in workspaces.list_workspaces()}

    assert listed == {("xoxb-one", True), ("xoxb-two", True), ("xoxb-installed", True)}
    del workspaces.installations.tokens["T0SANDBOX"]
    assert (slack.client.token, False) in {(each.client.token, each.installed) for each in workspaces.list_workspaces()}


def test_a_secret_token_that_slack_does_not_know_hides_no_workspace_from_the_list(workspaces, slack):
    slack.client.token = "xoxb-of-a-workspace-that-took-the-bot-out"

    listed = [(each.client.token, each.installed) for each in workspaces.list_workspaces()]

    assert listed == [("xoxb-one", True), ("xoxb-two", True), (slack.client.token, False)]


def test_a_slack_that_does_not_answer_hides_no_workspace_from_the_list(workspaces, slack):
    slack.client.lose.append("auth.test")

    assert len(list(workspaces.list_workspaces())) == 3


def test_one_workspace_needs_no_look_up_at_all(slack):
    workspaces = OneWorkspace(slack.client)

    assert workspaces.client_for("T0WHATEVER") is slack.client
    assert [each.client for each in workspaces.list_workspaces()] == [slack.client]
    assert slack.calls("auth.test") == 0


# --- Saying goodbye -----------------------------------------------------------------------------------------


def test_a_workspaces_token_goes_with_it_at_once(workspaces, caplog):
    workspaces.client_for("T1")

    workspaces.uninstall(LifecycleRecord("T1", "app_uninstalled", 5, 7))
    del workspaces.installations.tokens["T1"]

    assert workspaces.installations.deleted == [("T1", 5)]
    assert [(each.message, each.team) for each in caplog.records] == [("workspace gone", "T1")]
    with pytest.raises(WorkspaceUninstalled):
        workspaces.client_for("T1")


def test_where_the_token_is_in_the_secret_nothing_is_removed_and_the_log_says_so(slack, caplog):
    OneWorkspace(slack.client).uninstall(LifecycleRecord("T1", "tokens_revoked", 5, 7))

    assert [each.reason for each in caplog.records] == ["tokens_revoked"]


# --- From settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workspaces", [{}, {"SLACK_WORKSPACES": "none"}])
def test_one_workspace_is_what_holds_unless_others_are_named(workspaces):
    workspaces = build_workspaces({"SLACK_BOT_TOKEN": "xoxb-1", **workspaces}, None, lambda: 0.0)

    assert isinstance(workspaces, OneWorkspace)
    assert workspaces.client.token == "xoxb-1"


def test_where_one_workspace_is_served_its_token_has_to_be_there():
    with pytest.raises(MissingSetting, match="SLACK_BOT_TOKEN"):
        build_workspaces({}, None, lambda: 0.0)


def test_where_several_are_served_their_table_has_to_be_named_and_a_token_need_not_be_there(dynamodb):
    environ = {"SLACK_WORKSPACES": "T1,E2"}

    with pytest.raises(MissingSetting, match="INSTALLATIONS_TABLE"):
        build_workspaces(environ, dynamodb, lambda: 0.0)
    workspaces = build_workspaces({**environ, "INSTALLATIONS_TABLE": "table"}, dynamodb, lambda: 0.0)

    assert isinstance(workspaces, ManyWorkspaces)
    assert workspaces.own is None
