"""Two things happen at once: Slack ends as the facts say, whichever is heard of first."""

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest
from slack_sdk.errors import SlackApiError

from bot.pipeline.corrections import CorrectionHandler
from bot.pipeline.sweep import SETTLED_AFTER, Sweeper
from bot.policy.settings import Switches
from bot.queue.deliveries import Redelivery, read_delivery
from bot.queue.messages import CorrectionRecord, MessageRecord, ReplyRecord, RevisionRecord, to_json
from bot.slack.api import WorkspaceUninstalled
from bot.slack.client import METADATA_TYPE, Identity, SlackActions
from bot.store.ledger import LEASE_SECONDS
from bot.triage.case import StepResult

SECRET = "hunter2"


def revision(record: MessageRecord) -> RevisionRecord:
    return RevisionRecord(record.team, record.channel, record.ts, record.received_at)


def correction(record: MessageRecord) -> CorrectionRecord:
    return CorrectionRecord(record.team, record.channel, record.ts, record.received_at)


@pytest.fixture
def say(ledger, later, settings_of, policy):
    """Let Anna say what a message is about, without showing it."""
    corrections = CorrectionHandler(ledger, later, settings_of(policy), time.time)
    return lambda record, label: corrections.take(record.key, "category", label, "U0ANNA")


@pytest.fixture
def shown(slack):
    """Return what a channel's posts say, as one text."""
    return lambda channel: str([post.content.blocks for post in slack.posts(channel)])


@pytest.fixture
def meanwhile(slack):
    """Do something the first time that a method of Slack's is called, as another worker would at that moment."""

    def arrange(method: str, act: Callable[[], object]) -> None:
        inner, acts = slack.client.api_call, [act]

        def call(api_method: str, **options):
            if api_method == method and acts:
                acts.pop()()
            return inner(api_method, **options)

        slack.client.api_call = call

    return arrange


@pytest.fixture
def drain(worker, later, handlers_of, with_other, deliver):
    """Deliver all that was put off, when every lease has ended."""
    reconciler = handlers_of(worker).reconciler
    steps = replace(reconciler.steps, now=lambda: time.time() + LEASE_SECONDS + 1)
    after_leases = with_other(worker, reconciler=replace(reconciler, steps=steps))

    def run() -> None:
        for _ in range(20):
            records = later.records
            if not records:
                return
            later.sent.clear()
            assert deliver(after_leases, *records) == []
        raise AssertionError("the queue never becomes empty")

    return run


# --- In one batch -------------------------------------------------------------------------------------------


def test_a_message_and_its_edit_in_one_batch_are_decided_by_the_new_text(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    slack.edit(record.ts, "a technical matter")

    assert deliver(worker, record, revision(record)) == []

    assert ledger.load(record.key, time.time()).decision.labels["category"] == "technical"
    assert (len(slack.posts("C0BILLING")), len(slack.posts("C0TECH"))) == (0, 1)


def test_an_edit_that_is_heard_of_before_its_message_stands(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    slack.edit(record.ts, "a technical matter")

    assert deliver(worker, revision(record)) == []
    assert deliver(worker, record) == []

    assert ledger.load(record.key, time.time()).decision.labels["category"] == "technical"
    assert (len(slack.posts("C0BILLING")), len(slack.posts("C0TECH"))) == (0, 1)


def test_a_message_and_its_deletion_in_one_batch_show_nothing(worker, slack, written, deliver, shown):
    record = written(f"a billing matter, my secret is {SECRET}")
    slack.delete(record.ts)

    assert deliver(worker, record, revision(record)) == []

    assert SECRET not in shown("C0BILLING")


# --- While effects are carried out --------------------------------------------------------------------------


def test_a_message_deleted_while_it_is_posted_does_not_stay_posted(worker, slack, written, deliver, meanwhile, shown):
    record = written(f"a billing matter, my secret is {SECRET}")

    def delete() -> None:
        slack.delete(record.ts)
        assert deliver(worker, revision(record)) == []

    meanwhile("chat.getPermalink", delete)
    assert deliver(worker, record) == []

    assert SECRET not in shown("C0BILLING")


def test_a_message_corrected_while_it_is_posted_is_where_the_person_said(
    worker, slack, written, deliver, meanwhile, say
):
    record = written("a billing matter")

    def correct() -> None:
        say(record, "technical")
        assert deliver(worker, correction(record)) == []

    meanwhile("chat.getPermalink", correct)
    assert deliver(worker, record) == []

    assert not any(post.content.text.startswith("*Billing* from") for post in slack.posts("C0BILLING"))
    assert [post.content.text for post in slack.posts("C0TECH")] == [
        "*Technical* from <@U0MAYA> in <#C0SUPPORT>: a billing matter"
    ]
    [reply] = slack.thread(record.ts)
    assert "sent to <#C0TECH>" in reply.content.text
    assert slack.reactions(record.ts) == []


def test_a_message_edited_while_it_is_posted_belongs_to_one_channel(worker, slack, written, deliver, meanwhile):
    record = written("a billing matter")

    def edit() -> None:
        slack.edit(record.ts, "a technical matter")
        assert deliver(worker, revision(record)) == []

    meanwhile("chat.getPermalink", edit)
    assert deliver(worker, record) == []

    assert not any(post.content.text.startswith("*Billing* from") for post in slack.posts("C0BILLING"))
    assert len(slack.posts("C0TECH")) == 1


# --- After an answer was lost -------------------------------------------------------------------------------


def test_a_post_whose_answer_was_lost_is_taken_back_when_the_message_is_deleted(
    worker, slack, written, deliver, drain, shown
):
    record = written(f"a billing matter, my secret is {SECRET}")
    slack.client.lose.append("chat.postMessage")
    assert deliver(worker, record) == [0]
    assert SECRET in shown("C0BILLING")

    slack.delete(record.ts)
    assert deliver(worker, revision(record)) == []
    drain()

    assert SECRET not in shown("C0BILLING")


def test_a_post_whose_answer_was_lost_gives_way_to_a_correction(worker, slack, written, deliver, drain, say):
    record = written("a billing matter")
    slack.client.lose.append("chat.postMessage")
    assert deliver(worker, record) == [0]

    say(record, "technical")
    assert deliver(worker, correction(record)) == []
    drain()

    assert not any(post.content.text.startswith("*Billing* from") for post in slack.posts("C0BILLING"))
    assert len(slack.posts("C0TECH")) == 1
    [reply] = slack.thread(record.ts)
    assert "sent to <#C0TECH>" in reply.content.text


def test_taking_back_goes_on_past_a_post_that_is_gone(worker, slack, written, deliver, say, shown):
    record = written(f"a billing matter, my secret is {SECRET}")
    deliver(worker, record)
    say(record, "technical")
    deliver(worker, correction(record))
    [first] = slack.posts("C0BILLING")
    slack.client.chat_delete(channel="C0BILLING", ts=first.ts)

    slack.delete(record.ts)
    assert deliver(worker, revision(record)) == []

    assert SECRET not in shown("C0TECH")
    assert slack.posts("C0SUPPORT") == []


def test_a_copy_that_slack_made_late_is_made_to_say_what_holds_now(worker, slack, written, deliver, drain):
    record = written(f"a billing matter, my secret is {SECRET}")
    slack.client.lose.append("chat.postMessage")
    deliver(worker, record)
    [made] = slack.posts("C0BILLING")
    slack.client.chat_delete(channel="C0BILLING", ts=made.ts)  # as if Slack had not made it yet
    slack.delete(record.ts)
    deliver(worker, revision(record))
    late = {"event_type": METADATA_TYPE, "event_payload": {"key": str(record.key), "step": "route:C0BILLING"}}

    slack.client.chat_postMessage(channel="C0BILLING", text=SECRET, blocks=[], metadata=late)
    drain()

    assert SECRET not in str([post.content.text for post in slack.posts("C0BILLING")])


# --- Before the first reply ---------------------------------------------------------------------------------


def test_a_correction_before_the_first_reply_brings_the_thread_its_reply(
    worker, slack, written, deliver, meanwhile, say, drain
):
    record = written("a billing matter")
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=1)
    assert deliver(worker, record) == []
    say(record, "technical")

    assert deliver(worker, correction(record)) == []
    drain()

    [reply] = slack.thread(record.ts)
    assert "sent to <#C0TECH>" in reply.content.text


# --- Beside the message -------------------------------------------------------------------------------------


def test_what_was_shown_already_costs_slack_no_call(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    before = len(slack.installation.calls)

    for _ in range(3):
        assert deliver(worker, record) == []

    assert len(slack.installation.calls) == before


def test_an_answer_to_what_was_assigned_to_no_one_costs_slack_no_call(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    before = len(slack.installation.calls)
    answer = ReplyRecord(record.team, record.channel, record.ts, "U0LEO", f"{time.time():.6f}", record.received_at)

    assert deliver(worker, answer) == []

    assert len(slack.installation.calls) == before
    assert ledger.load(record.key, time.time()).first_answer.user == "U0LEO"


def test_an_edit_that_leaves_a_post_as_it_is_edits_nothing(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)

    assert deliver(worker, revision(record)) == []

    assert slack.calls("chat.update") == 0


def test_a_batch_with_no_time_left_goes_back_to_the_queue(worker, slack, written, later):
    records = [written(f"a billing matter {number}") for number in range(3)]
    messages = [{"messageId": str(number), "body": to_json(record)} for number, record in enumerate(records)]

    assert worker.handle({"Records": messages}, seconds_left=5) == {"batchItemFailures": []}

    assert later.records == records
    assert len(slack.installation.calls) == 0


def test_a_step_of_another_worker_is_no_failure(worker, ledger, written, deliver, later):
    record = written("a billing matter")
    ledger.lock(record.key, time.time())

    assert deliver(worker, record) == []

    assert later.records == [record]
    assert ledger.load(record.key, time.time()).steps == {}


def test_a_result_that_another_worker_wrote_first_stands(ledger, build_record):
    key = build_record(ts=f"{time.time():.6f}").key
    claim = ledger.claim(key, "reply", time.time())
    ledger.complete(claim, StepResult("1.1"))

    assert ledger.complete(claim, StepResult("2.2")) == StepResult("1.1")


# --- Switches -----------------------------------------------------------------------------------------------


@pytest.fixture
def switchable(worker, settings_of, policy, handlers_of, with_other):
    """A worker whose switches can be set while it works; returns the worker and its settings."""
    held = settings_of(policy)
    handlers = handlers_of(worker)
    reconciler = replace(handlers.reconciler, settings=held)
    messages = replace(handlers.messages, reconciler=reconciler)
    return with_other(replace(worker, settings=held), reconciler=reconciler, messages=messages), held


def test_what_was_decided_before_a_stop_is_only_suggested_after_it(
    switchable, slack, ledger, written, deliver, later, meanwhile
):
    worker, held = switchable
    record = written("a billing matter")

    def stop() -> None:
        held.held = replace(held.held, switches=Switches(stopped=True))

    meanwhile("reactions.add", stop)
    assert deliver(worker, record) == []

    assert slack.posts("C0BILLING") == []
    assert slack.reactions(record.ts) == []
    [reply] = slack.thread(record.ts)
    assert "Shall I send it" in reply.content.text
    assert ledger.load(record.key, time.time()).decision.outcome == "suggest"


def test_what_was_decided_before_its_channel_was_muted_is_not_answered(switchable, slack, written, deliver, later):
    worker, held = switchable
    record = written("a billing matter")
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=1)
    assert deliver(worker, record) == []
    held.held = replace(held.held, switches=Switches(muted_channels=frozenset({"C0SUPPORT"})))

    assert deliver(worker, record) == []

    assert (slack.posts("C0BILLING"), slack.thread(record.ts)) == ([], [])


def test_a_suggestion_that_waited_is_not_made_once_its_channel_is_muted(switchable, slack, written, deliver):
    worker, held = switchable
    held.held = replace(held.held, switches=Switches(stopped=True))
    record = written("a billing matter")
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=1)
    assert deliver(worker, record) == []
    held.held = replace(held.held, switches=Switches(muted_channels=frozenset({"C0SUPPORT"})))

    assert deliver(worker, record) == []

    assert slack.thread(record.ts) == []


def test_what_a_person_said_is_carried_out_though_the_bot_is_stopped(switchable, slack, written, deliver, say):
    worker, held = switchable
    record = written("a billing matter")
    deliver(worker, record)
    held.held = replace(held.held, switches=Switches(stopped=True))

    say(record, "technical")
    assert deliver(worker, correction(record)) == []

    assert len(slack.posts("C0TECH")) == 1


# --- Workspaces, tokens, redelivery ---------------------------------------------------------------------------


def test_facts_that_arrive_through_another_installation_count_for_the_channels_workspace(
    worker, slack, written, deliver
):
    at_home = replace(worker, home_of=lambda team, channel: "T0SANDBOX")
    record = written("a billing matter")
    assert deliver(at_home, record) == []
    slack.edit(record.ts, "a billing matter, twice")

    assert deliver(at_home, replace(record, team="T0SECOND")) == []
    assert deliver(at_home, replace(revision(record), team="T0SECOND")) == []

    assert (len(slack.thread(record.ts)), len(slack.posts("C0BILLING"))) == (1, 1)
    assert "twice" in slack.posts("C0BILLING")[0].content.text


def test_a_token_that_was_rotated_dead_letters_no_message(worker, written, deliver, later, dead_letter):
    def gone(team):
        raise WorkspaceUninstalled("invalid_auth")

    record = written("a billing matter")

    assert deliver(replace(worker, handlers=gone, renew=lambda: True), record) == []
    assert (later.records, dead_letter.bodies) == ([record], [])
    assert deliver(replace(worker, handlers=gone), record) == []
    assert len(dead_letter.bodies) == 1


def test_a_failure_comes_back_in_seconds_at_first(worker, slack, written, deliver):
    hastened = []
    impatient = replace(worker, hasten=lambda delivery, seconds: hastened.append(seconds))
    record = written("a billing matter")

    for tries in (1, 2, 3):
        slack.client.lose = ["reactions.add"]
        deliver(impatient, replace(record, ts=slack.write("a billing matter")), tries=tries)

    assert hastened == [10, 45]


def test_what_fails_is_made_visible_to_the_queue_in_seconds(sqs, queue_url):
    sqs.send_message(QueueUrl=queue_url, MessageBody="{}")
    [message] = sqs.receive_message(QueueUrl=queue_url)["Messages"]
    arn = f"arn:aws:sqs:eu-central-1:000000000000:{queue_url.rpartition('/')[2]}"
    delivery = read_delivery(
        {"messageId": "1", "body": "{}", "receiptHandle": message["ReceiptHandle"], "eventSourceARN": arn}
    )

    Redelivery(sqs, queue_url).hasten(delivery, 0)

    assert sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=2)["Messages"][0]["MessageId"]


def test_a_notice_that_cannot_be_posted_holds_no_message_up(switchable, slack, written, deliver, dead_letter, policy):
    worker, held = switchable
    held.held = replace(held.held, policy=replace(policy, routes={"billing": "C0OLD"}, admin="C0GENERAL"))
    inner = slack.client.api_call

    def refuse(method, **options):
        if method == "chat.postMessage" and "C0GENERAL" in str(options):
            raise SlackApiError("no", SimpleNamespace(get={"error": "an_error_of_tomorrow"}.get, status_code=200))
        return inner(method, **options)

    slack.client.api_call = refuse
    record = written("a billing matter")

    assert deliver(worker, record, tries=9) == []

    assert (dead_letter.bodies, len(slack.thread(record.ts))) == ([], 1)


def test_poison_is_dead_lettered_once_whatever_the_sweep_finds(
    worker, slack, ledger, written, deliver, dead_letter, later, settings_of, policy
):
    record = written("poison")
    sweeper = Sweeper(SlackActions(slack.client), ledger, later, settings_of(policy))
    deliver(worker, record, tries=9)

    for _ in range(4):
        identity = Identity("T0SANDBOX", "U0BOT", "B0TRIAGE")
        swept = sweeper.sweep("C0SUPPORT", identity, time.time() - 3600, time.time() + SETTLED_AFTER + 1)
        assert record.key not in {each.key for each in swept.missing}

    assert len(dead_letter.bodies) == 1


def test_poison_that_another_installation_delivered_is_known_to_the_sweep_of_the_channels_workspace(
    worker, ledger, written, deliver, dead_letter
):
    at_home = replace(worker, home_of=lambda team, channel: "T0SANDBOX")
    record = written("poison")

    deliver(at_home, replace(record, team="T0SECOND"), tries=9)

    assert len(dead_letter.bodies) == 1
    assert ledger.find_known([record.key]) == {record.key}
