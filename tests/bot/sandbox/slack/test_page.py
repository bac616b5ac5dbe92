"""The stand-in's page in a real browser."""

import json

import pytest
from playwright.sync_api import Page, expect
from starlette.responses import JSONResponse, Response

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


OPTIONS = [{"text": plain("Technical"), "value": "technical"}, {"text": plain("General"), "value": "general"}]
CONFIRM = {"title": plain("Sure?"), "text": mrkdwn("It *goes*."), "confirm": plain("Yes"), "deny": plain("No")}
ANSWER = [
    {"type": "header", "text": plain("Billing")},
    {
        "type": "section",
        "text": mrkdwn("*Billing*, passed on to <#C0BILLING|team-billing>"),
        "fields": [mrkdwn("*Urgency*\nnormal"), mrkdwn("*Tone*\nnegative")],
        "accessory": {"type": "overflow", "action_id": "more", "options": OPTIONS},
    },
    {"type": "divider"},
    {"type": "context", "elements": [mrkdwn("`97 %` sure")]},
    {
        "type": "actions",
        "block_id": "correct",
        "elements": [
            {"type": "button", "action_id": "right", "text": plain("Right"), "value": "yes"},
            {"type": "static_select", "action_id": "move", "placeholder": plain("Move to"), "options": OPTIONS},
            {"type": "button", "action_id": "none", "text": plain("Not a request"), "confirm": CONFIRM},
        ],
    },
]


@pytest.fixture
def open_page(browser):
    """Open the page of a stand-in; the test fails if the page reports an error."""
    contexts, errors = [], []

    def open_at(slack, viewport=DESKTOP, place=""):
        contexts.append(browser.new_context(viewport=viewport, locale="en-GB"))
        page = contexts[-1].new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{slack.url}/{place}")
        expect(page.get_by_role("heading", level=2).first).to_be_visible()
        return page

    yield open_at
    for context in contexts:
        context.close()
    assert errors == []


def write(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Message #").fill(text)
    page.keyboard.press("Enter")


def messages(page: Page):
    return page.get_by_role("log", name="Messages", exact=True).get_by_role("article")


def thread(page: Page):
    return page.get_by_role("complementary", name="Thread")


# --- Writing --------------------------------------------------------------------------------------------------


def test_enter_sends_what_a_customer_wrote_to_the_channel_and_to_the_app(connected_slack, receiving_app, open_page):
    page = open_page(connected_slack)
    page.get_by_label("Write as").select_option("Liam Becker")

    write(page, "I was charged twice")

    expect(messages(page)).to_have_count(1)
    expect(messages(page)).to_contain_text("Liam Becker")
    expect(page.get_by_role("textbox", name="Message #support")).to_have_value("")
    assert json.loads(receiving_app.next().body)["event"]["user"] == "U0LIAM"


def test_an_example_fills_the_composer(slack, open_page):
    page = open_page(slack)

    page.get_by_role("button", name="The app crashes every time").click()

    expect(page.get_by_role("textbox", name="Message #support")).to_have_value(
        "The app crashes every time I export a report to PDF"
    )
    expect(page.get_by_role("textbox", name="Message #support")).to_be_focused()


def test_markup_in_a_message_is_shown_and_not_obeyed(slack, open_page):
    page = open_page(slack)

    write(page, "<img src=x onerror=\"document.title='broken in'\"><b>bold</b> <!channel>")

    expect(messages(page)).to_contain_text("<b>bold</b> <!channel>")
    expect(messages(page).locator("img, b")).to_have_count(0)


def test_ones_own_message_can_be_edited_and_deleted(slack, open_page):
    page = open_page(slack)
    write(page, "helo")
    messages(page).hover()
    messages(page).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Edit message").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("hello")
    page.get_by_role("button", name="Save").click()
    expect(messages(page)).to_contain_text("hello (edited)")

    messages(page).hover()
    messages(page).get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete message").click()
    page.get_by_role("button", name="Delete").click()

    expect(messages(page)).to_have_count(0)


def test_another_users_message_cannot_be_edited(slack, open_page):
    slack.write("hello", user="U0LIAM")
    page = open_page(slack)

    messages(page).hover()
    messages(page).get_by_role("button", name="More").click()

    expect(page.get_by_role("menuitem", name="Classify this message")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Edit message")).to_have_count(0)


# --- What the bot does ----------------------------------------------------------------------------------------


def test_a_reaction_of_the_bot_is_a_pill_with_a_name_that_can_be_read_out(slack, open_page):
    ts = slack.write("hello")
    page = open_page(slack)

    slack.client.reactions_add(channel="C0SUPPORT", timestamp=ts, name="credit_card")

    pill = page.get_by_role("button", name="credit card, 1 reaction, by Triage")
    expect(pill).to_have_text("💳1")
    pill.click()
    expect(page.get_by_role("button", name="credit card, 2 reactions, by Triage, Maya Okafor")).to_be_visible()


def test_the_first_answer_to_what_was_written_here_opens_beside_it(slack, open_page):
    page = open_page(slack)
    write(page, "I was charged twice")
    expect(messages(page)).to_have_count(1)
    ts = slack.channel()["messages"][0]["ts"]

    slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=ts, text="*Billing*, and that is all", blocks=ANSWER)

    expect(thread(page).get_by_role("heading", name="Billing")).to_be_visible()
    expect(thread(page)).to_contain_text("Urgency")
    expect(thread(page).get_by_role("link", name="#team-billing")).to_be_visible()
    expect(messages(page).get_by_role("button", name="1 reply")).to_contain_text("Triage: Billing, and that is all")


def test_a_post_in_another_channel_lights_its_dot_until_it_is_read(slack, open_page):
    page = open_page(slack)
    link = page.get_by_role("link", name="team-billing")
    expect(link).not_to_contain_text("unread")

    slack.client.chat_postMessage(channel="C0BILLING", text="A request")

    expect(link).to_contain_text("unread")
    link.click()
    expect(messages(page)).to_contain_text("A request")
    expect(link).not_to_contain_text("unread")


def test_a_permalink_leads_to_the_thread_of_the_message(slack, open_page):
    ts = slack.write("hello")
    slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=ts, text="hi")
    link = slack.client.chat_getPermalink(channel="C0SUPPORT", message_ts=ts)["permalink"]
    slack.client.chat_postMessage(channel="C0BILLING", text=f"<{link}|the message>")
    page = open_page(slack, place="#C0BILLING")

    page.get_by_role("link", name="the message").click()

    expect(thread(page)).to_contain_text("hi")


def test_what_slack_refused_the_bot_is_listed(slack, open_page):
    page = open_page(slack)

    slack.client.api_call("users.info", params={"user": "U0ANNA"})
    slack.do("rate-limits", method="users.info")
    with pytest.raises(Exception, match="ratelimited"):
        slack.client.users_info(user="U0ANNA")

    page.get_by_text("2 calls, 1 refused").click()
    expect(page.get_by_role("listitem").filter(has_text="users.info ratelimited")).to_be_visible()


def test_an_event_that_the_app_does_not_take_is_shown_at_its_message(start_slack, receiving_app, open_page):
    receiving_app.answers.put(Response(status_code=503))
    slack = start_slack(events_url=receiving_app.url, retry_delays=(600.0,))
    page = open_page(slack)

    write(page, "hello")

    expect(messages(page)).to_contain_text("Slack is retrying: your bot answered 503 (attempt 1 of 2).")
    expect(page.get_by_role("navigation")).to_contain_text("The bot is not responding")


# --- Buttons, menus, commands, modals -------------------------------------------------------------------------


@pytest.fixture
def asked(connected_slack, receiving_app, open_page):
    """A page with the bot's question in #support; the app's earlier requests are discarded."""
    connected_slack.client.chat_postMessage(channel="C0SUPPORT", text="Billing", blocks=ANSWER)
    receiving_app.next()
    return open_page(connected_slack)


def test_a_button_tells_the_app_who_pressed_it(asked, receiving_app):
    asked.get_by_label("Write as").select_option("Anna Lindqvist")

    asked.get_by_role("button", name="Right").click()

    payload = receiving_app.next().payload()
    assert (payload["user"]["id"], payload["actions"][0]["value"]) == ("U0ANNA", "yes")


def test_a_menu_can_be_worked_from_the_keyboard(asked, receiving_app):
    asked.get_by_role("button", name="Move to").focus()

    for key in ("Enter", "ArrowDown", "Enter"):
        asked.keyboard.press(key)

    [action] = receiving_app.next().payload()["actions"]
    assert (action["type"], action["selected_option"]["value"]) == ("static_select", "general")
    expect(asked.get_by_role("button", name="Move to")).to_be_focused()


def test_escape_closes_a_menu_and_chooses_nothing(asked, connected_slack):
    asked.get_by_role("button", name="More options").click()

    asked.keyboard.press("Escape")

    expect(asked.get_by_role("menu")).to_have_count(0)
    expect(asked.get_by_role("button", name="More options")).to_be_focused()


def test_a_button_that_asks_first_acts_only_when_confirmed(asked, receiving_app):
    dialog = asked.get_by_role("dialog")

    asked.get_by_role("button", name="Not a request").click()
    dialog.get_by_role("button", name="No").click()
    asked.get_by_role("button", name="Right").click()
    first = receiving_app.next().payload()
    asked.get_by_role("button", name="Not a request").click()
    dialog.get_by_role("button", name="Yes").click()
    second = receiving_app.next().payload()

    assert [payload["actions"][0]["action_id"] for payload in (first, second)] == ["right", "none"]


def test_the_answer_to_a_command_is_seen_by_who_ran_it_alone(connected_slack, receiving_app, open_page):
    receiving_app.answers.put(JSONResponse({"text": "*Billing*, 97 %"}))
    page = open_page(connected_slack)

    write(page, "/classify Where is my refund?")

    expect(messages(page)).to_contain_text("Only visible to you")
    expect(messages(page)).to_contain_text("Billing, 97 %")
    page.get_by_label("Write as").select_option("Liam Becker")
    expect(messages(page)).to_have_count(0)


def test_typing_a_slash_shows_the_commands_there_are(slack, open_page):
    page = open_page(slack)

    page.get_by_role("textbox", name="Message #support").fill("/cl")

    expect(page.get_by_text("/classify [text]: Classify a message")).to_be_visible()


def test_a_modal_shows_the_apps_errors_and_closes_when_they_are_mended(asked, connected_slack, receiving_app):
    asked.get_by_role("button", name="Right").click()
    trigger_id = receiving_app.next().payload()["trigger_id"]
    element = {"type": "plain_text_input", "action_id": "text"}
    field = {"type": "input", "block_id": "why", "label": plain("Why?"), "element": element}
    view = {"type": "modal", "title": plain("Correct"), "submit": plain("Send"), "blocks": [field]}
    connected_slack.client.views_open(trigger_id=trigger_id, view=view)
    dialog = asked.get_by_role("dialog")
    receiving_app.answers.put(JSONResponse({"response_action": "errors", "errors": {"why": "Too short"}}))

    dialog.get_by_label("Why?").fill("x")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_role("alert")).to_have_text("Too short")
    dialog.get_by_role("button", name="Send").click()

    expect(dialog).to_have_count(0)
    values = receiving_app.next().payload()["view"]["state"]["values"]
    assert values == {"why": {"text": {"type": "plain_text_input", "value": "x"}}}


# --- Reading --------------------------------------------------------------------------------------------------

READ = """async (text) => {
    const { mrkdwn } = await import("/js/mrkdwn.js");
    const { Directory } = await import("/js/directory.js");
    const state = await (await fetch("/sandbox/state")).json();
    const emoji = await (await fetch("/emoji.json")).json();
    const box = document.createElement("div");
    box.append(...mrkdwn(text, new Directory(state, emoji)));
    return box.innerHTML.replaceAll(/ (class|role|aria-label|target|rel)="[^"]*"/g, "");
}"""


def test_mrkdwn_is_read_as_slack_reads_it(slack, open_page):
    page = open_page(slack)
    readings = {
        "*bold* _italic_ ~struck~": "<strong>bold</strong> <em>italic</em> <s>struck</s>",
        "*bold _and italic_*": "<strong>bold <em>and italic</em></strong>",
        "2*3*4 snake_case_name": "2*3*4 snake_case_name",
        "`a *b* &lt;c&gt;`": "<code>a *b* &lt;c&gt;</code>",
        "```\nx = *1*\n```": "<pre>x = *1*</pre>",
        "<@U0MAYA> <!here> <!subteam^S0ONCALL>": "<span>@Maya Okafor</span> <span>@here</span> <span>@on-call</span>",
        "<#C0BILLING|team-billing>": '<a href="#C0BILLING">#team-billing</a>',
        "<https://example.com/?a=1&amp;b=2|there>": '<a href="https://example.com/?a=1&amp;b=2">there</a>',
        "<javascript:alert(1)|there>": "there",
        "&gt; quoted\n&gt; twice\nnot": "<blockquote>quoted\ntwice</blockquote>not",
        "&lt;b&gt; &amp;amp;": "&lt;b&gt; &amp;amp;",
        ":tada: :no-such:": "<span>🎉</span> :no-such:",
    }

    assert {text: page.evaluate(READ, text) for text in readings} == readings


# --- On a phone -----------------------------------------------------------------------------------------------


def test_a_phone_shows_one_thing_at_a_time_and_nothing_is_wider_than_it(connected_slack, open_page):
    ts = connected_slack.write("word " * 30 + "x" * 200)
    connected_slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=ts, text="Billing", blocks=ANSWER)
    page = open_page(connected_slack, PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390

    page.get_by_role("button", name="1 reply").click()
    box = thread(page).bounding_box()
    page.get_by_role("button", name="Close thread").click()

    assert box == {"x": 0, "y": 0, "width": 390, "height": 844}
    expect(thread(page)).to_be_hidden()


def test_on_a_phone_the_channels_open_from_a_button(slack, open_page):
    page = open_page(slack, PHONE)
    expect(page.get_by_role("navigation")).to_be_hidden()

    page.get_by_role("button", name="Channels").click()
    page.get_by_role("link", name="team-billing").click()

    expect(page.get_by_role("heading", name="# team-billing")).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_hidden()
