"""The rules of a workspace, and the events that its changes raise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.slack.events import event_of, subscription_of
from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.workspace import Content, SlackError


@pytest.fixture
def workspace():
    return build_workspace()


@pytest.fixture
def events(workspace):
    """The events raised since the test began."""
    raised = []
    workspace.observers.append(lambda channel, change: raised.append(event_of(channel, change, workspace)))
    return raised


@given(st.lists(st.floats(min_value=0, max_value=4_000_000_000), min_size=2, max_size=20))
def test_timestamps_increase_even_when_the_clock_goes_back(readings):
    clock = iter(readings)
    workspace = build_workspace(lambda: next(clock))

    given_out = [workspace.next_ts() for _ in readings]

    assert sorted(set(given_out), key=lambda ts: tuple(map(int, ts.split(".")))) == given_out


def test_a_message_of_a_customer_raises_an_event_without_subtype_or_bot_id(workspace, events):
    message = workspace.post("C0SUPPORT", "U0MAYA", Content("hello"))

    assert events == [
        {
            "type": "message",
            "user": "U0MAYA",
            "text": "hello",
            "ts": message.ts,
            "team": "T0SANDBOX",
            "channel": "C0SUPPORT",
            "channel_type": "channel",
            "event_ts": message.ts,
        }
    ]


def test_the_apps_own_post_raises_an_event_too_and_carries_its_bot_id(workspace, events):
    workspace.post("C0SUPPORT", "U0BOT", Content("hello"), bot_id="B0TRIAGE")

    assert events[0]["bot_id"] == "B0TRIAGE"
    assert events[0]["user"] == "U0BOT"
    assert "subtype" not in events[0]


def test_an_app_hears_nothing_of_a_channel_its_bot_is_not_in(workspace, events):
    workspace.post("C0RANDOM", "U0ANNA", Content("hello"))

    assert events == [None]


def test_a_message_of_a_private_channel_comes_under_its_own_subscription(workspace, events):
    workspace.channels["C0BOARD"].members.add("U0BOT")

    workspace.post("C0BOARD", "U0SOFIA", Content("hello"))

    assert subscription_of(events[0]) == "message.groups"


def test_an_edit_raises_message_changed_with_both_texts(workspace, events):
    message = workspace.post("C0SUPPORT", "U0MAYA", Content("helo"))

    workspace.edit("C0SUPPORT", message.ts, Content("hello"), "U0MAYA")

    changed = events[-1]
    assert (changed["subtype"], changed["hidden"]) == ("message_changed", True)
    assert (changed["previous_message"]["text"], changed["message"]["text"]) == ("helo", "hello")
    assert changed["message"]["edited"]["user"] == "U0MAYA"
    assert changed["ts"] > message.ts


def test_deleting_a_message_raises_message_deleted(workspace, events):
    message = workspace.post("C0SUPPORT", "U0MAYA", Content("hello"))

    workspace.delete("C0SUPPORT", message.ts)

    assert (events[-1]["subtype"], events[-1]["deleted_ts"]) == ("message_deleted", message.ts)
    assert message.ts not in workspace.channels["C0SUPPORT"].messages


def test_deleting_a_message_with_replies_leaves_a_tombstone_and_raises_message_changed(workspace, events):
    parent = workspace.post("C0SUPPORT", "U0MAYA", Content("hello"))
    workspace.post("C0SUPPORT", "U0BOT", Content("hi"), thread_ts=parent.ts)

    workspace.delete("C0SUPPORT", parent.ts)

    assert events[-1]["subtype"] == "message_changed"
    assert events[-1]["message"]["subtype"] == "tombstone"
    assert events[-1]["previous_message"]["text"] == "hello"


def test_a_tombstone_goes_with_its_last_reply(workspace):
    parent = workspace.post("C0SUPPORT", "U0MAYA", Content("hello"))
    reply = workspace.post("C0SUPPORT", "U0BOT", Content("hi"), thread_ts=parent.ts)
    workspace.delete("C0SUPPORT", parent.ts)

    workspace.delete("C0SUPPORT", reply.ts)

    assert workspace.channels["C0SUPPORT"].messages == {}


def test_a_reply_to_a_reply_goes_into_the_same_thread(workspace):
    parent = workspace.post("C0SUPPORT", "U0MAYA", Content("hello"))
    reply = workspace.post("C0SUPPORT", "U0ANNA", Content("hi"), thread_ts=parent.ts)

    second = workspace.post("C0SUPPORT", "U0MAYA", Content("thanks"), thread_ts=reply.ts)

    assert second.thread_ts == parent.ts
    assert workspace.channels["C0SUPPORT"].thread(second.ts) == [parent, reply, second]


def test_a_reply_to_a_message_that_is_gone_lands_in_the_channel_as_it_does_in_slack(workspace):
    message = workspace.post("C0SUPPORT", "U0BOT", Content("hi"), thread_ts="1700000000.000001")

    assert message.thread_ts is None


def test_a_reaction_raises_reaction_added_and_taking_it_away_reaction_removed(workspace, events):
    message = workspace.post("C0SUPPORT", "U0MAYA", Content("hello"))

    workspace.react("C0SUPPORT", message.ts, "U0ANNA", "eyes")
    workspace.unreact("C0SUPPORT", message.ts, "U0ANNA", "eyes")

    assert [event["type"] for event in events[1:]] == ["reaction_added", "reaction_removed"]
    assert events[1]["item"] == {"type": "message", "channel": "C0SUPPORT", "ts": message.ts}
    assert workspace.channels["C0SUPPORT"].messages[message.ts].reactions == ()


def test_an_ephemeral_message_raises_no_event_and_is_no_message_of_the_channel(workspace, events):
    workspace.post_ephemeral("C0SUPPORT", "U0BOT", Content("psst"), "U0MAYA")

    assert events == [None]
    assert workspace.channels["C0SUPPORT"].messages == {}


def test_nothing_can_be_posted_into_an_archived_channel(workspace):
    with pytest.raises(SlackError, match="is_archived"):
        workspace.post("C0OLD", "U0ANNA", Content("hello"))
