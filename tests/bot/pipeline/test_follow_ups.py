import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot.pipeline.follow_ups import MOST_CALLS, FollowUps
from bot.pipeline.webhooks import Call, WebhookFailed, WebhookRefused
from bot.policy.parsing.parser import parse_policy
from bot.queue.messages import EscalationRecord, WebhookRecord
from bot.queue.sender import LONGEST_DELAY
from bot.slack.client import SlackActions
from bot.store.rotations import RoundRobin
from bot.triage.case import Assign, CallWebhook, Correction, Decision, Escalate, FirstAnswer, PostReply, PostRoute
from bot.triage.wanted import demote

POLICY = parse_policy("""\
version: 2
channels:
  default: automatic
rotas:
  support:
    people: [U0ANNA, U0BEN, U0CLEO]
    away:
      U0CLEO: 2000-01-01..2100-01-01
templates:
  billing: "{author}, this is about *{label:category}*; {assignee} takes it up in {destination}."
webhooks:
  crm:
    url: https://crm.example.com/hooks/1
  log:
    url: https://log.example.com/
    text: true
rules:
  - when: {category: billing}
    then:
      post: C0BILLING
      mention: support
      reply: billing
      assign: support
      webhook: crm
      escalate: {after: 30min, mention: support}
""")


class Calls:
    """The other side of every webhook."""

    def __init__(self) -> None:
        self.made: list[Call] = []
        self.failure: Exception | None = None

    def __call__(self, call: Call) -> None:
        self.made.append(call)
        if self.failure:
            raise self.failure


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def held(settings_of):
    return settings_of(POLICY)


@pytest.fixture
def reconciler(slack, build_reconciler, build_steps, held, calls, clock):
    return build_reconciler(SlackActions(slack.client), build_steps(now=clock), held, calls)


@pytest.fixture
def follow_ups(reconciler) -> FollowUps:
    return reconciler.follow_ups


@pytest.fixture
def written(slack, build_record):
    return build_record(ts=slack.write("a billing matter"))


@pytest.fixture
def handled(reconciler, ledger, slack, written, facet_results, carry_out):
    """A message that was decided about and handled, with all that the policy asks for."""
    wishes = (
        Assign("support"),
        PostRoute("C0BILLING", ("support",)),
        CallWebhook("crm"),
        Escalate(30, ("support",), "C0BILLING"),
        PostReply(POLICY.rules[0].then.reply and (POLICY.rules[0].then.reply,)),
    )
    decision = Decision("automatic", "sure", facet_results, "model-1", "endpoint", wishes)
    ledger.record_decision(written.key, decision, time.time())
    carry_out(reconciler, written, decision)
    return written


def text(message) -> str:
    return message.content.text


# --- Whose turn it is ---------------------------------------------------------------------------------------


def test_what_a_rule_asks_for_is_seen_once_however_often_the_message_is_delivered(
    handled, reconciler, ledger, slack, carry_out
):
    decision = ledger.load(handled.key, time.time()).decision

    carry_out(reconciler, handled, decision)

    [post] = slack.posts("C0BILLING")
    [reply] = slack.thread(handled.ts)
    assignee = ledger.load(handled.key, time.time()).steps["assign:support"].person
    assert assignee in ("U0ANNA", "U0BEN")
    assert f"in <#C0SUPPORT>, assigned to <@{assignee}>" in text(post)
    assert text(reply).startswith(f"<@U0MAYA>, this is about *Billing*; <@{assignee}> takes it up in <#C0BILLING>.")


def test_a_rota_is_mentioned_by_who_is_on_call_at_the_time(follow_ups):
    weeks = [1_800_000_000 + number * 7 * 24 * 3600 for number in range(4)]

    assert {follow_ups.resolve(POLICY, ("support",), at) for at in weeks} == {("U0ANNA",), ("U0BEN",)}
    assert follow_ups.resolve(POLICY, ("S0ONCALL", "here", "gone"), 1_800_000_000) == ("S0ONCALL", "here")


def test_assignments_go_round_and_the_round_is_remembered(dynamodb, ledger_table):
    team = f"T{uuid.uuid4().hex.upper()}"

    first = [RoundRobin(dynamodb, ledger_table).next(team, "support") for _ in range(3)]
    later = RoundRobin(dynamodb, ledger_table).next(team, "support")

    assert [*first, later, RoundRobin(dynamodb, ledger_table).next(team, "sales")] == [0, 1, 2, 3, 0]


def test_of_many_at_once_nobody_gets_the_same_turn(dynamodb, ledger_table):
    team, round_robin = f"T{uuid.uuid4().hex.upper()}", RoundRobin(dynamodb, ledger_table)

    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: round_robin.next(team, "support"), range(20)))

    assert sorted(numbers) == list(range(20))


def test_a_rota_that_is_gone_assigns_nobody(follow_ups, build_record):
    record = build_record(ts=f"1700000000.{uuid.uuid4().int % 10**6:06}")

    assert follow_ups.assign(record.key, Assign("gone")).person is None


ALL_AWAY = parse_policy("""\
version: 2
rotas:
  support:
    people: U0ANNA
    away: {U0ANNA: 2000-01-01..2100-01-01}
""")


def test_what_waits_for_somebody_to_be_there_has_not_been_failing_all_that_time(
    follow_ups, held, later, build_record, clock
):
    held.held = replace(held.held, policy=ALL_AWAY)
    record = build_record(ts=f"1700000000.{uuid.uuid4().int % 10**6:06}")
    follow_ups.assign(record.key, Assign("support"))
    [(waiting, delay)] = later.sent
    assert (waiting.received_at, delay > LONGEST_DELAY) == (int(clock.now), True)
    clock.now += 3 * 24 * 3600

    assert not follow_ups.give_out(waiting)

    assert later.records[1:] == [replace(waiting, received_at=int(clock.now))]


# --- Webhooks -----------------------------------------------------------------------------------------------


def webhook_records(later) -> list[WebhookRecord]:
    return [record for record in later.records if isinstance(record, WebhookRecord)]


def test_a_webhook_is_called_by_way_of_the_queue_and_once(handled, follow_ups, later, calls):
    [record] = webhook_records(later)
    assert calls.made == []

    follow_ups.call_webhook(record)
    follow_ups.call_webhook(record)

    [call] = calls.made
    assert (call.url, call.key) == ("https://crm.example.com/hooks/1", f"{handled.key}#crm")
    assert call.document["labels"]["category"] == {"label": "billing", "sure": True}
    assert call.document["labels"]["tone"]["sure"] is False
    assert call.document["message"]["ts"] == handled.ts
    assert "text" not in call.document


def test_the_text_goes_only_where_the_policy_says_so(handled, follow_ups, calls):
    follow_ups.call_webhook(WebhookRecord(handled.team, handled.channel, handled.ts, "log", 0, 1))

    assert calls.made[0].document["text"] == "a billing matter"


def test_a_call_that_fails_is_made_again_later_and_later_with_the_same_key(handled, follow_ups, later, calls):
    calls.failure = WebhookFailed("status 503")
    [record] = webhook_records(later)

    delays = []
    for _ in range(3):
        follow_ups.call_webhook(record)
        record, delay = later.sent[-1]
        delays.append(delay)

    assert delays == [15, 30, 60]
    assert record.tries == 3
    assert len({call.key for call in calls.made}) == 1


def test_after_an_hour_of_failing_a_person_is_told_why(handled, follow_ups, later, calls):
    calls.failure = WebhookFailed("status 503")
    [record] = webhook_records(later)

    with pytest.raises(WebhookRefused, match=f"crm: status 503 after {MOST_CALLS} calls"):
        follow_ups.call_webhook(replace(record, tries=MOST_CALLS - 1))

    calls.failure = None
    follow_ups.call_webhook(record)  # given back from there, it is called after all
    assert len(calls.made) == 2


def test_what_is_refused_is_not_called_again(handled, follow_ups, later, calls):
    calls.failure = WebhookRefused("status 404")
    [record] = webhook_records(later)

    with pytest.raises(WebhookRefused, match="crm: status 404"):
        follow_ups.call_webhook(record)
    assert webhook_records(later) == [record]


def test_a_webhook_that_the_policy_has_no_longer_is_let_go(handled, follow_ups, calls):
    follow_ups.call_webhook(WebhookRecord(handled.team, handled.channel, handled.ts, "gone", 0, 1))

    assert calls.made == []


# --- Escalation ---------------------------------------------------------------------------------------------


def escalation(later) -> EscalationRecord:
    return next(record for record in reversed(later.records) if isinstance(record, EscalationRecord))


def test_where_nobody_answers_somebody_is_told_once(handled, follow_ups, later, slack, clock):
    record = escalation(later)
    clock.now = record.due + 1

    follow_ups.escalate(record)
    follow_ups.escalate(record)

    [_, told] = slack.posts("C0BILLING")
    assert "Nobody has answered this for 30 minutes." in text(told)
    assert text(told).startswith(("<@U0ANNA> ", "<@U0BEN> "))
    assert "|Open the thread>" in text(told)


def test_before_it_is_due_an_escalation_waits_on(handled, follow_ups, later, slack, clock):
    record = escalation(later)
    sent, delay = later.sent[later.records.index(record)]
    assert (sent, delay) == (record, 30 * 60)
    clock.now += LONGEST_DELAY  # the longest that the queue holds anything back

    follow_ups.escalate(record)

    again, left = later.sent[-1]
    assert again == record
    assert left == pytest.approx(30 * 60 - LONGEST_DELAY, abs=1)
    assert len(slack.posts("C0BILLING")) == 1


def test_once_somebody_has_answered_nobody_is_told(handled, follow_ups, ledger, later, slack, clock):
    record = escalation(later)
    case = ledger.load(handled.key, clock())
    ledger.record_answer(handled.key, case, FirstAnswer("U0ANNA", clock()), clock())
    clock.now = record.due + 1

    follow_ups.escalate(record)

    assert len(slack.posts("C0BILLING")) == 1


def test_a_message_that_was_moved_is_not_waited_for_where_it_was(handled, follow_ups, ledger, later, slack, clock):
    record = escalation(later)
    case = ledger.load(handled.key, clock())
    correction = Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1")
    ledger.record_correction(handled.key, case, correction, clock())
    clock.now = record.due + 1

    follow_ups.escalate(record)

    assert len(slack.posts("C0BILLING")) == 1


def test_of_what_was_switched_off_before_it_was_answered_nobody_is_told(
    follow_ups, ledger, slack, written, facet_results, clock
):
    arranged = Decision("automatic", "sure", facet_results, "model-1", "endpoint", (Escalate(30, (), "C0BILLING"),))
    ledger.record_decision(written.key, demote(arranged, "off"), clock())
    now = int(clock())

    follow_ups.escalate(
        EscalationRecord(written.team, written.channel, written.ts, "C0BILLING", "support", 30, now, now)
    )

    assert slack.posts("C0BILLING") == []


def test_what_an_edit_made_unclear_is_still_waited_for(handled, follow_ups, ledger, later, slack, clock):
    record = escalation(later)
    before = ledger.load(handled.key, clock()).decision
    after = replace(before, outcome="silent", reason="below-threshold", effects=(), revision=1)
    ledger.revise_decision(handled.key, before, after, clock())
    clock.now = record.due + 1

    follow_ups.escalate(record)

    assert len(slack.posts("C0BILLING")) == 2


def test_an_escalation_without_a_channel_is_said_in_the_thread(handled, follow_ups, slack, clock):
    now = int(clock())
    record = EscalationRecord(handled.team, handled.channel, handled.ts, None, "S0ONCALL", 60, now, now)

    follow_ups.escalate(record)

    told = slack.thread(handled.ts)[-1]
    assert text(told).startswith("<!subteam^S0ONCALL> Nobody has answered this for 1 hour.")


# --- After a correction -------------------------------------------------------------------------------------


def test_what_a_person_confirms_gets_all_that_the_rules_ask_for(
    reconciler, ledger, slack, later, written, facet_results, clock, carry_out
):
    ledger.record_decision(
        written.key, Decision("suggest", "mode", facet_results, "model-1", "endpoint", (PostReply(),)), time.time()
    )
    carry_out(reconciler, written, ledger.load(written.key, time.time()).decision)
    assert later.records == []
    case = ledger.load(written.key, time.time())
    confirmed = Correction(1, "category", "billing", "billing", "U0ANNA", 1, "model-1")
    ledger.record_correction(written.key, case, confirmed, time.time())

    reconciler.reconcile(written.key)

    assert len(slack.posts("C0BILLING")) == 1
    assert {type(record) for record in later.records} == {WebhookRecord, EscalationRecord}
    assert text(slack.thread(written.ts)[0]).startswith("<@U0MAYA>, this is about *Billing*")
