"""Messages that come in while a whole rota is away are assigned when the first person is back."""

import time
from dataclasses import replace

import pytest

from bot.policy.parsing.parser import parse_policy
from bot.policy.policy import Policy
from bot.queue.messages import CorrectionRecord, GiveOutRecord, MessageRecord, ReplyRecord, RevisionRecord
from bot.store.rotations import RoundRobin
from bot.triage.case import Correction

AWAY = "away: {U0ANNA: 2000-01-01..2100-01-01, U0BEN: 2000-01-01..2100-01-01}"
# Turns pass on at midnight, so that a person who is back is on call at whatever hour the tests run.
POLICY = f"""\
version: 2
channels:
  default: automatic
intake:
  merge_seconds: 0
rotas:
  billing:
    people: [U0ANNA, U0BEN]
    handover: mon 00:00
    {AWAY}
templates:
  with: "{{assignee}} has it."
match: first
rules:
  - when: {{category: billing, urgency: high}}
    then: {{assign: billing, reply: with}}
  - when: {{category: billing}}
    then: {{post: C0BILLING, assign: billing}}
  - when: {{category: technical}}
    then: {{post: C0TECH}}
"""
BEN_IS_BACK = POLICY.replace(AWAY, "away: {U0ANNA: 2000-01-01..2100-01-01}")
TOLD = "<@U0BEN> This came in while everyone was away. It is yours now."


@pytest.fixture
def policy() -> Policy:
    return parse_policy(POLICY)


@pytest.fixture
def come_back(worker):
    """Let Ben be there again."""

    def come_back() -> None:
        worker.settings.held = replace(worker.settings.held, policy=parse_policy(BEN_IS_BACK))

    return come_back


@pytest.fixture
def waiting(later):
    """Return the records that wait for a person to be back."""
    return lambda: [record for record in later.records if isinstance(record, GiveOutRecord)]


def text(message) -> str:
    return message.content.text


def answer(record: MessageRecord, user: str = "U0LEO") -> ReplyRecord:
    replied_ts = f"{int(float(record.ts)) + 60}.000200"
    return ReplyRecord(record.team, record.channel, record.ts, user, replied_ts, int(time.time()))


def test_while_everybody_is_away_a_request_is_given_to_nobody_and_takes_no_turn(
    worker, ledger, slack, written, deliver, waiting
):
    record = replace(written("a billing matter"), team="T0AWAY")

    assert deliver(worker, record) == []

    assert "assigned" not in text(slack.posts("C0BILLING")[0])
    assert [each.key for each in waiting()] == [record.key]
    assert RoundRobin(ledger.client, ledger.table).next(record.team, "billing") == 0


def test_once_somebody_is_back_it_is_theirs_and_they_are_told_where_it_was_sent_to(
    worker, slack, written, deliver, waiting, come_back
):
    record = written("a billing matter")
    deliver(worker, record)
    come_back()

    assert deliver(worker, *waiting()) == []

    post, told = slack.posts("C0BILLING")
    assert "in <#C0SUPPORT>, assigned to <@U0BEN>: a billing matter" in text(post)
    assert text(told).startswith(TOLD)
    assert len(slack.thread(record.ts)) == 1


def test_where_nothing_is_sent_on_they_are_told_in_the_thread(worker, slack, written, deliver, waiting, come_back):
    record = written("a billing matter, urgent")
    deliver(worker, record)
    assert "has it" not in text(slack.thread(record.ts)[0])
    come_back()

    deliver(worker, *waiting())

    reply, told = slack.thread(record.ts)
    assert text(reply).startswith("<@U0BEN> has it.")
    assert text(told).startswith(TOLD)


def test_what_is_delivered_twice_is_given_out_once(worker, slack, written, deliver, waiting, come_back):
    record = written("a billing matter")
    deliver(worker, record)
    come_back()

    assert deliver(worker, *waiting(), *waiting(), record) == []

    assert len(slack.posts("C0BILLING")) == 2


def test_as_long_as_nobody_is_back_it_waits_on(worker, slack, written, deliver, waiting):
    record = written("a billing matter")
    deliver(worker, record)

    assert deliver(worker, *waiting()) == []

    assert [each.key for each in waiting()] == [record.key] * 2
    assert len(slack.posts("C0BILLING")) == 1


def test_what_somebody_has_answered_meanwhile_is_given_to_nobody(worker, slack, written, deliver, waiting, come_back):
    record = written("a billing matter")
    deliver(worker, record, answer(record))
    come_back()

    assert deliver(worker, *waiting()) == []

    assert len(slack.posts("C0BILLING")) == 1
    assert "U0BEN" not in text(slack.posts("C0BILLING")[0])


def test_what_was_moved_meanwhile_is_given_to_nobody_there(worker, ledger, slack, written, deliver, waiting, come_back):
    record = written("a billing matter")
    deliver(worker, record)
    said = Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1")
    ledger.record_correction(record.key, ledger.load(record.key, time.time()), said, time.time())
    deliver(worker, CorrectionRecord(record.team, record.channel, record.ts, 1))
    come_back()

    assert deliver(worker, *waiting()) == []

    assert (len(slack.posts("C0BILLING")), len(slack.posts("C0TECH"))) == (1, 1)
    assert "U0BEN" not in str([*slack.posts("C0BILLING"), *slack.posts("C0TECH")])


def test_what_was_deleted_meanwhile_is_given_to_nobody(worker, slack, written, deliver, waiting, come_back):
    record = written("a billing matter")
    deliver(worker, record)
    slack.delete(record.ts)
    deliver(worker, RevisionRecord(record.team, record.channel, record.ts, record.received_at))
    come_back()

    assert deliver(worker, *waiting()) == []

    assert len(slack.posts("C0BILLING")) == 1


def test_a_rota_that_is_gone_by_then_gives_nothing_out(worker, slack, written, deliver, waiting):
    deliver(worker, written("a billing matter"))
    worker.settings.held = replace(worker.settings.held, policy=Policy(default_mode="automatic"))

    assert deliver(worker, *waiting()) == []

    assert len(slack.posts("C0BILLING")) == 1


def test_who_answers_what_was_given_out_has_it(worker, slack, written, deliver, waiting, come_back):
    record = written("a billing matter")
    deliver(worker, record)
    come_back()
    deliver(worker, *waiting())

    deliver(worker, answer(record))

    assert "answered by <@U0LEO>, who has it now" in text(slack.posts("C0BILLING")[0])


def test_what_was_given_out_stays_theirs_when_its_author_edits(worker, slack, written, deliver, waiting, come_back):
    record = written("a billing matter")
    deliver(worker, record)
    come_back()
    deliver(worker, *waiting())
    slack.edit(record.ts, "a billing matter, number 7")

    deliver(worker, RevisionRecord(record.team, record.channel, record.ts, record.received_at))

    assert "assigned to <@U0BEN>: a billing matter, number 7" in text(slack.posts("C0BILLING")[0])
