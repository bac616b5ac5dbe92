"""The Web API, called with slack_sdk's WebClient over real HTTP."""

import base64

import httpx2
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

DIVIDER = {"type": "divider"}
METADATA = {"event_type": "triage", "event_payload": {"key": "k1"}}


@pytest.fixture
def client(slack) -> WebClient:
    return slack.client


@pytest.fixture
def error():
    """Call a method and return the error code that it raises."""

    def call(method, **arguments) -> str:
        with pytest.raises(SlackApiError) as raised:
            method(**arguments)
        return str(raised.value.response["error"])

    return call


# --- Authentication -------------------------------------------------------------------------------------------


def test_auth_test_says_who_the_bot_is(client):
    answer = client.auth_test()

    assert (answer["team_id"], answer["user_id"], answer["bot_id"]) == ("T0SANDBOX", "U0BOT", "B0TRIAGE")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


def test_a_wrong_token_is_refused(slack, error):
    assert error(WebClient("xoxb-wrong", base_url=f"{slack.url}/api/").auth_test) == "invalid_auth"


def test_a_missing_token_is_refused(slack):
    assert httpx2.post(f"{slack.url}/api/auth.test").json() == {"ok": False, "error": "not_authed"}


def test_an_unknown_method_is_refused_with_its_name(client):
    with pytest.raises(SlackApiError) as raised:
        client.api_call("chat.shout")

    assert raised.value.response["error"] == "unknown_method"
    assert raised.value.response["req_method"] == "chat.shout"


def test_a_missing_scope_is_refused_with_the_scope_that_is_needed(start_slack):
    client = start_slack(scopes=frozenset({"chat:write"})).client

    with pytest.raises(SlackApiError) as raised:
        client.reactions_add(channel="C0SUPPORT", name="eyes", timestamp="1.2")

    assert (raised.value.response["error"], raised.value.response["needed"]) == ("missing_scope", "reactions:write")


def test_a_body_that_is_not_json_is_refused(slack):
    headers = {"Authorization": "Bearer xoxb-of-the-tests", "Content-Type": "application/json"}

    answer = httpx2.post(f"{slack.url}/api/chat.postMessage", content=b"{", headers=headers)

    assert answer.json()["error"] == "invalid_json"


def test_a_rate_limit_answers_429_as_often_as_planned_and_says_when_to_come_back(slack):
    slack.do("rate-limits", method="chat.postMessage", times=1, retry_after=7)

    with pytest.raises(SlackApiError) as raised:
        slack.client.chat_postMessage(channel="C0SUPPORT", text="hello")

    assert (raised.value.response.status_code, raised.value.response["error"]) == (429, "ratelimited")
    assert raised.value.response.headers["Retry-After"] == "7"
    assert slack.client.chat_postMessage(channel="C0SUPPORT", text="hello")["ok"]


def test_the_log_of_calls_has_methods_and_errors_and_never_a_token(slack):
    form = {"token": "xoxb-of-the-tests", "channel": "C0SUPPORT", "text": "hello"}
    httpx2.post(f"{slack.url}/api/chat.postMessage", data=form)
    httpx2.post(f"{slack.url}/api/users.info", data={"token": "xoxb-of-the-tests", "user": "U0NOBODY"})

    state = slack.state()

    assert [(call["method"], call["error"]) for call in state["calls"]] == [
        ("chat.postMessage", None),
        ("users.info", "user_not_found"),
    ]
    assert "xoxb" not in str(state)


# --- chat.* ---------------------------------------------------------------------------------------------------


def test_a_posted_message_is_in_the_channel_with_text_blocks_and_metadata(slack):
    answer = slack.client.chat_postMessage(channel="C0SUPPORT", text="hello", blocks=[DIVIDER], metadata=METADATA)

    [message] = slack.channel()["messages"]
    assert (message["ts"], message["text"], message["bot_id"]) == (answer["ts"], "hello", "B0TRIAGE")
    assert message["blocks"][0]["type"] == "divider"
    assert message["metadata"] == METADATA


def test_a_form_encoded_post_with_blocks_as_text_is_understood(slack):
    form = {"channel": "C0SUPPORT", "text": "hello", "blocks": '[{"type": "divider"}]'}
    headers = {"Authorization": "Bearer xoxb-of-the-tests"}

    answer = httpx2.post(f"{slack.url}/api/chat.postMessage", data=form, headers=headers).json()

    assert answer["message"]["blocks"][0]["type"] == "divider"


def test_a_reply_is_in_the_thread_and_not_in_the_channels_history(slack, client):
    parent = slack.write("hello")

    reply = client.chat_postMessage(channel="C0SUPPORT", text="hi", thread_ts=parent)["ts"]

    replies = client.conversations_replies(channel="C0SUPPORT", ts=parent)["messages"]
    history = client.conversations_history(channel="C0SUPPORT")["messages"]
    assert [message["ts"] for message in replies] == [parent, reply]
    assert [(message["ts"], message["reply_count"]) for message in history] == [(parent, 1)]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"channel": "C0NOWHERE", "text": "hello"}, "channel_not_found"),
        ({"channel": "C0BOARD", "text": "hello"}, "channel_not_found"),
        ({"channel": "C0OLD", "text": "hello"}, "is_archived"),
        ({"channel": "C0SUPPORT", "text": "hello", "blocks": [DIVIDER] * 51}, "invalid_blocks"),
        ({"channel": "C0SUPPORT", "text": "hello", "blocks": {"type": "divider"}}, "invalid_blocks_format"),
        (
            {
                "channel": "C0SUPPORT",
                "text": "hello",
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2_800}}] * 5,
            },
            "msg_blocks_too_long",
        ),
        ({"channel": "C0SUPPORT", "text": "hello", "metadata": {"event_type": "x"}}, "invalid_metadata_format"),
    ],
)
def test_chat_post_message_refuses_with_slacks_own_codes(client, error, arguments, code):
    assert error(client.chat_postMessage, **arguments) == code


def test_a_message_that_says_nothing_is_refused(client, error):
    # Not chat_postMessage, which warns of the empty text before it sends it.
    assert error(client.api_call, api_method="chat.postMessage", json={"channel": "C0SUPPORT"}) == "no_text"


def test_refused_blocks_come_with_the_place_of_the_fault(client):
    with pytest.raises(SlackApiError) as raised:
        client.chat_postMessage(channel="C0SUPPORT", text="hello", blocks=[{"type": "section"}])

    [reason] = raised.value.response["response_metadata"]["messages"]
    assert reason == "[ERROR] missing required field: text or fields [json-pointer:/blocks/0]"


def test_a_bot_posts_into_a_public_channel_it_has_not_joined_only_with_the_scope_for_it(client, start_slack, error):
    limited = start_slack(scopes=frozenset({"chat:write"})).client

    assert client.chat_postMessage(channel="C0RANDOM", text="hello")["ok"]
    assert error(limited.chat_postMessage, channel="C0RANDOM", text="hello") == "not_in_channel"


def test_an_ephemeral_message_cannot_be_replied_to(client, error):
    ts = client.chat_postEphemeral(channel="C0SUPPORT", user="U0MAYA", text="psst")["message_ts"]

    assert error(client.chat_postMessage, channel="C0SUPPORT", text="hi", thread_ts=ts) == "cannot_reply_to_message"


def test_text_over_40000_characters_is_cut_with_a_warning(client):
    answer = client.chat_postMessage(channel="C0SUPPORT", text="x" * 40_001)

    assert len(answer["message"]["text"]) == 40_000
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]


def test_an_update_keeps_what_it_does_not_mention(slack, client):
    ts = client.chat_postMessage(channel="C0SUPPORT", text="one", blocks=[DIVIDER], metadata=METADATA)["ts"]

    client.chat_update(channel="C0SUPPORT", ts=ts, text="two")

    [message] = slack.channel()["messages"]
    assert message["text"] == "two"
    assert message["blocks"][0]["type"] == "divider"
    assert message["metadata"] == METADATA
    assert message["edited"]["user"] == "U0BOT"


def test_an_update_with_no_blocks_takes_them_away(slack, client):
    ts = client.chat_postMessage(channel="C0SUPPORT", text="one", blocks=[DIVIDER])["ts"]

    client.chat_update(channel="C0SUPPORT", ts=ts, text="two", blocks=[])

    assert "blocks" not in slack.channel()["messages"][0]


def test_chat_update_refuses_with_slacks_own_codes(slack, client, error):
    foreign, own = slack.write("hello"), client.chat_postMessage(channel="C0SUPPORT", text="hi")["ts"]

    assert error(client.chat_update, channel="C0SUPPORT", ts=foreign, text="mine now") == "cant_update_message"
    assert error(client.chat_update, channel="C0SUPPORT", ts="1.2", text="hi") == "message_not_found"
    assert error(client.chat_update, channel="C0SUPPORT", ts=own, text="x" * 4_001) == "msg_too_long"


def test_a_bot_deletes_its_own_messages_only(slack, client, error):
    foreign, own = slack.write("hello"), client.chat_postMessage(channel="C0SUPPORT", text="hi")["ts"]

    client.chat_delete(channel="C0SUPPORT", ts=own)

    assert [message["ts"] for message in slack.channel()["messages"]] == [foreign]
    assert error(client.chat_delete, channel="C0SUPPORT", ts=own) == "message_not_found"
    assert error(client.chat_delete, channel="C0SUPPORT", ts=foreign) == "cant_delete_message"


def test_an_ephemeral_message_is_for_one_person(slack, client):
    client.chat_postEphemeral(channel="C0SUPPORT", user="U0MAYA", text="psst")

    channel = slack.channel()
    assert [(each["text"], each["visible_to"]) for each in channel["ephemerals"]] == [("psst", "U0MAYA")]
    assert channel["messages"] == []


@pytest.mark.parametrize(
    ("channel", "user", "code"),
    [
        ("C0BILLING", "U0MAYA", "user_not_in_channel"),
        ("C0RANDOM", "U0ANNA", "not_in_channel"),
        ("C0OLD", "U0ANNA", "is_archived"),
        ("C0BOARD", "U0SOFIA", "channel_not_found"),
    ],
)
def test_chat_post_ephemeral_refuses_with_slacks_own_codes(client, error, channel, user, code):
    assert error(client.chat_postEphemeral, channel=channel, user=user, text="psst") == code


def test_a_permalink_leads_to_the_message_on_the_page(slack, client):
    ts = slack.write("hello")

    link = client.chat_getPermalink(channel="C0SUPPORT", message_ts=ts)["permalink"]

    assert link == f"{slack.url}/archives/C0SUPPORT/p{ts.replace('.', '')}"
    assert httpx2.get(link).headers["location"] == f"/#C0SUPPORT/{ts}"


# --- reactions.* ----------------------------------------------------------------------------------------------


def test_a_reaction_is_added_shown_and_removed(slack, client):
    ts = slack.write("hello")

    client.reactions_add(channel="C0SUPPORT", name="credit_card", timestamp=ts)
    shown = client.reactions_get(channel="C0SUPPORT", timestamp=ts)["message"]["reactions"]
    client.reactions_remove(channel="C0SUPPORT", name="credit_card", timestamp=ts)

    assert shown == [{"name": "credit_card", "users": ["U0BOT"], "count": 1}]
    assert "reactions" not in slack.channel()["messages"][0]


def test_reactions_are_refused_with_slacks_own_codes(slack, client, error):
    ts = slack.write("hello")
    client.reactions_add(channel="C0SUPPORT", name="eyes", timestamp=ts)

    assert error(client.reactions_add, channel="C0SUPPORT", name="eyes", timestamp=ts) == "already_reacted"
    assert error(client.reactions_remove, channel="C0SUPPORT", name="fire", timestamp=ts) == "no_reaction"
    assert error(client.reactions_add, channel="C0SUPPORT", name="no-such", timestamp=ts) == "invalid_name"
    assert error(client.reactions_add, channel="C0SUPPORT", name="eyes", timestamp="1.2") == "message_not_found"
    assert error(client.reactions_add, channel="C0RANDOM", name="eyes", timestamp=ts) == "not_in_channel"


# --- conversations.* ------------------------------------------------------------------------------------------


def test_conversations_list_gives_what_the_bot_may_see_page_by_page(client):
    first = client.conversations_list(types="public_channel,private_channel", exclude_archived=True, limit=4)
    rest = client.conversations_list(
        types="public_channel,private_channel",
        exclude_archived=True,
        limit=4,
        cursor=first["response_metadata"]["next_cursor"],
    )

    names = [channel["name"] for channel in [*first["channels"], *rest["channels"]]]
    assert names == ["support", "team-billing", "team-technical", "team-general", "support-leads", "random"]
    assert rest["response_metadata"]["next_cursor"] == ""


@pytest.mark.parametrize(
    "cursor", ["page2", "🎉", "x" * 400, "/w==", *(base64.b64encode(each).decode() for each in (b"from:-1", b"to:1"))]
)
def test_a_cursor_of_ones_own_making_is_refused(client, error, cursor):
    assert error(client.conversations_list, cursor=cursor) == "invalid_cursor"


def test_conversations_info_tells_whether_the_bot_is_a_member(client, error):
    assert client.conversations_info(channel="C0SUPPORT")["channel"]["is_member"] is True
    assert client.conversations_info(channel="C0RANDOM")["channel"]["is_member"] is False
    assert error(client.conversations_info, channel="C0BOARD") == "channel_not_found"


def test_joining_a_channel_opens_its_history(slack, client, error):
    slack.write("hello", channel="C0RANDOM", user="U0ANNA")
    assert error(client.conversations_history, channel="C0RANDOM") == "not_in_channel"

    client.conversations_join(channel="C0RANDOM")

    texts = [message["text"] for message in client.conversations_history(channel="C0RANDOM")["messages"]]
    assert texts == ["<@U0BOT> has joined the channel", "hello"]
    assert client.conversations_join(channel="C0RANDOM")["warning"] == "already_in_channel"


def test_an_archived_channel_cannot_be_joined(slack, client, error):
    slack.workspace.channels["C0OLD"].members.discard("U0BOT")

    assert error(client.conversations_join, channel="C0OLD") == "is_archived"


def test_history_can_be_limited_to_a_period(slack, client):
    first, second, third = slack.write("one"), slack.write("two"), slack.write("three")

    between = client.conversations_history(channel="C0SUPPORT", oldest=first, latest=third)["messages"]
    from_second = client.conversations_history(channel="C0SUPPORT", oldest=second, inclusive=True)["messages"]

    assert [message["text"] for message in between] == ["two"]
    assert [message["text"] for message in from_second] == ["three", "two"]


def test_metadata_comes_whole_only_when_asked_for(slack, client):
    parent = slack.write("hello")
    client.chat_postMessage(channel="C0SUPPORT", text="hi", thread_ts=parent, metadata=METADATA)

    whole = client.conversations_replies(channel="C0SUPPORT", ts=parent, include_all_metadata=True)["messages"][1]
    part = client.conversations_replies(channel="C0SUPPORT", ts=parent)["messages"][1]

    assert whole["metadata"] == METADATA
    assert part["metadata"] == {"event_type": "triage"}


def test_replies_of_a_thread_that_is_not_there_are_refused(client, error):
    assert error(client.conversations_replies, channel="C0SUPPORT", ts="1.2") == "thread_not_found"


def test_members_are_listed(client):
    assert client.conversations_members(channel="C0BILLING")["members"] == ["U0ANNA", "U0BOT", "U0JONAS", "U0SOFIA"]


# --- users, groups, bots --------------------------------------------------------------------------------------


def test_people_groups_and_bots_can_be_looked_up(client, error):
    assert client.users_info(user="U0MAYA")["user"]["real_name"] == "Maya Okafor"
    assert client.bots_info(bot="B0TRIAGE")["bot"]["app_id"] == "A0TRIAGE"
    [group] = client.usergroups_list(include_users=True)["usergroups"]
    assert (group["id"], group["handle"], group["users"]) == ("S0ONCALL", "on-call", ["U0JONAS", "U0SOFIA"])
    assert error(client.users_info, user="U0NOBODY") == "user_not_found"
    assert error(client.bots_info, bot="B0NOBODY") == "bot_not_found"


# --- views.* --------------------------------------------------------------------------------------------------

HOME = {"type": "home", "blocks": [DIVIDER]}


def test_a_home_view_is_kept_and_an_outdated_hash_is_refused(slack, client, error):
    first = client.views_publish(user_id="U0ANNA", view=HOME)["view"]
    client.views_publish(user_id="U0ANNA", view=HOME, hash=first["hash"])

    assert [(home["user"], home["type"]) for home in slack.state()["homes"]] == [("U0ANNA", "home")]
    assert error(client.views_publish, user_id="U0ANNA", view=HOME, hash=first["hash"]) == "hash_conflict"


def test_a_modal_cannot_be_opened_with_an_invented_trigger(client, error):
    modal = {"type": "modal", "title": {"type": "plain_text", "text": "Correct"}, "blocks": [DIVIDER]}

    assert error(client.views_open, trigger_id="1.2.3", view=modal) == "invalid_trigger_id"


def test_a_view_that_oversteps_a_limit_is_refused(client, error):
    assert error(client.views_publish, user_id="U0ANNA", view={"type": "home", "blocks": [DIVIDER] * 101}) == (
        "invalid_arguments"
    )
