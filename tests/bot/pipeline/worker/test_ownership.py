"""Requests are assigned in turn, and belong to the person who answers first."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from bot.pipeline.worker import Worker
from bot.policy.parsing.parser import parse_policy
from bot.policy.policy import Policy
from bot.queue.messages import CorrectionRecord, MessageRecord, ReplyRecord, RevisionRecord
from bot.slack.client import SlackActions
from bot.store.ledger import LEASE_SECONDS
from bot.store.rotations import RoundRobin
from bot.triage.case import Correction

# Each rota is one person, so that it is known whose turn it is.
POLICY = """\
version: 2
channels:
  default: automatic
intake:
  merge_seconds: 0
rotas:
  billing:
    people: [U0ANNA]
  technical:
    people: [U0BEN]
routes:
  general: C0TECH
match: first
rules:
  - when: {category: billing, urgency: high}
    then: {assign: billing}
  - when: {category: billing}
    then: {post: C0BILLING, mention: billing, assign: billing}
  - when: {category: technical}
    then: {post: C0TECH, assign: technical}
"""
TAKEN = "answered by <@U0LEO>, who has it now"


@pytest.fixture
def deliver(deliver):
    """Deliver records one after the other; return the positions of what failed."""

    def deliver_each(worker: Worker, *records: Any) -> list[int]:
        return [number for number, record in enumerate(records) if deliver(worker, record)]

    return deliver_each


@pytest.fixture
def policy() -> Policy:
    return parse_policy(POLICY)


def answer(record: MessageRecord, user: str = "U0LEO", after: int = 60, **changes: str) -> ReplyRecord:
    replied_ts = f"{int(float(record.ts)) + after}.000200"
    return ReplyRecord(record.team, record.channel, record.ts, user, replied_ts, int(time.time()), **changes)


@pytest.fixture
def correct(ledger, deliver):
    """Have a person say, so many seconds after the message was written, what it is about; and have that shown."""

    def correct(worker, record: MessageRecord, label: str, after: int, show: bool = True) -> None:
        case = ledger.load(record.key, time.time())
        at = int(float(record.ts)) + after
        before = case.labels["category"]
        correction = Correction(case.version + 1, "category", before, label, "U0MIA", at, "model-1")
        ledger.record_correction(record.key, case, correction, time.time())
        if show:
            assert deliver(worker, CorrectionRecord(record.team, record.channel, record.ts, at)) == []

    return correct


@pytest.fixture
def writes(slack):
    """Count what has been posted and edited so far."""
    return lambda: (slack.calls("chat.postMessage"), slack.calls("chat.update"))


def text(message) -> str:
    return message.content.text


# --- Who answers, has it ------------------------------------------------------------------------------------


def test_whoever_answers_first_has_the_request_and_its_post_says_so_in_place(worker, slack, written, deliver, writes):
    record = written("a billing matter")
    deliver(worker, record)
    assert "assigned to <@U0ANNA>" in text(slack.posts("C0BILLING")[0])
    posted, _ = writes()

    assert deliver(worker, answer(record)) == []

    [post] = slack.posts("C0BILLING")
    assert text(post).startswith(f"*Billing* from <@U0MAYA> in <#C0SUPPORT>, {TAKEN}: a billing matter")
    assert "U0ANNA" not in str(post.content)
    assert writes()[0] == posted


def test_where_nothing_is_sent_on_the_reply_in_the_thread_says_so(worker, slack, written, deliver):
    record = written("a billing matter, urgent")
    deliver(worker, record)
    assert "Assigned to <@U0ANNA>." in text(slack.thread(record.ts)[0])

    deliver(worker, answer(record))

    [reply] = slack.thread(record.ts)
    assert "Answered by <@U0LEO>, who has it now." in text(reply)


def test_the_teams_own_words_name_whoever_has_it_now(worker, settings, slack, written, deliver):
    template = 'templates: {with: "{assignee} has it."}\n'
    spoken = POLICY.replace("{assign: billing}", "{assign: billing, reply: with}") + template
    settings.held = replace(settings.held, policy=parse_policy(spoken))
    record = written("a billing matter, urgent")
    deliver(worker, record)
    assert text(slack.thread(record.ts)[0]).startswith("<@U0ANNA> has it.")

    deliver(worker, answer(record))

    assert text(slack.thread(record.ts)[0]).startswith("<@U0LEO> has it.")


@pytest.fixture
def settings(worker):
    """The settings that the worker goes by."""
    return worker.settings


def test_an_answer_of_the_assignee_changes_nothing(worker, written, deliver, writes):
    record = written("a billing matter")
    deliver(worker, record)
    before = writes()

    assert deliver(worker, answer(record, "U0ANNA"), answer(record, "U0ANNA")) == []

    assert writes() == before


def test_what_was_assigned_to_nobody_stays_as_it_is(worker, slack, written, deliver, writes, settings):
    settings.held = replace(settings.held, policy=parse_policy(POLICY.replace(", assign: technical", "")))
    record = written("a technical matter")
    deliver(worker, record)
    before = writes()

    assert deliver(worker, answer(record)) == []

    assert writes() == before
    assert "U0LEO" not in text(slack.posts("C0TECH")[0])


def test_a_person_of_another_organisation_does_not_take_it(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)

    deliver(worker, answer(record, author_team="T0ACME"))

    assert "assigned to <@U0ANNA>" in text(slack.posts("C0BILLING")[0])


def test_of_a_message_that_was_deleted_no_word_comes_back(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    slack.delete(record.ts)
    deliver(worker, RevisionRecord(record.team, record.channel, record.ts, record.received_at))

    assert deliver(worker, answer(record)) == []

    assert "its author has deleted it" in text(slack.posts("C0BILLING")[0])


def test_a_policy_that_was_changed_since_moves_nothing_because_somebody_answers(
    worker, slack, settings, written, deliver, writes
):
    record = written("a billing matter")
    deliver(worker, record)
    settings.held = replace(settings.held, policy=parse_policy(POLICY.replace("C0BILLING", "C0TECH")))
    posted, _ = writes()

    assert deliver(worker, answer(record)) == []

    assert TAKEN in text(slack.posts("C0BILLING")[0])
    assert writes()[0] == posted


# --- In any order -------------------------------------------------------------------------------------------


def test_an_answer_that_is_delivered_twice_is_said_once(worker, slack, written, deliver, writes):
    record = written("a billing matter")
    deliver(worker, record, answer(record))
    posted, _ = writes()

    assert deliver(worker, answer(record), answer(record), record) == []

    assert text(slack.posts("C0BILLING")[0]).count(TAKEN) == 1
    assert writes()[0] == posted


def test_who_answers_later_does_not_take_it(worker, slack, written, deliver):
    record = written("a billing matter")

    deliver(worker, record, answer(record), answer(record, "U0BEN", after=90), answer(record, "U0ANNA", after=95))

    assert TAKEN in text(slack.posts("C0BILLING")[0])


@pytest.mark.parametrize(("first", "said"), [("U0LEO", TAKEN), ("U0ANNA", "assigned to <@U0ANNA>")])
def test_of_two_answers_the_earlier_one_counts_though_it_is_heard_of_later(
    worker, slack, written, deliver, first, said
):
    record = written("a billing matter")
    deliver(worker, record, answer(record, "U0BEN", after=90))

    assert deliver(worker, answer(record, first, after=30)) == []

    assert said in text(slack.posts("C0BILLING")[0])


def test_what_is_answered_before_it_is_read_takes_nobodys_turn(worker, ledger, slack, written, deliver):
    record = replace(written("a billing matter"), team="T0ANSWERED")

    deliver(worker, answer(record))
    deliver(worker, record)

    [post] = slack.posts("C0BILLING")
    assert "assigned to <@U0LEO>" in text(post)
    assert RoundRobin(ledger.client, ledger.table).next(record.team, "billing") == 0


@dataclass(frozen=True)
class AnsweredMeanwhile(SlackActions):
    """A person answers while a message is being routed; `answer` is the worker's reaction."""

    answer: Callable[[], object]

    def send_on(self, key, step, view, channel):
        self.answer()
        return super().send_on(key, step, view, channel)


def test_an_answer_that_comes_while_the_message_is_sent_on_is_not_missed(
    worker, handlers_of, with_other, slack, written, deliver
):
    record = written("a billing matter")
    actions = AnsweredMeanwhile(slack.client, lambda: deliver(worker, answer(record)))
    messages = handlers_of(worker).messages

    interrupted = replace(messages.reconciler, slack=actions)
    assert deliver(with_other(worker, reconciler=interrupted), record) == []

    assert TAKEN in text(slack.posts("C0BILLING")[0])


def test_a_post_that_was_made_unheard_of_names_who_answered_meanwhile(
    worker, handlers_of, with_other, slack, written, deliver, correct
):
    record = written("a billing matter")
    deliver(worker, record)
    correct(worker, record, "technical", after=30, show=False)
    shown = CorrectionRecord(record.team, record.channel, record.ts, record.received_at)
    slack.client.lose = ["chat.postMessage"]
    assert deliver(worker, shown) == [0]

    assert deliver(worker, answer(record)) == []
    reconciler = handlers_of(worker).reconciler
    steps = replace(reconciler.steps, now=lambda: time.time() + LEASE_SECONDS + 1)
    assert deliver(with_other(worker, reconciler=replace(reconciler, steps=steps)), shown) == []

    [post] = slack.posts("C0TECH")
    assert TAKEN in text(post)


# --- Beside what people say ---------------------------------------------------------------------------------


def test_what_is_moved_after_it_was_answered_is_theirs_whom_the_rules_give_it_to(
    worker, slack, written, deliver, correct
):
    record = written("a billing matter")
    deliver(worker, record, answer(record))

    correct(worker, record, "technical", after=90)
    deliver(worker, answer(record))  # once more, as SQS may

    assert "assigned to <@U0BEN>" in text(slack.posts("C0TECH")[0])


def test_what_was_moved_before_it_was_answered_is_theirs_who_answered(worker, slack, written, deliver, correct):
    record = written("a billing matter")
    deliver(worker, record)
    correct(worker, record, "technical", after=30)

    deliver(worker, answer(record))

    assert TAKEN in text(slack.posts("C0TECH")[0])


def test_whoever_has_it_keeps_it_when_somebody_confirms_what_it_is_about(worker, slack, written, deliver, correct):
    record = written("a billing matter")
    deliver(worker, record, answer(record))

    correct(worker, record, "billing", after=90)

    assert TAKEN in text(slack.posts("C0BILLING")[0])


def test_what_was_only_suggested_goes_to_who_answered_it_once_somebody_confirms(
    worker, slack, settings, written, deliver, correct
):
    settings.held = replace(settings.held, policy=parse_policy(POLICY.replace("automatic", "suggest")))
    record = written("a billing matter")
    deliver(worker, record, answer(record))
    assert slack.posts("C0BILLING") == []

    correct(worker, record, "billing", after=90)

    assert "assigned to <@U0LEO>" in text(slack.posts("C0BILLING")[0])


def test_an_author_who_edits_does_not_take_it_from_who_answered(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record, answer(record))
    slack.edit(record.ts, "a billing matter, number 7")

    deliver(worker, RevisionRecord(record.team, record.channel, record.ts, record.received_at))

    assert f"{TAKEN}: a billing matter, number 7" in text(slack.posts("C0BILLING")[0])
