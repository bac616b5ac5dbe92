import time
import uuid
from dataclasses import replace

import pytest

from bot.pipeline.sweep import SETTLED_AFTER, Sweeper, find_surplus, read_edits, read_requests, sweep_workspaces
from bot.policy.policy import Policy
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageKey, MessageRecord, TidyRecord
from bot.sandbox.resources import create_tables
from bot.slack.api import PermanentError, RetryableError, WorkspaceUninstalled
from bot.slack.client import METADATA_TYPE, Identity, SlackActions
from bot.triage.case import Decision, FacetResult
from bot.workspaces.workspaces import ConnectedWorkspace
from classifier_infra.model.prediction import Score

POLICY = Policy(modes={"C0LEADS": "off"}, routes={"billing": "C0BILLING"})
SETTINGS = TeamSettings(POLICY)
IDENTITY = Identity("T0SANDBOX", "U0BOT", "B0TRIAGE")


def message(number: int, **changes) -> dict:
    return {"type": "message", "user": "U0MAYA", "text": "help me", "ts": f"1700000000.{number:06}", **changes}


def copy(number: int, key: str = "T0#C0#1.1", step: str = "reply", **changes) -> dict:
    metadata = {"event_type": METADATA_TYPE, "event_payload": {"key": key, "step": step}}
    return message(number, user="U0BOT", bot_id="B0TRIAGE", metadata=metadata, **changes)


# --- The diff -----------------------------------------------------------------------------------------------


def test_what_people_wrote_is_read_as_if_slack_had_delivered_it():
    history = [message(3, subtype="file_share"), message(2, text="me again: maya@example.com"), message(1)]

    records = read_requests(history, "C0SUPPORT", IDENTITY, SETTINGS, now=7)

    assert records == [
        MessageRecord("T0SANDBOX", "C0SUPPORT", f"1700000000.00000{number}", "U0MAYA", text, False, None, 7)
        for number, text in [(1, "help me"), (2, "me again: [email]"), (3, "help me")]
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"subtype": "tombstone", "user": "USLACKBOT"},
        {"subtype": "channel_join"},
        {"user": "U0BOT", "bot_id": "B0TRIAGE"},
        {"bot_id": "B0OTHER"},
        {"thread_ts": "1600000000.000001"},
        {"text": "🎉"},
    ],
)
def test_what_the_bot_does_not_read_is_not_missing(change):
    assert read_requests([message(1, **change)], "C0SUPPORT", IDENTITY, SETTINGS, 0) == []


@pytest.mark.parametrize("channel", ["C0LEADS", "C0BILLING"])
def test_nothing_is_missing_where_the_bot_does_not_read(channel):
    assert read_requests([message(1)], channel, IDENTITY, SETTINGS, 0) == []


def test_a_step_that_was_posted_more_than_once_is_to_be_cleaned_up():
    history = [copy(4), copy(3), copy(2, step="route:C0"), copy(1), message(0)]

    assert find_surplus(history, "C0", IDENTITY, 7) == (TidyRecord("T0", "C0", "1.1", "reply", "C0", 7),)


def test_metadata_that_names_no_message_is_passed_over():
    assert find_surplus([copy(1, key="nonsense"), copy(2, key="nonsense")], "C0", IDENTITY, 7) == ()


@pytest.mark.parametrize(
    "other", [copy(2, key="T0#C0#2.2"), copy(2) | {"bot_id": "B0OTHER"}, message(2, bot_id="B0TRIAGE")]
)
def test_posts_of_other_steps_other_apps_or_no_step_are_no_copies(other):
    assert find_surplus([other, copy(1)], "C0", IDENTITY, 7) == ()


# --- With Slack and the ledger ------------------------------------------------------------------------------


@pytest.fixture
def ledger_table(dynamodb) -> str:
    """A table without the requests of other tests: what the history does not have would be deleted."""
    return create_tables(dynamodb, f"sweeping-{uuid.uuid4().hex[:8]}")["LedgerTable"]


@pytest.fixture
def sweeper(slack, ledger, later, settings_of) -> Sweeper:
    return Sweeper(SlackActions(slack.client), ledger, later, settings_of(POLICY))


@pytest.fixture
def team() -> Identity:
    """A team whose messages no other test has decided about."""
    return Identity(f"T{uuid.uuid4().hex.upper()}", "U0BOT", "B0TRIAGE")


def after_all_has_settled() -> float:
    return time.time() + SETTLED_AFTER + 1


def test_what_was_missed_is_queued_and_what_was_decided_is_not(sweeper, slack, ledger, later, team, build_record):
    first, second = slack.write("a billing matter"), slack.write("a technical matter")
    ledger.record_decision(build_record(team=team.team, ts=first).key, Decision("ignore", "unreadable"), time.time())

    swept = sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled())

    assert swept.seen == 2
    assert [(record.ts, record.text) for record in later.records] == [(second, "a technical matter")]


def test_what_is_still_being_delivered_is_left_alone(sweeper, slack, later, team):
    slack.write("a billing matter")

    assert sweeper.sweep("C0SUPPORT", team, 0, time.time()).seen == 0
    assert later.records == []


def test_which_of_two_copies_stays_is_left_to_the_worker(sweeper, slack, later, team):
    metadata = copy(1)["metadata"]
    for text in ("the post", "its copy"):
        slack.client.chat_postMessage(channel="C0BILLING", text=text, metadata=metadata)

    swept = sweeper.sweep("C0BILLING", team, 0, after_all_has_settled())

    assert later.records == [*swept.surplus]
    assert [(record.step, record.place) for record in swept.surplus] == [("reply", "C0BILLING")]
    assert len(slack.posts("C0BILLING")) == 2


def test_what_was_queued_by_a_sweep_is_not_queued_by_the_next(sweeper, slack, later, team):
    slack.write("a billing matter")

    for _ in range(3):
        sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled())

    assert len(later.records) == 1


def decide_about(ledger, team, ts: str, text_as_of: float | None = None) -> None:
    found = FacetResult("category", (Score("billing", 0.9),), True)
    decision = Decision("automatic", "confident", facet_results=(found,), text_as_of=text_as_of)
    ledger.record_decision(MessageKey(team.team, "C0SUPPORT", ts), decision, time.time())


def test_an_edit_that_never_arrived_is_found(sweeper, slack, ledger, later, team):
    edited, untouched = slack.write("a billing matter"), slack.write("a technical matter")
    for ts in (edited, untouched):
        decide_about(ledger, team, ts)
    slack.edit(edited, "a technical matter")

    swept = sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled())

    assert [record.ts for record in swept.changed] == [edited]
    assert later.records == [*swept.changed]


def test_an_edit_that_was_read_is_not_read_again(sweeper, slack, ledger, team):
    ts = slack.write("a billing matter")
    slack.edit(ts, "a technical matter")
    decide_about(ledger, team, ts, text_as_of=time.time() + 1)

    assert sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled()).changed == ()


def test_only_the_edits_of_people_since_the_last_sweep_that_can_no_longer_arrive_are_looked_at():
    edited = message(1, edited={"user": "U0MAYA", "ts": "1700000060.000100"})
    ours = copy(4, edited=edited["edited"])
    history = [edited, message(2), message(3, edited=None), ours]

    assert read_edits(history, "B0TRIAGE", since=0, until=1700000060) == {}
    assert read_edits(history, "B0TRIAGE", since=0, until=1700000061) == {"1700000000.000001": 1700000060.0001}
    assert read_edits(history, "B0TRIAGE", since=1700000061, until=1700000999) == {}


def test_an_edit_is_queued_by_one_sweep_only(slack, ledger, later, settings_of, team):
    ts = slack.write("a billing matter")
    decide_about(ledger, team, ts)
    slack.edit(ts, "a technical matter")
    actions = SlackActions(slack.client)
    at_home = Sweeper(actions, ledger, later, settings_of(POLICY), home_of=lambda of, channel: team.team)

    for _ in range(3):
        list(at_home.sweep_all(0, after_all_has_settled()))

    assert [record.ts for record in later.records] == [ts]


def test_a_deletion_that_never_arrived_is_found_until_it_is_known(sweeper, slack, ledger, later, team):
    deleted, standing, gone = (slack.write("a billing matter") for _ in range(3))
    for ts in (deleted, standing, gone):
        decide_about(ledger, team, ts)
    slack.delete(gone)
    slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=deleted, text="On it")  # so that a tombstone remains
    slack.delete(deleted)

    swept = sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled())
    for ts in (deleted, gone):
        ledger.record_deletion(MessageKey(team.team, "C0SUPPORT", ts), time.time())

    assert [record.ts for record in swept.changed] == [deleted, gone]
    assert later.records == [*swept.changed]
    assert sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled()).changed == ()


def test_what_waits_for_its_turn_is_not_queued_again(sweeper, slack, ledger, later, team, build_record):
    ledger.note_seen(build_record(team=team.team, ts=slack.write("a billing matter")).key, time.time())

    assert sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled()).missing == ()


def test_a_dry_run_changes_nothing(sweeper, slack, later, team):
    slack.write("a billing matter")

    swept = sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled(), dry_run=True)

    assert (len(swept.missing), later.records) == (1, [])


def test_every_channel_that_the_bot_is_in_is_swept(sweeper):
    swept = {each.channel for each in sweeper.sweep_all(0, time.time())}

    assert swept == {"C0SUPPORT", "C0BILLING", "C0TECH", "C0GENERAL", "C0LEADS"}


class ManyChannels:
    """A workspace with 120 channels, one of which may be sick; after `reads` of history Slack asks to wait."""

    def __init__(self, team: str, sick: str | None = None, reads: int | None = None) -> None:
        self.team, self.sick, self.left = team, sick, reads
        self.read: list[str] = []

    def identify(self):
        return Identity(self.team, "U0BOT", "B0TRIAGE")

    def list_channels(self):
        return [f"C{number:03}" for number in range(120)]

    def read_history(self, channel, oldest, latest):
        if channel == self.sick:
            raise PermanentError("channel_not_found")
        if self.left == 0:
            raise RetryableError("ratelimited", refused=True, after=30)
        self.left = self.left and self.left - 1
        self.read.append(channel)
        return []


@pytest.fixture
def sweep_many(ledger, later, settings_of):
    def sweep(slack: ManyChannels, until: float | None = None, **changes) -> list[str]:
        sweeper = Sweeper(slack, ledger, later, settings_of(POLICY), **changes)
        return [each.channel for each in sweeper.sweep_all(0, time.time(), until)]

    return sweep


def test_a_channel_that_cannot_be_read_keeps_no_other_from_being_swept(sweep_many, team):
    assert len(sweep_many(ManyChannels(team.team, sick="C003"))) == 119


def test_a_sweep_that_slack_ends_early_goes_on_where_it_ended(sweep_many, team):
    slack, swept = ManyChannels(team.team), []
    for _ in range(3):
        slack.left = 50
        swept += sweep_many(slack)

    assert len(set(swept[:120])) == 120


def test_slack_is_waited_for_while_there_is_time(sweep_many, team):
    slack, waited = ManyChannels(team.team, reads=50), []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        slack.left = 50

    assert len(sweep_many(slack, until=1_000, clock=lambda: 0, sleep=wait)) == 120
    assert waited == [30, 30]


def test_more_messages_than_one_page_are_all_read(sweeper, slack, ledger, later, team, monkeypatch):
    monkeypatch.setattr("bot.slack.client._PAGE_SIZE", 2)
    written = [slack.write(f"matter {number}") for number in range(5)]

    sweeper.sweep("C0SUPPORT", team, 0, after_all_has_settled())

    assert [record.ts for record in later.records] == written


def test_more_decisions_than_one_call_gives_are_all_found(ledger, team, build_record):
    keys = [build_record(team=team.team, ts=f"1700000000.{number:06}").key for number in range(130)]
    for key in keys[::10]:
        ledger.record_decision(key, Decision("ignore", "unreadable"), time.time())

    assert ledger.find_known(keys) == set(keys[::10])


def test_a_rate_limit_ends_a_sweep_that_can_be_repeated(sweeper, slack, team):
    slack.installation.limits.plan("conversations.history", times=1, retry_after=3)

    with pytest.raises(RetryableError):
        sweeper.sweep("C0SUPPORT", team, 0, time.time())


# --- In more than one workspace -----------------------------------------------------------------------------


class Broken:
    """Sweeps nothing."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure

    def sweep_all(self, oldest, now, until):
        raise self.failure


def sweep_both(sweeper, failure: Exception, installed: bool):
    broken, well = ConnectedWorkspace(None, installed), ConnectedWorkspace(None)
    found = {id(broken): Broken(failure), id(well): sweeper}
    return sweep_workspaces([broken, well], lambda workspace: found[id(workspace)], 0, after_all_has_settled())


def test_a_workspace_that_cannot_be_swept_holds_no_other_up_and_is_told_of_afterwards(sweeper, slack, later):
    slack.write("a billing matter")

    with pytest.raises(RetryableError, match="ratelimited"):
        sweep_both(sweeper, RetryableError("ratelimited"), installed=True)

    assert len(later.records) == 1


def test_a_workspace_that_took_the_bot_out_is_passed_over(sweeper):
    assert len(sweep_both(sweeper, WorkspaceUninstalled("token_revoked"), installed=True)) == 5


def test_a_token_in_the_secret_that_is_none_any_more_is_told_of(sweeper):
    with pytest.raises(WorkspaceUninstalled):
        sweep_both(sweeper, WorkspaceUninstalled("token_revoked"), installed=False)


def test_what_another_installation_of_a_shared_channel_delivered_is_not_queued_again(
    sweeper, slack, ledger, team, build_record
):
    ledger.note_seen(build_record(team=team.team, ts=slack.write("a billing matter")).key, time.time())
    second = replace(sweeper, home_of=lambda of, channel: team.team)

    assert second.sweep("C0SUPPORT", replace(team, team="T0SECOND"), 0, after_all_has_settled()).missing == ()
