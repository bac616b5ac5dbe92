import json
import logging
import time
import uuid
from dataclasses import replace

import pytest

from bot.pipeline.admission import Admission
from bot.pipeline.webhooks import Call, WebhookRefused
from bot.pipeline.worker import Handlers, Worker
from bot.policy.parsing.parser import parse_policy
from bot.policy.policy import Limits
from bot.queue.deliveries import MOST_TRIES
from bot.queue.messages import (
    CorrectionRecord,
    EscalationRecord,
    LifecycleRecord,
    WebhookRecord,
    to_json,
)
from bot.queue.sender import QueueUnavailable
from bot.slack.api import PermanentError, WorkspaceUninstalled
from bot.slack.client import SlackActions
from bot.store.ledger import Ledger
from bot.store.rate_limiter import RateLimiter
from bot.triage.case import Correction
from bot.workspaces.installations import InstallationsUnavailable
from classifier_infra.inference.classifier import ClassifierRejected, ClassifierUnavailable

NOW = int(time.time())


# --- Messages -----------------------------------------------------------------------------------------------


def test_a_batch_is_read_in_one_call_and_each_message_handled(worker, slack, classifier, written, deliver):
    records = [written("a billing matter"), written("a technical matter"), written("billing again")]

    failed = deliver(worker, *records)

    assert failed == []
    assert classifier.calls == [["a billing matter", "a technical matter", "billing again"]]
    assert (len(slack.posts("C0BILLING")), len(slack.posts("C0TECH"))) == (2, 1)
    assert all(len(slack.thread(record.ts)) == 1 for record in records)


def test_a_message_delivered_four_times_is_seen_once_and_classified_once(worker, slack, classifier, written, deliver):
    record = written("a billing matter")

    for _ in range(4):
        assert deliver(worker, record) == []

    assert len(classifier.calls) == 1
    assert slack.reactions(record.ts) == ["credit_card"]
    assert (len(slack.posts("C0BILLING")), len(slack.thread(record.ts))) == (1, 1)


def test_a_message_twice_in_one_batch_is_seen_once(worker, slack, written, deliver):
    record = written("a billing matter")

    assert deliver(worker, record, record) == []

    assert (len(slack.posts("C0BILLING")), len(slack.thread(record.ts))) == (1, 1)


def test_the_ledger_keeps_what_was_decided_and_by_which_model(worker, ledger, written, deliver):
    record = written("a billing matter")

    deliver(worker, record)

    decision = ledger.load(record.key, time.time()).decision
    assert (decision.outcome, decision.labels["category"], decision.model_version) == (
        "automatic",
        "billing",
        "model-1",
    )


def test_when_unsure_a_person_is_asked_in_the_thread_and_nothing_sent_on(worker, slack, written, deliver):
    record = written("something odd")

    deliver(worker, record)

    [question] = slack.thread(record.ts)
    assert question.content.text.startswith("I am not sure: is this ")
    assert slack.calls("chat.postMessage") == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"text": "👍👍"}, "unreadable"),
        ({"bot": "B0FORM"}, "bot"),
        ({"channel": "C0BILLING"}, "destination-channel"),
        ({"channel": "C0LEADS"}, "channel-off"),
    ],
)
def test_a_message_that_is_not_read_leaves_its_reason_in_the_ledger(
    worker, ledger, classifier, slack, build_record, change, reason, deliver
):
    record = build_record(ts=f"1700000000.{uuid.uuid4().int % 10**6:06}", **change)

    assert deliver(worker, record) == []

    assert ledger.load(record.key, time.time()).decision.reason == reason
    assert classifier.calls == []
    assert slack.calls("chat.postMessage") == 0


def test_while_the_classifier_is_down_messages_wait_and_the_rest_goes_on(
    worker, ledger, classifier, slack, written, build_record, deliver
):
    waiting = written("a billing matter")
    ignored = build_record(ts=f"1700000000.{uuid.uuid4().int % 10**6:06}", text="🎉")
    classifier.failure = ClassifierUnavailable("no answer from the endpoint")

    assert deliver(worker, waiting, ignored) == [0]

    classifier.failure = None
    assert deliver(worker, waiting) == []
    assert len(slack.posts("C0BILLING")) == 1


def test_one_text_that_the_endpoint_refuses_fails_alone(worker, slack, written, deliver):
    records = [written("billing one"), written("poison"), written("billing two"), written("billing three")]

    assert deliver(worker, *records) == [1]

    assert len(slack.posts("C0BILLING")) == 3


def test_a_message_that_slack_puts_off_has_not_failed_and_is_complete_the_next_time(
    worker, slack, later, written, deliver
):
    first, second = written("a billing matter"), written("a technical matter")
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=7)

    assert deliver(worker, first, second, tries=MOST_TRIES) == []
    assert later.sent == [(first, 7)]
    assert deliver(worker, first) == []

    assert len(slack.thread(first.ts)) == len(slack.thread(second.ts)) == 1
    assert (len(slack.posts("C0BILLING")), len(slack.posts("C0TECH"))) == (1, 1)


def test_a_ledger_that_is_down_fails_what_needs_it(
    worker, dynamodb, written, deliver, handlers_of, with_other, command
):
    broken = with_other(
        worker, messages=replace(handlers_of(worker).messages, ledger=Ledger(dynamodb, "no-such-table"))
    )

    assert deliver(broken, written("a billing matter"), command("a billing matter")) == [0]


@pytest.mark.parametrize(
    "body", ["not json", "{}", '{"version": 0, "kind": "message"}', '{"version": 1, "kind": "message"}']
)
def test_a_record_that_cannot_be_read_is_dead_lettered_with_the_reason(
    worker, slack, dead_letter, written, body, deliver
):
    assert deliver(worker, body, written("a billing matter")) == []

    assert (dead_letter.bodies, len(slack.posts("C0BILLING"))) == ([body], 1)
    assert dead_letter.reasons[0].startswith("InvalidRecord: ")


@pytest.mark.parametrize("body", ['{"version": 99, "kind": "message"}', '{"version": 1, "kind": "edit"}'])
def test_a_record_of_a_later_version_is_left_to_a_worker_that_knows_it(worker, dead_letter, written, body, deliver):
    assert deliver(worker, body, written("a billing matter")) == [0]

    assert dead_letter.bodies == []


# --- Limits -------------------------------------------------------------------------------------------------


@pytest.fixture
def limited(worker, dynamodb, ledger_table, settings_of, handlers_of, with_other, policy) -> Worker:
    """A worker that only watches, reads two messages a minute of a channel, and lets one in at once."""
    held = replace(policy, default_mode="watch-only", modes={}, limits=Limits(channel_minute=2))
    admission = Admission(RateLimiter(dynamodb, ledger_table), time.time)
    messages = replace(handlers_of(worker).messages, admission=admission)
    return with_other(replace(worker, settings=settings_of(held)), messages=messages)


def test_a_noisy_channel_waits_and_a_quiet_one_does_not(limited, classifier, later, build_record, deliver):
    team = f"T{uuid.uuid4().hex.upper()}"
    noisy = [build_record(team=team, ts=f"1700000000.00000{number}", received_at=NOW) for number in range(5)]
    quiet = build_record(team=team, channel="C0OTHER", text="a technical matter", received_at=NOW)

    assert deliver(limited, *noisy, quiet) == []

    assert classifier.calls == [["a billing matter", "a billing matter", "a technical matter"]]
    assert later.records == noisy[2:]


def test_what_has_waited_is_let_in_when_it_is_due_and_not_before(limited, classifier, later, build_record, deliver):
    record = build_record(team=f"T{uuid.uuid4().hex.upper()}", received_at=NOW)

    deliver(limited, record, due=time.time() + 600)
    assert (classifier.calls, later.due[0] > time.time()) == ([], True)
    deliver(limited, record, due=time.time() - 1)

    assert len(classifier.calls) == 1


def test_a_message_that_is_decided_about_needs_no_second_place(limited, later, build_record, deliver):
    record = build_record(team=f"T{uuid.uuid4().hex.upper()}", received_at=NOW)

    for _ in range(4):
        deliver(limited, record)

    assert later.sent == []


# --- What does not succeed ----------------------------------------------------------------------------------


def test_what_failed_too_often_is_dead_lettered_with_the_last_reason(worker, classifier, dead_letter, written, deliver):
    classifier.failure = ClassifierUnavailable("no answer from the endpoint")
    record = written("a billing matter")

    assert deliver(worker, record, tries=MOST_TRIES - 1) == [0]
    assert deliver(worker, record, tries=MOST_TRIES) == []

    assert dead_letter.bodies == [to_json(record)]
    assert dead_letter.reasons == ["ClassifierUnavailable: no answer from the endpoint"]


def test_a_workspace_that_is_gone_is_not_tried_again(worker, slack, dead_letter, written, deliver):
    record = written("a billing matter")
    slack.client.token = "xoxb-revoked"

    assert deliver(worker, record) == []

    assert dead_letter.reasons == ["WorkspaceUninstalled: invalid_auth"]


def test_what_can_be_put_nowhere_fails_and_so_stays_in_the_queue(worker, slack, later, written, deliver):
    later.failure = QueueUnavailable("SQS did not take the record")
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=7)

    assert deliver(worker, written("a billing matter")) == [0]


def test_what_has_been_put_off_for_a_day_counts_as_failing(worker, slack, later, written, deliver):
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=7)

    assert deliver(worker, written("a billing matter"), since=time.time() - 25 * 3600) == [0]
    assert later.sent == []


def test_what_is_redriven_after_a_day_waits_its_turn_like_everything_else(worker, slack, later, written, deliver):
    old = written("a billing matter", received_at=int(time.time()) - 30 * 3600)
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=7)

    assert deliver(worker, old) == []

    assert later.records == [old]
    assert later.since[0] == pytest.approx(time.time(), abs=60)


def test_the_reason_of_a_fault_of_our_own_has_nobodys_text_in_it(worker, dead_letter, written, monkeypatch, deliver):
    def fail(record, *_):
        raise ValueError(record.text)

    monkeypatch.setattr("bot.pipeline.message_handler.decide", fail)

    deliver(worker, written("a billing matter of mine"), tries=MOST_TRIES)

    assert dead_letter.reasons == ["ValueError"]


def test_a_fault_of_our_own_fails_one_message_and_is_logged_with_its_place(
    worker, written, caplog, monkeypatch, deliver, command
):
    monkeypatch.setattr("bot.pipeline.message_handler.decide", lambda *_: 1 / 0)

    assert deliver(worker, written("a billing matter"), command("help me")) == [0]

    assert "ZeroDivisionError" in caplog.text


# --- What rules ask for beside posts ------------------------------------------------------------------------


class Refusing:
    """The other side of every webhook, which wants nothing of it."""

    def __call__(self, call: Call) -> None:
        raise WebhookRefused("status 404")


@pytest.fixture
def following_rules(worker, slack, build_reconciler, build_steps, settings_of, handlers_of, with_other) -> Worker:
    """A worker whose policy sends billing matters to a webhook, which refuses, and escalates them."""
    policy = parse_policy("""\
version: 2
channels: {default: automatic}
intake: {merge_seconds: 0}
webhooks: {crm: {url: https://crm.example.com/}}
rules:
  - when: {keywords: billing}
    then: {post: C0BILLING, webhook: crm, escalate: {after: 1h}}
""")
    held = settings_of(policy)
    reconciler = build_reconciler(SlackActions(slack.client), build_steps(), held, Refusing())
    messages = replace(handlers_of(worker).messages, reconciler=reconciler)
    return with_other(replace(worker, settings=held), reconciler=reconciler, messages=messages)


def test_a_webhook_that_refuses_holds_nothing_up_and_is_dead_lettered_with_the_reason(
    following_rules, slack, later, dead_letter, written, deliver
):
    record = written("a billing matter")
    assert deliver(following_rules, record) == []
    [call] = [each for each in later.records if isinstance(each, WebhookRecord)]

    assert deliver(following_rules, call) == []

    assert (len(slack.posts("C0BILLING")), len(slack.thread(record.ts))) == (1, 1)
    assert dead_letter.reasons == ["WebhookRefused: crm: status 404"]
    assert dead_letter.bodies == [to_json(call)]


def test_an_escalation_waits_in_the_queue_until_it_is_due(following_rules, slack, later, written, deliver):
    deliver(following_rules, written("a billing matter"))
    [waiting] = [each for each in later.records if isinstance(each, EscalationRecord)]

    assert deliver(following_rules, waiting) == []

    assert later.records.count(waiting) == 2
    assert len(slack.posts("C0BILLING")) == 1


# --- Corrections --------------------------------------------------------------------------------------------


def test_a_correction_is_shown(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    correction = Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1")
    ledger.record_correction(record.key, ledger.load(record.key, time.time()), correction, time.time())

    assert deliver(worker, CorrectionRecord(record.team, record.channel, record.ts, 1)) == []

    assert len(slack.posts("C0TECH")) == 1


def test_a_persons_word_stands_when_the_message_is_delivered_again(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    correction = Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1")
    ledger.record_correction(record.key, ledger.load(record.key, time.time()), correction, time.time())

    assert deliver(worker, record) == []

    assert slack.thread(record.ts)[0].content.text.startswith("*Technical*, sent to <#C0TECH>.")


# --- What is logged -----------------------------------------------------------------------------------------


def test_neither_text_nor_response_url_is_logged(worker, answers, classifier, written, caplog, deliver, command):
    answers.failure = PermanentError("status 404")
    with caplog.at_level(logging.DEBUG, logger="bot"):
        deliver(
            worker, written("a billing matter of mine"), command("a technical matter of mine"), '{"text": "of mine"}'
        )
        classifier.failure = ClassifierRejected("the endpoint refused the texts")
        deliver(worker, written("another matter of mine"))

    logged = json.dumps([vars(record) for record in caplog.records], default=str)
    assert "decided" in logged
    assert "of mine" not in logged
    assert "secret" not in logged


# --- Workspaces ---------------------------------------------------------------------------------------------


def test_a_record_of_a_workspace_that_is_gone_is_dead_lettered_and_the_others_are_handled(
    worker, slack, written, dead_letter, deliver, handlers_of
):
    def handlers(team: str) -> Handlers:
        if team == "T9GONE":
            raise WorkspaceUninstalled("not_installed")
        return handlers_of(worker)

    failed = deliver(replace(worker, handlers=handlers), written("a billing matter", team="T9GONE"), written("billing"))

    assert failed == []
    assert dead_letter.reasons == ["WorkspaceUninstalled: not_installed"]
    assert len(slack.posts("C0BILLING")) == 1


def test_a_record_is_delivered_again_while_nobody_knows_whose_token_it_takes(worker, written, deliver):
    def handlers(team: str) -> Handlers:
        raise InstallationsUnavailable("the table of installations did not answer as it should")

    assert deliver(replace(worker, handlers=handlers), written("a billing matter")) == [0]


def test_a_workspace_that_took_the_bot_out_is_forgotten_without_a_word_to_slack(worker, dead_letter, deliver):
    parted: list[LifecycleRecord] = []
    gone = LifecycleRecord("T1", "app_uninstalled", NOW, NOW)

    assert deliver(replace(worker, handlers=None, part=parted.append), gone) == []

    assert parted == [gone]
    assert dead_letter.reasons == []


def test_word_of_a_departure_comes_again_while_the_token_could_not_be_removed(worker, deliver):
    def part(record: LifecycleRecord) -> None:
        raise InstallationsUnavailable("the table of installations did not answer as it should")

    assert deliver(replace(worker, part=part), LifecycleRecord("T1", "app_uninstalled", NOW, NOW)) == [0]
