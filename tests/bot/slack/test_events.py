from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.queue.messages import (
    AskRecord,
    CommandRecord,
    HomeRecord,
    LifecycleRecord,
    MessageRecord,
    ReactionRecord,
    ReplyRecord,
    RevisionRecord,
)
from bot.slack.events import Dropped, HelpRequested, clean_text, read_command, read_event
from classifier_infra.model.text import MAX_CHARACTERS

RECEIVED_AT = 1_700_000_001


def build_envelope(without: tuple[str, ...] = (), **event: Any) -> dict[str, Any]:
    message = {
        "type": "message",
        "user": "U0MAYA",
        "text": "I was charged twice",
        "ts": "1700000000.000100",
        "channel": "C0SUPPORT",
        "channel_type": "channel",
        "event_ts": "1700000000.000100",
    } | event
    return {
        "type": "event_callback",
        "team_id": "T0",
        "api_app_id": "A0TRIAGE",
        "event": {name: value for name, value in message.items() if name not in without},
        "event_id": "Ev0",
        "event_time": 1_700_000_000,
        "authorizations": [{"enterprise_id": None, "team_id": "T0", "user_id": "U0BOT", "is_bot": True}],
    }


def build_form(**changes: str) -> dict[str, str]:
    return {
        "team_id": "T0",
        "channel_id": "C0SUPPORT",
        "user_id": "U0MAYA",
        "command": "/classify",
        "text": "I was charged twice",
        "response_url": "https://hooks.slack.com/commands/T0/1/abc",
        "trigger_id": "1.2.3",
    } | changes


def test_a_new_message_is_queued_with_where_who_and_what():
    record = read_event(build_envelope(), RECEIVED_AT)

    assert record == MessageRecord(
        team="T0",
        channel="C0SUPPORT",
        ts="1700000000.000100",
        author="U0MAYA",
        text="I was charged twice",
        truncated=False,
        bot=None,
        received_at=RECEIVED_AT,
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "reaction_removed"}, "unknown-type"),
        ({"type": "reaction_added"}, "no-message"),
        ({"subtype": "thread_broadcast"}, "subtype"),
        ({"subtype": "channel_join"}, "subtype"),
        ({"subtype": "bot_message", "bot_id": "B0OLD"}, "subtype"),
        ({"subtype": "me_message"}, "subtype"),
        ({"subtype": "something_new"}, "subtype"),
        ({"thread_ts": "1600000000.000100", "bot_id": "B0FORM"}, "reply-of-a-bot"),
        ({"thread_ts": "1600000000.000100", "parent_user_id": "U0MAYA"}, "reply-to-oneself"),
        ({"thread_ts": "1600000000.000100", "subtype": "me_message"}, "subtype"),
        ({"user": "U0BOT", "bot_id": "B0TRIAGE"}, "our-own"),
        ({"app_id": "A0TRIAGE", "bot_id": "B0TRIAGE"}, "our-own"),
        ({"ts": "yesterday", "thread_ts": "yesterday"}, "malformed"),
        ({"user": None}, "malformed"),
    ],
)
def test_what_needs_no_handling_is_dropped_with_its_reason(change, reason):
    assert read_event(build_envelope(**change), RECEIVED_AT) == Dropped(reason)


def test_an_envelope_that_is_no_event_is_dropped():
    limited = {"type": "app_rate_limited", "minute_rate_limited": 1_700_000_000, "team_id": "T0"}

    assert read_event(limited, RECEIVED_AT) == Dropped("unknown-type")


def test_another_bots_message_is_queued_because_the_policy_may_want_it():
    envelope = build_envelope(bot_id="B0FORM", app_id="A0FORM", user="U0FORM")

    record = read_event(envelope, RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.bot == "B0FORM"


def test_a_shared_file_is_queued_with_the_words_beside_it():
    record = read_event(build_envelope(subtype="file_share", files=[{"id": "F0"}]), RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.text == "I was charged twice"


def test_a_threads_first_message_is_no_reply():
    assert isinstance(read_event(build_envelope(thread_ts="1700000000.000100"), RECEIVED_AT), MessageRecord)


def test_words_that_are_only_in_the_blocks_are_read_from_there():
    element = {"type": "rich_text_section", "elements": [{"type": "text", "text": "only here"}]}
    envelope = build_envelope(text="", blocks=[{"type": "rich_text", "elements": [element]}])

    record = read_event(envelope, RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.text == "only here"


@pytest.mark.parametrize("without", ["text", "blocks"])
def test_a_message_without_words_is_queued_for_the_worker_to_say_so(without):
    record = read_event(build_envelope(without=(without,), text=""), RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.text == ""


def test_what_is_attached_and_where_it_was_written_go_with_the_message():
    record = read_event(build_envelope(subtype="file_share", files=[{"id": "F0"}], channel_type="im"), RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert (record.files, record.channel_type) == (True, "im")


@pytest.mark.parametrize(
    ("teams", "expected"),
    [({}, None), ({"team": "T0"}, None), ({"team": "T0GUEST"}, "T0GUEST"), ({"user_team": "T0GUEST"}, "T0GUEST")],
)
def test_an_author_from_another_organisation_is_known_by_their_team(teams, expected):
    record = read_event(build_envelope(**teams), RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.author_team == expected


# --- Replies, edits, deletions ------------------------------------------------------------------------------


@pytest.mark.parametrize("subtype", [{}, {"subtype": "file_share"}, {"subtype": "thread_broadcast"}])
def test_somebody_elses_answer_is_queued_without_its_words(subtype):
    answer = {"user": "U0LEO", "ts": "1700000060.000200", "thread_ts": "1700000000.000100", "parent_user_id": "U0MAYA"}

    record = read_event(build_envelope(**answer, **subtype), RECEIVED_AT)

    assert record == ReplyRecord("T0", "C0SUPPORT", "1700000000.000100", "U0LEO", "1700000060.000200", RECEIVED_AT)


def test_an_answer_from_another_organisation_is_known_by_their_team():
    answer = {"user": "U0LEO", "ts": "1700000060.000200", "thread_ts": "1700000000.000100", "parent_user_id": "U0MAYA"}

    record = read_event(build_envelope(**answer, user_team="T0GUEST"), RECEIVED_AT)

    assert isinstance(record, ReplyRecord)
    assert record.author_team == "T0GUEST"


WRITTEN = {"user": "U0MAYA", "text": "I was charged twice", "ts": "1700000000.000100"}


def build_edit(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    parts = {"message": WRITTEN | after, "previous_message": WRITTEN | before}
    return build_envelope(subtype="message_changed", hidden=True, ts="1700000090.000300", **parts)


def build_deletion(**message: Any) -> dict[str, Any]:
    parts = {"deleted_ts": "1700000000.000100", "previous_message": WRITTEN | message}
    return build_envelope(subtype="message_deleted", hidden=True, ts="1700000090.000300", **parts)


REVISION = RevisionRecord("T0", "C0SUPPORT", "1700000000.000100", RECEIVED_AT)


def test_an_edit_is_queued_as_a_message_to_look_at_again():
    assert read_event(build_edit({}, {"text": "I was charged thrice"}), RECEIVED_AT) == REVISION


def test_a_link_that_unfolds_is_no_edit():
    envelope = build_edit({}, {"attachments": [{"title": "A page", "from_url": "https://example.com"}]})

    assert read_event(envelope, RECEIVED_AT) == Dropped("same-words")


def test_a_deletion_is_queued_as_a_message_to_look_at_again():
    assert read_event(build_deletion(), RECEIVED_AT) == REVISION


def test_a_message_that_is_deleted_while_it_has_answers_leaves_a_tombstone():
    gone = {"subtype": "tombstone", "text": "This message was deleted.", "user": "USLACKBOT"}

    assert read_event(build_edit({}, gone), RECEIVED_AT) == REVISION


@pytest.mark.parametrize(
    ("envelope", "reason"),
    [
        (build_edit({"user": "U0BOT"}, {"user": "U0BOT", "text": "Technical, sent to #tech"}), "our-own"),
        (build_edit({"app_id": "A0TRIAGE"}, {"subtype": "tombstone", "text": ""}), "our-own"),
        (build_deletion(user="U0BOT"), "our-own"),
        (build_edit({}, {"text": "another", "thread_ts": "1600000000.000100"}), "thread-reply"),
        (build_deletion(thread_ts="1600000000.000100"), "thread-reply"),
    ],
)
def test_changes_of_our_own_posts_and_of_answers_change_nothing(envelope, reason):
    assert read_event(envelope, RECEIVED_AT) == Dropped(reason)


json_values = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)
parts = ["message", "previous_message", "deleted_ts", "parent_user_id", "team", "files", "channel_type"]
names = st.sampled_from(
    [*parts, "type", "subtype", "ts", "thread_ts", "user", "text", "blocks", "channel", "bot_id", "app_id"]
)


@given(
    st.dictionaries(names, json_values), st.dictionaries(st.sampled_from(["authorizations", "team_id"]), json_values)
)
def test_an_event_of_any_shape_is_queued_or_dropped(event, envelope):
    record = read_event(build_envelope(**event) | envelope, RECEIVED_AT)

    assert isinstance(record, MessageRecord | RevisionRecord | ReplyRecord | Dropped)


def test_in_a_shared_channel_the_team_is_the_one_that_installed_the_bot():
    envelope = build_envelope() | {"team_id": "T0THEIRS"}

    record = read_event(envelope, RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.team == "T0"


@pytest.mark.parametrize("authorizations", [None, [], ["U0BOT"], {}])
def test_an_envelope_without_authorizations_is_read_by_its_team(authorizations):
    envelope = build_envelope() | {"authorizations": authorizations}

    record = read_event(envelope, RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.team == "T0"


def test_personal_data_is_redacted_before_anything_is_queued():
    record = read_event(build_envelope(text="write to <mailto:maya@example.com|maya@example.com>"), RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.text == "write to [email]"


def test_a_text_that_is_too_long_is_cut_and_says_so():
    cleaned = clean_text("word " * MAX_CHARACTERS)

    assert len(cleaned.text) == MAX_CHARACTERS
    assert cleaned.truncated


def test_a_secret_across_the_cut_is_gone_before_the_cut():
    secret = "xoxb-" + "1234567890" * 3
    cleaned = clean_text("a" * (MAX_CHARACTERS - 11) + " " + secret)

    assert "xoxb" not in cleaned.text


def test_half_a_surrogate_pair_becomes_something_that_can_be_sent():
    assert clean_text("broken \ud83d emoji").text.encode("utf-8")


def test_a_label_in_a_message_stays_the_customers_words():
    record = read_event(build_envelope(text="__label__billing\x00\nhelp"), RECEIVED_AT)

    assert isinstance(record, MessageRecord)
    assert record.text == "__label__billing\x00\nhelp"


def test_a_command_is_queued_with_where_its_answer_goes():
    record = read_command(build_form(), RECEIVED_AT)

    assert record == CommandRecord(
        team="T0",
        channel="C0SUPPORT",
        user="U0MAYA",
        text="I was charged twice",
        truncated=False,
        response_url="https://hooks.slack.com/commands/T0/1/abc",
        received_at=RECEIVED_AT,
    )


@pytest.mark.parametrize("text", ["", "  ", "help", " HELP "])
def test_a_command_without_a_text_asks_for_help(text):
    assert read_command(build_form(text=text), RECEIVED_AT) == HelpRequested()


@pytest.mark.parametrize(
    ("text", "verb", "target"),
    [
        ("stats", "stats", None),
        (" STOP ", "stop", None),
        ("mute", "mute", "C0SUPPORT"),
        ("unmute <#C0RANDOM|random>", "unmute", "C0RANDOM"),
        ("mute <@U0MAYA|maya>", "mute", "U0MAYA"),
        ("mute <@U0MAYA>", "mute", "U0MAYA"),
    ],
)
def test_a_command_can_be_something_to_do(text, verb, target):
    record = read_command(build_form(text=text), RECEIVED_AT)

    assert isinstance(record, AskRecord)
    assert (record.verb, record.target, record.channel) == (verb, target, "C0SUPPORT")


@pytest.mark.parametrize("text", ["stop charging my card", "mute button is broken", "policy?", "mute maya"])
def test_a_text_that_begins_with_such_a_word_is_still_a_text(text):
    record = read_command(build_form(text=text), RECEIVED_AT)

    assert isinstance(record, CommandRecord)
    assert record.text == text


def test_a_commands_text_is_redacted_too():
    record = read_command(build_form(text="my mail is maya@example.com"), RECEIVED_AT)

    assert isinstance(record, CommandRecord)
    assert record.text == "my mail is [email]"


def test_a_command_of_another_name_is_dropped():
    assert read_command(build_form(command="/declassify"), RECEIVED_AT) == Dropped("unknown-command")


def test_a_command_without_a_place_to_answer_is_dropped():
    form = build_form()
    del form["response_url"]

    assert read_command(form, RECEIVED_AT) == Dropped("malformed")


# --- App Home -----------------------------------------------------------------------------------------------


def test_a_look_at_the_home_tab_is_queued():
    event = {"type": "app_home_opened", "user": "U0ANNA", "channel": "D0ANNA", "tab": "home", "event_ts": "1.1"}
    envelope = build_envelope() | {"event": event}

    assert read_event(envelope, RECEIVED_AT) == HomeRecord("T0", "U0ANNA", RECEIVED_AT)
    assert read_event(envelope | {"event": event | {"tab": "messages"}}, RECEIVED_AT) == Dropped("other-tab")
    assert read_event(envelope | {"event": event | {"user": None}}, RECEIVED_AT) == Dropped("malformed")


# --- Reactions ----------------------------------------------------------------------------------------------


def build_reaction(**changes):
    item = {"type": "message", "channel": "C0SUPPORT", "ts": "1700000000.000100"}
    event = {"type": "reaction_added", "user": "U0ANNA", "reaction": "moneybag", "item": item, "event_ts": "1.1"}
    return build_envelope() | {"event": event | changes}


def test_a_reaction_is_queued_with_who_and_what_in_any_colour_of_skin():
    said = ReactionRecord("T0", "C0SUPPORT", "1700000000.000100", "U0ANNA", "moneybag", RECEIVED_AT)

    assert replace(read_event(build_reaction(), RECEIVED_AT), said_at=None) == said
    assert replace(read_event(build_reaction(reaction="moneybag::skin-tone-4"), RECEIVED_AT), said_at=None) == said


def test_a_reaction_keeps_slacks_time_of_it():
    assert read_event(build_reaction(event_ts="1700000009.000100"), RECEIVED_AT).said_at == "1700000009.000100"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"user": "U0BOT"}, "our-own"), ({"item": {"type": "file"}}, "no-message"), ({"user": None}, "malformed")],
)
def test_a_reaction_that_says_nothing_is_dropped(changes, reason):
    assert read_event(build_reaction(**changes), RECEIVED_AT) == Dropped(reason)


# --- Workspaces that take the bot out -----------------------------------------------------------------------


def departure(**event: Any) -> dict[str, Any]:
    return {"type": "event_callback", "team_id": "T0", "event_time": 1_700_000_000, "event": event}


@pytest.mark.parametrize(
    "event", [{"type": "app_uninstalled"}, {"type": "tokens_revoked", "tokens": {"oauth": ["U1"], "bot": ["U0BOT"]}}]
)
def test_a_workspace_that_takes_the_bot_out_is_queued_with_when_it_did(event):
    record = read_event(departure(**event), RECEIVED_AT)

    assert record == LifecycleRecord("T0", event["type"], 1_700_000_000, RECEIVED_AT)


@pytest.mark.parametrize("tokens", [{"oauth": ["U1"]}, {"oauth": ["U1"], "bot": []}, [], None])
def test_the_tokens_of_people_are_none_of_ours(tokens):
    assert read_event(departure(type="tokens_revoked", tokens=tokens), RECEIVED_AT) == Dropped("no-token-of-ours")


@pytest.mark.parametrize("changes", [{"team_id": None}, {"team_id": "no id"}, {"event_time": "yesterday"}])
def test_a_departure_that_is_malformed_is_dropped(changes):
    assert read_event(departure(type="app_uninstalled") | changes, RECEIVED_AT) == Dropped("malformed")
