"""Requests through the worker: edits, deletions, merged messages and answers."""

import time
import uuid
from dataclasses import replace

import pytest

from bot.pipeline.worker import Worker
from bot.policy.policy import Intake
from bot.queue.messages import (
    CorrectionRecord,
    MessageRecord,
    ReplyRecord,
    RevisionRecord,
)
from bot.store.stats import StatsStore
from bot.triage.case import Correction, FirstAnswer

NOW = int(time.time())


# --- Edits and deletions ------------------------------------------------------------------------------------


def revision(record: MessageRecord) -> RevisionRecord:
    return RevisionRecord(record.team, record.channel, record.ts, NOW)


def test_an_edited_message_is_read_again_and_what_was_posted_follows_in_place(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    slack.edit(record.ts, "a technical matter")

    assert deliver(worker, revision(record)) == []

    [reply] = slack.thread(record.ts)
    assert reply.content.text.startswith("*Technical*, sent to <#C0TECH>.")
    assert slack.reactions(record.ts) == []
    assert "a technical matter" in str(slack.posts("C0TECH")[0].content.blocks)
    assert "The author changed this" in slack.posts("C0BILLING")[0].content.text
    assert ledger.load(record.key, time.time()).decision.revision == 1


def test_an_edit_that_changes_no_label_renews_the_words_in_the_teams_channel(worker, ledger, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    slack.edit(record.ts, "a billing matter, number 7")

    assert deliver(worker, revision(record), revision(record)) == []

    [post] = slack.posts("C0BILLING")
    assert "number 7" in str(post.content.blocks)
    assert len(slack.thread(record.ts)) == 1


def test_a_request_that_is_edited_into_a_thank_you_stays_where_people_work_on_it(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    slack.edit(record.ts, "thanks!")

    deliver(worker, revision(record))

    assert slack.thread(record.ts)[0].content.text.startswith("*Billing*, sent to <#C0BILLING>.")


def test_a_greeting_that_is_edited_into_a_request_becomes_one(worker, slack, written, deliver):
    record = written("hi")
    deliver(worker, record)
    slack.edit(record.ts, "hi, a billing matter")

    deliver(worker, revision(record))

    assert (len(slack.posts("C0BILLING")), len(slack.thread(record.ts))) == (1, 1)


def test_what_a_person_said_stands_when_the_author_edits(worker, ledger, slack, written, classifier, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    correction = Correction(1, "category", "billing", "general", "U0ANNA", 1, "model-1")
    ledger.record_correction(record.key, ledger.load(record.key, time.time()), correction, time.time())
    slack.edit(record.ts, "a technical matter")

    deliver(worker, revision(record))

    assert ledger.load(record.key, time.time()).labels["category"] == "general"
    assert len(classifier.calls) == 1


def test_an_edit_that_is_heard_of_before_the_message_is_read_as_it_stands(worker, slack, written, deliver):
    record = written("a billing matter")
    slack.edit(record.ts, "a technical matter")

    deliver(worker, revision(record))
    deliver(worker, record)

    assert (len(slack.posts("C0BILLING")), len(slack.posts("C0TECH"))) == (0, 1)
    assert len(slack.thread(record.ts)) == 1


def test_of_a_deleted_message_no_word_stays(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    slack.delete(record.ts)

    assert deliver(worker, revision(record)) == []

    assert "billing matter" not in str(slack.posts("C0BILLING")[0].content)
    assert "its author has deleted it" in slack.posts("C0BILLING")[0].content.text
    assert [post.content.text for post in slack.posts("C0SUPPORT")] == []


def test_nobody_has_to_say_anything_about_a_deleted_message(worker, ledger, slack, written, deliver):
    record = written("something odd, urgent")
    deliver(worker, record)
    stats = StatsStore(ledger.client, ledger.table)
    assert record.key in [waiting.key for waiting in stats.load(record.team, time.time()).review]
    slack.delete(record.ts)

    deliver(worker, revision(record))

    assert record.key not in [waiting.key for waiting in stats.load(record.team, time.time()).review]


def test_a_message_that_was_deleted_before_it_was_read_is_left_alone(worker, slack, ledger, written, deliver):
    record = written("a billing matter")
    slack.delete(record.ts)

    deliver(worker, revision(record))
    deliver(worker, record)

    assert ledger.load(record.key, time.time()).decision.reason == "deleted"
    assert slack.calls("chat.postMessage") == 0


def test_what_comes_late_of_a_deleted_message_posts_nothing_any_more(worker, slack, written, deliver):
    record = written("a billing matter")
    deliver(worker, record)
    slack.delete(record.ts)
    deliver(worker, revision(record))
    posts = slack.calls("chat.postMessage")

    assert deliver(worker, record, revision(record), CorrectionRecord(record.team, record.channel, record.ts, 1)) == []

    assert slack.calls("chat.postMessage") == posts


# --- Several messages, one request --------------------------------------------------------------------------


@pytest.fixture
def merging(worker, settings_of, handlers_of, with_other, policy) -> Worker:
    """A worker that reads together what one author writes within a minute."""
    held = settings_of(replace(policy, intake=Intake(merge_seconds=60)))
    messages = replace(handlers_of(worker).messages, reconciler=replace(handlers_of(worker).reconciler, settings=held))
    return with_other(replace(worker, settings=held), messages=messages)


@pytest.fixture
def author() -> str:
    """Return an author who has no messages from other tests."""
    return f"U{uuid.uuid4().hex.upper()}"


@pytest.fixture
def carry_on(deliver):
    """Deliver what was put into the queue for later, until nothing is left."""

    def carry_on(worker: Worker, later) -> None:
        while later.sent:
            records = later.records
            later.sent.clear()
            assert deliver(worker, *records) == []

    return carry_on


def test_what_one_author_writes_in_a_row_is_one_request(
    merging, slack, ledger, later, classifier, written, author, deliver, carry_on
):
    first, second = written("a billing matter", author=author), written("it is urgent", author=author)

    assert deliver(merging, first, second) == []
    carry_on(merging, later)

    [post] = slack.posts("C0BILLING")
    assert "a billing matter\nit is urgent" in str(post.content.blocks[1]["text"]["text"])
    [reply] = slack.thread(first.ts)
    assert "Read together with the next message by the same author." in reply.content.text
    assert slack.thread(second.ts) == []
    assert ledger.load(second.key, time.time()).decision.reason == "merged"
    assert classifier.calls[-1] == ["a billing matter\nit is urgent"]


def test_what_comes_later_can_change_what_the_request_is_about(
    merging, slack, later, written, author, deliver, carry_on
):
    first, second = written("something odd", author=author), written("a technical matter", author=author)

    deliver(merging, first)
    deliver(merging, second)
    carry_on(merging, later)

    assert slack.thread(first.ts)[0].content.text.startswith("*Technical*, sent to <#C0TECH>.")


def test_messages_of_two_authors_stay_two_requests(merging, slack, later, written, deliver, carry_on):
    records = [written("a billing matter", author=f"U{uuid.uuid4().hex.upper()}") for _ in range(2)]

    deliver(merging, *records)
    carry_on(merging, later)

    assert len(slack.posts("C0BILLING")) == 2


def test_small_talk_on_the_way_is_no_part_of_the_request(
    merging, slack, ledger, later, written, author, deliver, carry_on
):
    first, second = written("a billing matter", author=author), written("thanks!", author=author)

    deliver(merging, first, second)
    carry_on(merging, later)

    assert ledger.load(second.key, time.time()).decision.reason == "small-talk"
    assert "Read together" not in slack.thread(first.ts)[0].content.text


def test_messages_that_were_read_together_can_be_split(
    merging, slack, ledger, later, written, author, deliver, carry_on
):
    first, second = written("a billing matter", author=author), written("a technical matter", author=author)
    deliver(merging, first, second)
    carry_on(merging, later)

    for ts in ledger.split(first.key, time.time()):
        later.send(revision(replace(first, ts=ts)))
    later.send(revision(first))
    carry_on(merging, later)

    assert slack.thread(first.ts)[0].content.text.startswith("*Billing*, sent to <#C0BILLING>.")
    assert slack.thread(second.ts)[0].content.text.startswith("*Technical*, sent to <#C0TECH>.")
    assert "technical" not in str(slack.posts("C0BILLING")[0].content.blocks)


def test_an_edited_part_is_read_with_the_whole(merging, slack, later, written, author, deliver, carry_on):
    first, second = written("a billing matter", author=author), written("it is fine", author=author)
    deliver(merging, first, second)
    carry_on(merging, later)
    slack.edit(second.ts, "it is urgent")

    later.send(revision(second))
    carry_on(merging, later)

    assert slack.posts("C0BILLING")[0].content.blocks[1]["text"]["text"] == "a billing matter\nit is urgent"


def test_when_the_first_message_is_deleted_the_others_stand_for_themselves(
    merging, slack, later, written, author, deliver, carry_on
):
    first, second = written("a billing matter", author=author), written("a technical matter", author=author)
    deliver(merging, first, second)
    carry_on(merging, later)
    slack.delete(first.ts)

    later.send(revision(first))
    carry_on(merging, later)

    assert len(slack.thread(second.ts)) == 1
    assert "technical" in str(slack.posts("C0TECH")[-1].content.blocks)


# --- Answers ------------------------------------------------------------------------------------------------


def answered(record: MessageRecord, channel: str = "C0SUPPORT") -> ReplyRecord:
    replied_ts = f"{int(float(record.ts)) + 60}.000200"
    return ReplyRecord(record.team, channel, record.ts, "U0LEO", replied_ts, NOW)


def test_who_answered_a_customer_first_is_remembered(worker, ledger, written, deliver):
    record = written("a billing matter")

    deliver(worker, record, answered(record))

    assert ledger.load(record.key, time.time()).first_answer == FirstAnswer("U0LEO", int(float(record.ts)) + 60.0002)


def test_who_answers_to_a_part_of_a_request_has_answered_the_whole(
    merging, ledger, later, written, author, deliver, carry_on
):
    first, second = written("a billing matter", author=author), written("it is urgent", author=author)
    deliver(merging, first, second)
    carry_on(merging, later)

    assert deliver(merging, answered(second)) == []

    assert ledger.load(first.key, time.time()).first_answer.user == "U0LEO"


def test_answers_in_channels_that_are_not_read_are_nobodys_concern(worker, ledger, build_record, deliver):
    record = build_record(channel="C0ELSEWHERE", ts="1700000000.000777")

    deliver(worker, answered(record, channel="C0ELSEWHERE"))

    assert ledger.load(record.key, time.time()).first_answer is None
