import itertools
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest

from bot.board import BoardStore
from bot.case import AddReaction, Correction, Decision, PostReply, PostRoute, StepResult
from bot.effects import Effects
from bot.ledger import LEASE_SECONDS, Claim, Ledger, StepTaken
from bot.policy import Policy, Urgent
from bot.records import MessageKey, SummaryRecord, TidyRecord
from bot.slack_actions import CALLS_OF_A_STEP, METADATA_TYPE, OriginalMessage, SlackActions
from bot.slack_calls import TIMEOUT, TryLater
from bot.summaries import Entry

POLICY = Policy(
    modes={"C0SUPPORT": "automatic"},
    default_mode="off",
    routes={"billing": "C0BILLING", "technical": "C0TECH", "general": "C0OLD"},
    urgent=Urgent({"urgency": frozenset({"high"})}, "S0ONCALL"),
    reactions={"category": {"billing": "credit_card", "technical": "wrench"}},
)


class Clock:
    """Moves only when told, and starts now, because Slack's timestamps are compared with it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class MortalLedger(Ledger):
    """The process that uses it dies after the steps named, before their results are remembered."""

    dies_after: list[str] = field(default_factory=list)

    def complete(self, claim: Claim, result: StepResult) -> StepResult:
        if claim.step in self.dies_after:
            self.dies_after.remove(claim.step)
            raise Crash
        return super().complete(claim, result)


@pytest.fixture
def mortal_ledger(dynamodb, ledger_table) -> MortalLedger:
    return MortalLedger(dynamodb, ledger_table)


@pytest.fixture
def effects(slack, build_effects, build_steps, clock, settings_of) -> Effects:
    return build_effects(SlackActions(slack.client), build_steps(now=clock), settings_of(POLICY))


@pytest.fixture
def mortal(slack, build_effects, build_steps, mortal_ledger, clock, settings_of) -> Effects:
    return build_effects(SlackActions(slack.client), build_steps(ledger=mortal_ledger, now=clock), settings_of(POLICY))


@pytest.fixture
def written(slack, build_record):
    """A customer's message in #support, as a record."""
    return build_record(ts=slack.write("a billing matter"))


@pytest.fixture
def decision(findings) -> Decision:
    return decide_to(
        findings, AddReaction("credit_card"), PostRoute("C0BILLING", ("S0ONCALL",), urgent=True), PostReply()
    )


def decide_to(findings, *effects) -> Decision:
    return Decision("automatic", "sure", findings, "model-1", "endpoint", effects)


def headline(message) -> str:
    block = message.content.blocks[0]
    return str(block["text"]["text"] if "text" in block else block["elements"][0]["text"])


# --- Once ---------------------------------------------------------------------------------------------------


def test_a_decision_becomes_one_tag_one_post_and_one_reply(effects, slack, written, decision):
    effects.carry_out(written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]
    assert [headline(post) for post in slack.posts("C0BILLING")] == [
        "<!subteam^S0ONCALL> *Urgent:* *Billing* from <@U0MAYA> in <#C0SUPPORT>"
    ]
    assert [headline(reply) for reply in slack.thread(written.ts)] == ["*Billing*, sent to <#C0BILLING>."]


def test_the_post_leads_back_to_the_message(effects, slack, written, decision):
    effects.carry_out(written, decision)

    note = slack.posts("C0BILLING")[0].content.blocks[2]["elements"][0]["text"]
    assert f"/archives/C0SUPPORT/p{written.ts.replace('.', '')}|Open the thread>" in note


def test_the_same_decision_four_times_shows_the_same_once(effects, slack, written, decision):
    for _ in range(4):
        effects.carry_out(written, decision)

    assert slack.calls("reactions.add") == 1
    assert len(slack.posts("C0BILLING")) == 1
    assert len(slack.thread(written.ts)) == 1


def test_while_another_worker_acts_the_message_waits(effects, ledger, slack, written, decision, clock):
    ledger.claim(written.key, "route:C0BILLING", clock.now)

    with pytest.raises(StepTaken):
        effects.carry_out(written, decision)

    assert slack.thread(written.ts) == []


@pytest.mark.parametrize("died_before", ["react:credit_card", "route:C0BILLING", "reply"])
def test_after_a_crash_before_an_effect_the_next_worker_completes_it(
    effects, ledger, slack, written, decision, clock, died_before
):
    ledger.claim(written.key, died_before, clock.now)
    clock.now += LEASE_SECONDS + 1

    effects.carry_out(written, decision)

    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


@pytest.mark.parametrize("step", ["react:credit_card", "route:C0BILLING", "reply"])
def test_after_a_crash_between_an_effect_and_its_result_nothing_is_seen_twice(
    mortal, slack, mortal_ledger, written, decision, clock, step
):
    effects = mortal
    mortal_ledger.dies_after.append(step)
    with pytest.raises(Crash):
        effects.carry_out(written, decision)

    clock.now += LEASE_SECONDS + 1
    effects.carry_out(written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]
    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


@pytest.mark.parametrize("method", ["chat.postMessage", "reactions.add", "chat.getPermalink"])
def test_when_slacks_answer_is_lost_nothing_is_seen_twice(effects, slack, written, decision, clock, method):
    slack.client.lose.append(method)
    with pytest.raises(TryLater):
        effects.carry_out(written, decision)
    with pytest.raises(StepTaken):  # Slack may still be at it
        effects.carry_out(written, decision)

    clock.now += LEASE_SECONDS + 1
    effects.carry_out(written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]
    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


def test_a_post_is_found_among_many_others(effects, mortal, slack, mortal_ledger, written, decision, clock):
    mortal_ledger.dies_after.append("route:C0BILLING")
    with pytest.raises(Crash):
        mortal.carry_out(written, decision)
    for number in range(5):
        slack.write(f"something else {number}", channel="C0BILLING", user="U0ANNA")

    clock.now += LEASE_SECONDS + 1
    effects.carry_out(written, decision)

    assert slack.calls("chat.postMessage") == 2


def test_a_lease_outlasts_a_step_whose_every_call_times_out():
    assert CALLS_OF_A_STEP * TIMEOUT < LEASE_SECONDS


def test_the_post_of_another_message_is_not_taken_for_this_ones(
    effects, ledger, slack, written, build_record, decision, clock
):
    ledger.claim(written.key, "route:C0BILLING", clock.now)  # and died
    effects.carry_out(build_record(ts=slack.write("another billing matter")), decision)

    clock.now += LEASE_SECONDS + 1
    effects.carry_out(written, decision)

    assert len(slack.posts("C0BILLING")) == 2


def test_a_rate_limit_loses_nothing_and_lets_the_next_try_begin_at_once(effects, slack, written, decision):
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=1)
    with pytest.raises(TryLater):
        effects.carry_out(written, decision)

    effects.carry_out(written, decision)

    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)
    assert slack.calls("conversations.history") == 0


# --- What is in the way -------------------------------------------------------------------------------------


def test_a_tag_that_is_there_already_is_a_success(effects, slack, written, decision):
    slack.client.reactions_add(channel="C0SUPPORT", timestamp=written.ts, name="credit_card")

    effects.carry_out(written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]


def test_a_public_channel_is_joined_before_its_posts_are_searched(
    mortal, slack, mortal_ledger, written, findings, clock
):
    effects = mortal
    decision = decide_to(findings, PostRoute("C0RANDOM"), PostReply())
    mortal_ledger.dies_after.append("route:C0RANDOM")
    with pytest.raises(Crash):
        effects.carry_out(written, decision)

    clock.now += LEASE_SECONDS + 1
    effects.carry_out(written, decision)

    assert slack.calls("conversations.join") == 1
    assert sum(post.bot_id is not None for post in slack.posts("C0RANDOM")) == 1


@pytest.mark.parametrize(
    ("channel", "said"),
    [("C0OLD", "that channel is archived"), ("C0BOARD", "I cannot see that channel"), ("C0NONE", "I cannot see")],
)
def test_a_message_that_cannot_be_sent_on_says_so_in_its_thread(effects, slack, written, findings, channel, said):
    effects.carry_out(written, decide_to(findings, PostRoute(channel), PostReply()))

    [reply] = slack.thread(written.ts)
    assert said in headline(reply)


def test_an_emoji_that_does_not_exist_keeps_nothing_else_from_happening(effects, slack, written, findings):
    decision = decide_to(findings, AddReaction("no_such_emoji"), PostRoute("C0BILLING"), PostReply())

    effects.carry_out(written, decision)

    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


def test_a_message_that_was_deleted_meanwhile_is_let_go(effects, slack, build_record, decision):
    record = build_record(ts="1700000000.000100")

    effects.carry_out(record, decision)

    assert slack.posts("C0BILLING") == []


# --- Corrections --------------------------------------------------------------------------------------------


@pytest.fixture
def handled(effects, ledger, written, decision, clock) -> MessageKey:
    """The message after the bot has done its part."""
    ledger.record_decision(written.key, decision, clock.now)
    effects.carry_out(written, decision)
    return written.key


@pytest.fixture
def correct(ledger, clock):
    versions = itertools.count(1)

    def record(key: MessageKey, facet: str, before: str, after: str) -> None:
        correction = Correction(next(versions), facet, before, after, "U0ANNA", int(clock.now), "model-1")
        ledger.record_correction(key, ledger.load(key, clock.now), correction, clock.now)

    return record


def test_a_corrected_message_moves_with_its_tag_and_its_reply_says_who_did_it(effects, slack, handled, correct):
    correct(handled, "category", "billing", "technical")

    effects.show_changes(handled)

    [moved] = slack.posts("C0TECH")
    assert headline(moved).endswith("*Technical* from <@U0MAYA> in <#C0SUPPORT>")
    assert moved.content.blocks[1]["text"]["text"] == "a billing matter"
    assert headline(slack.posts("C0BILLING")[0]).startswith("<@U0ANNA> moved this to <#C0TECH>")
    [reply] = slack.thread(handled.ts)
    assert headline(reply) == "*Technical*, sent to <#C0TECH>."
    assert slack.reactions(handled.ts) == ["wrench"]


def test_showing_a_correction_again_changes_nothing(effects, slack, handled, correct):
    correct(handled, "category", "billing", "technical")

    for _ in range(3):
        effects.show_changes(handled)

    assert (len(slack.posts("C0TECH")), len(slack.posts("C0BILLING")), len(slack.thread(handled.ts))) == (1, 1, 1)


def test_a_message_corrected_back_is_in_full_where_it_was_first(effects, slack, handled, correct):
    correct(handled, "category", "billing", "technical")
    effects.show_changes(handled)
    correct(handled, "category", "technical", "billing")

    effects.show_changes(handled)

    assert headline(slack.posts("C0BILLING")[0]).endswith("*Billing* from <@U0MAYA> in <#C0SUPPORT>")
    assert headline(slack.posts("C0TECH")[0]).startswith("<@U0ANNA> moved this to <#C0BILLING>")


def test_a_corrected_urgency_renews_the_post_where_it_is(effects, slack, handled, correct):
    correct(handled, "urgency", "high", "low")

    effects.show_changes(handled)

    [post] = slack.posts("C0BILLING")
    assert headline(post) == "*Billing* from <@U0MAYA> in <#C0SUPPORT>"


def test_a_corrected_message_that_cannot_be_moved_stays_where_it_is_and_says_why(effects, slack, handled, correct):
    correct(handled, "category", "billing", "general")  # the policy sends these to an archived channel

    effects.show_changes(handled)

    assert headline(slack.posts("C0BILLING")[0]).endswith("*Billing* from <@U0MAYA> in <#C0SUPPORT>")
    assert "that channel is archived" in headline(slack.thread(handled.ts)[0])


def test_a_question_that_a_person_answers_sends_the_message_on(
    effects, ledger, slack, written, findings, correct, clock
):
    asked = Decision("ask", "below-threshold", findings, "model-1", "endpoint", (PostReply(),))
    ledger.record_decision(written.key, asked, clock.now)
    effects.carry_out(written, asked)
    correct(written.key, "category", "billing", "billing")

    effects.show_changes(written.key)

    assert len(slack.posts("C0BILLING")) == 1
    assert headline(slack.thread(written.ts)[0]) == "*Billing*, sent to <#C0BILLING>."


def test_a_text_is_redacted_again_when_it_is_read_again(effects, ledger, slack, build_record, findings, correct, clock):
    record = build_record(ts=slack.write("call me: maya@example.com"), text="call me: [email]")
    asked = Decision("ask", "below-threshold", findings, "model-1", "endpoint", (PostReply(),))
    ledger.record_decision(record.key, asked, clock.now)
    effects.carry_out(record, asked)
    correct(record.key, "category", "billing", "technical")

    effects.show_changes(record.key)

    assert slack.posts("C0TECH")[0].content.blocks[1]["text"]["text"] == "call me: [email]"


def test_a_correction_of_a_message_nobody_knows_shows_nothing(effects, slack, build_record):
    effects.show_changes(build_record(ts="1600000000.000100").key)

    assert slack.calls("chat.update") == 0


def test_a_reply_whose_result_was_lost_is_found_and_edited(
    effects, mortal, mortal_ledger, slack, written, decision, correct, clock
):
    mortal_ledger.record_decision(written.key, decision, clock.now)
    mortal_ledger.dies_after.append("reply")
    with pytest.raises(Crash):
        mortal.carry_out(written, decision)
    correct(written.key, "category", "billing", "technical")

    effects.show_changes(written.key)

    assert headline(slack.thread(written.ts)[0]) == "*Technical*, sent to <#C0TECH>."


def test_a_correction_of_a_message_that_was_deleted_ends_quietly(
    effects, ledger, slack, build_record, decision, correct, clock
):
    record = build_record(ts=f"1600000000.{time.time_ns() % 10**6:06}")
    ledger.record_decision(record.key, decision, clock.now)
    correct(record.key, "category", "billing", "technical")

    effects.show_changes(record.key)

    assert slack.posts("C0TECH") == []


def test_a_correction_made_while_another_is_shown_is_shown_as_well(
    slack, build_effects, build_steps, handled, correct, clock, settings_of
):
    interruptions = [lambda: correct(handled, "category", "technical", "billing")]

    class Interrupted(SlackActions):
        """While the first correction is being shown, a second is made."""

        def edit(self, channel: str, ts: str, view: Any) -> None:
            if interruptions:
                interruptions.pop()()
            super().edit(channel, ts, view)

    effects = build_effects(Interrupted(slack.client), build_steps(now=clock), settings_of(POLICY))
    correct(handled, "category", "billing", "technical")

    effects.show_changes(handled)

    assert headline(slack.thread(handled.ts)[0]) == "*Billing*, sent to <#C0BILLING>."


def delete(slack, ts: str) -> None:
    """Delete a customer's message, as its author."""
    wish = {"channel": "C0SUPPORT", "user": "U0MAYA", "ts": ts}
    httpx2.post(f"{slack.url}/sandbox/messages/delete", json=wish, timeout=10).raise_for_status()


# --- What must not be there ---------------------------------------------------------------------------------


def test_of_two_copies_of_a_post_the_one_that_the_ledger_knows_stays(effects, slack, handled, clock):
    [post] = slack.posts("C0BILLING")
    slack.client.chat_postMessage(channel="C0BILLING", text="a copy", metadata=post.content.metadata)

    effects.tidy(TidyRecord(handled.team, handled.channel, handled.ts, "route:C0BILLING", "C0BILLING", 0))

    assert slack.posts("C0BILLING") == [post]


def test_of_two_copies_of_a_reply_one_stays_and_nobody_elses_goes(effects, slack, handled):
    [reply] = slack.thread(handled.ts)
    slack.client.chat_postMessage(
        channel="C0SUPPORT", thread_ts=handled.ts, text="a copy", metadata=reply.content.metadata
    )
    slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=handled.ts, text="something else")

    effects.tidy(TidyRecord(handled.team, handled.channel, handled.ts, "reply", "C0SUPPORT", 0))

    assert [each.content.text for each in slack.thread(handled.ts)] == [reply.content.text, "something else"]


@pytest.mark.parametrize("step", ["summary", "route:C0BILLING"])
def test_of_two_copies_of_a_post_beside_what_it_is_about_one_stays(effects, slack, step):
    key = SummaryRecord("T0SANDBOX", "C0BILLING", int(time.time()), 0).key
    for text in ("the first", "a copy"):
        metadata = {"event_type": METADATA_TYPE, "event_payload": {"key": str(key), "step": step}}
        slack.client.chat_postMessage(channel="C0BILLING", text=text, metadata=metadata)

    effects.tidy(TidyRecord(key.team, key.channel, key.ts, step, "C0BILLING", 0))

    assert [post.content.text for post in slack.posts("C0BILLING")] == ["the first"]


def test_nothing_is_removed_where_nothing_is_surplus(effects, slack, handled):
    effects.tidy(TidyRecord(handled.team, handled.channel, handled.ts, "reply", "C0SUPPORT", 0))

    assert (len(slack.thread(handled.ts)), slack.calls("chat.delete")) == (1, 0)


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_message_that_is_gone_is_not_answered_into_the_channel(effects, slack, written, findings, is_answered):
    if is_answered:  # a deleted message with answers leaves a tombstone
        slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=written.ts, text="hello")
    delete(slack, written.ts)
    before = slack.posts("C0SUPPORT")

    effects.carry_out(written, decide_to(findings, PostReply()))

    assert slack.posts("C0SUPPORT") == before
    assert slack.calls("chat.postMessage") == int(is_answered)


def test_an_answer_that_landed_in_the_channel_is_taken_away(
    slack, build_effects, build_steps, written, findings, settings_of
):
    class Hasty(SlackActions):
        """The message is deleted after it was looked for, and before it is answered."""

        def read_original(self, key: MessageKey, parts: Sequence[str] = ()) -> OriginalMessage:
            original = super().read_original(key, parts)
            delete(slack, key.ts)
            return original

    effects = build_effects(Hasty(slack.client), build_steps(), settings_of(POLICY))

    effects.carry_out(written, decide_to(findings, PostReply()))

    assert slack.posts("C0SUPPORT") == []


def test_a_summary_is_posted_once_with_its_links(effects, slack, clock):
    summary = SummaryRecord("T0SANDBOX", "C0BILLING", int(clock.now), 0)
    effects.steps.summaries.join(summary, Entry("C0SUPPORT", "Billing", "https://slack.test/p1"))

    for _ in range(2):
        effects.post_summary(summary)

    [post] = slack.posts("C0BILLING")
    assert "https://slack.test/p1" in json.dumps(post.content.blocks)


# --- What an admin has to mend ------------------------------------------------------------------------------


def notices(slack) -> list[str]:
    return [headline(post) for post in slack.posts("C0LEADS") if post.bot_id]


@pytest.fixture
def with_admin(effects, settings_of) -> Effects:
    return replace(effects, settings=settings_of(replace(POLICY, admin="C0LEADS")))


@pytest.fixture
def own_team(build_record, slack):
    """Build records of a team that no other test complains about."""
    team = f"T{uuid.uuid4().hex.upper()}"
    return lambda: build_record(team=team, ts=slack.write("a billing matter"))


def test_what_only_an_admin_can_mend_is_told_once(with_admin, slack, own_team, findings):
    for _ in range(3):
        with_admin.carry_out(own_team(), decide_to(findings, PostRoute("C0BOARD"), PostReply()))

    [notice] = notices(slack)
    assert notice.startswith("I cannot do all of my work in <#C0BOARD>: I cannot see that channel")


def test_a_week_later_it_is_told_again(with_admin, slack, own_team, findings, clock):
    for _ in range(2):
        with_admin.carry_out(own_team(), decide_to(findings, PostRoute("C0OLD"), PostReply()))
        clock.now += 7 * 24 * 3600

    assert len(notices(slack)) == 2


def test_without_an_admins_channel_it_is_one_line_in_the_log(effects, own_team, findings, caplog):
    for _ in range(2):
        effects.carry_out(own_team(), decide_to(findings, PostRoute("C0OLD"), PostReply()))

    lines = [vars(record) for record in caplog.records if record.getMessage() == "an admin is needed"]
    assert [(line["channel"], line["error"]) for line in lines] == [("C0OLD", "is_archived")]


def test_an_admin_is_told_once_of_a_policy_that_cannot_be_read(with_admin, slack, own_team):
    with_admin.settings.held = replace(with_admin.settings.held, version=3, unreadable=4)
    team = own_team().team

    for _ in range(2):
        with_admin.check_policy(team)

    [notice] = slack.posts("C0LEADS")
    assert "cannot read version 4 of our policy" in notice.content.text
    assert "I go by version 3" in notice.content.text


def test_no_admin_is_told_of_a_message_that_was_deleted(with_admin, slack, build_record, decision):
    with_admin.carry_out(build_record(ts="1700000000.000200"), decision)

    assert notices(slack) == []


def test_an_admins_channel_that_cannot_be_written_to_is_no_failure(effects, slack, own_team, findings, settings_of):
    broken = replace(effects, settings=settings_of(replace(POLICY, admin="C0NONE")))

    broken.carry_out(own_team(), decide_to(findings, PostRoute("C0OLD"), PostReply()))

    assert notices(slack) == []


# --- Who waits for an answer --------------------------------------------------------------------------------


@pytest.fixture
def open_requests(dynamodb, ledger_table, clock):
    """Give the messages that are listed as urgent and open."""
    board = BoardStore(dynamodb, ledger_table)
    return lambda: [waiting.key for waiting in board.load("T0SANDBOX", clock.now).urgent]


def test_what_a_person_calls_urgent_waits_for_an_answer(effects, ledger, written, decision, correct, open_requests):
    ledger.record_decision(written.key, decision, time.time())
    correct(written.key, "urgency", "high", "low")
    effects.show_changes(written.key)
    assert written.key not in open_requests()

    correct(written.key, "urgency", "low", "high")
    effects.show_changes(written.key)
    assert written.key in open_requests()


def test_what_is_not_urgent_after_all_need_not_wait(effects, ledger, written, decision, correct, open_requests):
    ledger.record_decision(written.key, replace(decision, urgent=True), time.time())
    assert written.key in open_requests()

    correct(written.key, "urgency", "high", "low")
    effects.show_changes(written.key)

    assert written.key not in open_requests()
