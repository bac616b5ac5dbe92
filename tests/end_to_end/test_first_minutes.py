"""A team lead's first minutes with the bot, walked in the browser against the whole system.

With SCREENSHOTS=docs/images the pictures of docs/using-it.md are taken anew.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

ROOT = Path(__file__).parents[2]
PATIENCE_MS = 60_000

pytestmark = [pytest.mark.browser, pytest.mark.stack]


@pytest.fixture
def own_sandbox(start_sandbox) -> Iterator[str]:
    """A system of its own, because the walk changes what holds in the workspace; the address of its Slack."""
    with start_sandbox(ROOT / "build" / "models" / "starter") as sandbox:
        yield sandbox.slack


@pytest.fixture
def page(browser, own_sandbox) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 860}, locale="en-GB", timezone_id="Europe/Berlin")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{own_sandbox}/")
    yield page
    context.close()


def picture(page: Page, name: str) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def open_support(page: Page) -> None:
    page.locator("#sidebar a[href='#C0SUPPORT']").click()


def send(page: Page, text: str) -> None:
    box = page.locator("#composer").get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def write(page: Page, who: str, text: str):
    """Write in #support; give the message."""
    open_support(page)
    page.locator("#composer").get_by_label("Write as").select_option(label=who)
    send(page, text)
    message = page.locator("#timeline .message").filter(has_text=text)
    expect(message).to_be_visible()
    return message


def command(page: Page, text: str, answer: str) -> None:
    send(page, f"/classify {text}")
    expect(page.locator("#timeline")).to_contain_text(answer)


def home(page: Page):
    """Open the app's Home as it is now."""
    open_support(page)
    page.locator("#sidebar").get_by_role("link", name="triage").click()
    return page.locator("#home")


def choose_file(dialog, text: str) -> None:
    dialog.get_by_label("Policy (a YAML file)").set_input_files(
        {"name": "policy.yml", "mimeType": "text/yaml", "buffer": text.encode()}
    )
    dialog.get_by_role("button", name="Review").click()


def press(place, name: str, exact: bool = False) -> None:
    place.get_by_role("button", name=name, exact=exact).click()


def save(page: Page, version: int, shown: str) -> None:
    """Save what is in the open dialog: it becomes a version, and the Home tab shows it."""
    dialog = page.get_by_role("dialog")
    press(dialog, "Save")
    expect(dialog).to_contain_text(f"Saved as version {version}")
    press(dialog, "Close")
    expect(page.locator("#home")).to_contain_text(shown)


def set_mode(page: Page, mode: str) -> None:
    setting = home(page).locator(".block-section").filter(has=page.get_by_role("link", name="#support", exact=True))
    setting.last.get_by_role("button").click()
    page.get_by_role("menuitem", name=mode).click()
    expect(setting.last.get_by_role("button", name=mode)).to_be_visible()


def thread_of(page: Page):
    return page.locator("#thread")


def test_a_team_lead_watches_tries_corrects_and_lets_the_bot_work(page):
    # Watch: it reads, nobody in the channel sees anything, and a person can have their say in the Home tab.
    set_mode(page, "Watch only")
    watched = write(page, "Maya Okafor", "I was charged twice for my subscription, please refund one of them")
    shown = home(page)
    expect(shown).to_contain_text("charged twice for my subscription")
    picture(page, "home")
    press(shown, "Billing", exact=True)
    expect(shown).to_contain_text("Nothing to review")
    expect(shown).to_contain_text("1 of 1 confirmed")

    # Suggest, and correct it: the reply is edited in place, the message moved.
    set_mode(page, "Suggest")
    write(page, "Liam Becker", "The invoice shows the wrong address and I need a corrected receipt")
    reply = thread_of(page)
    expect(reply).to_contain_text("This looks like Billing. Shall I send it to #team-billing?")
    picture(page, "suggestion")
    reply.get_by_label("Write as").select_option(label="Anna Lindqvist")
    press(reply, "Technical instead")
    page.mouse.move(0, 0)
    expect(reply).to_contain_text("@Anna Lindqvist changed the category from Billing to Technical")
    expect(reply).to_contain_text("Technical, sent to #team-technical")
    picture(page, "correction")

    # Automatic.
    set_mode(page, "Automatic")
    write(page, "Priya Raman", "Please send me a refund, my last invoice was paid twice")
    expect(thread_of(page)).to_contain_text("Billing, sent to #team-billing")
    expect(watched).not_to_contain_text("reply")

    # Mute: from the channel itself, and back.
    command(page, "mute", "I am muted in #support now.")
    write(page, "Hana Sato", "The export to PDF crashes every time")
    expect(home(page)).to_contain_text("1 message was not a request.")
    expect(page.locator("#home")).to_contain_text("is muted")
    open_support(page)
    command(page, "unmute", "I read #support again.")

    # Stop: everything is a suggestion again, at once.
    press(home(page), "Stop: only suggest")
    press(page.get_by_role("dialog"), "Stop: only suggest")
    expect(page.locator("#home")).to_contain_text("Stopped. I only suggest")
    write(page, "Tomás Herrera", "I want my money back for the last invoice")
    expect(thread_of(page)).to_contain_text("Shall I send it to #team-billing?")
    press(home(page), "Start again")
    expect(page.locator("#home")).to_contain_text("Working.")

    # The review queue, cleared with one tap.
    waiting = page.locator("#home").get_by_role("button", name="Billing", exact=True)
    waiting.click()
    expect(page.locator("#home")).to_contain_text("Nothing to review")


def test_a_policy_is_edited_wrongly_then_rightly_and_a_message_asked_about(page):
    press(home(page), "Edit the policy as text")
    dialog = page.get_by_role("dialog")
    text = dialog.get_by_label("Policy (YAML)")
    right = text.input_value()

    text.fill(right.replace("billing: C0BILLING", "billing: the-money-channel"))
    press(dialog, "Save")
    expect(dialog).to_contain_text("`the-money-channel` is not the ID of a channel")
    picture(page, "policy-mistake")

    text.fill(right.replace("billing: C0BILLING", "billing: C0GENERAL"))
    dialog.get_by_label("A message to try it on").fill("I need a refund for my last invoice")
    press(dialog, "Try it without saving")
    expect(dialog).to_contain_text("I would send it to #team-general")
    picture(page, "policy-trial")
    save(page, 1, "Billing → #team-general")

    message = write(page, "Priya Raman", "Please refund my last invoice, it was paid twice")
    expect(thread_of(page)).to_contain_text("Billing, sent to #team-general")
    message.hover()
    press(message, "More")
    page.get_by_role("menuitem", name="Classify this message").click()
    expect(dialog).to_contain_text("Words that point to Billing")
    picture(page, "shortcut")
    press(dialog, "High", exact=True)
    expect(dialog).to_contain_text("Thank you, that is saved.")
    press(dialog, "Close")
    expect(thread_of(page)).to_contain_text("Urgency High (set by a person)")

    # The policy as a file: out of the dialog, changed, in again.
    press(home(page), "Policy as a file")
    expect(dialog).to_contain_text("In force now: version 1.")
    kept = "\n".join(dialog.locator("pre").all_inner_texts())
    assert "billing: C0GENERAL" in kept
    choose_file(dialog, kept.replace("billing: C0GENERAL", "billing: here and there"))
    expect(dialog).to_contain_text("`here and there` is not the ID of a channel")
    choose_file(dialog, kept.replace("billing: C0GENERAL", "billing: C0BILLING"))
    expect(dialog).to_contain_text("policy.yml has no mistakes.")
    expect(dialog).not_to_contain_text("I am comparing it")
    picture(page, "policy-file")
    save(page, 2, "Billing → #team-billing")

    # Rules by menus: one is added, looked at in the list, and taken away again.
    press(home(page), "Change the rules")
    expect(dialog).to_contain_text("There are no rules yet.")
    press(dialog, "Add a rule")
    expect(dialog).to_contain_text("A new rule")
    dialog.get_by_label("Name").fill("Angry and urgent")
    dialog.get_by_label("Urgency").select_option(label="High")
    dialog.get_by_label("Tone").select_option(label="Negative")
    dialog.get_by_label("Send it to").select_option(label="#support-leads")
    dialog.get_by_label("Mention people").select_option(label="Anna Lindqvist")
    picture(page, "rule-form")
    save(page, 3, "Angry and urgent")
    press(home(page), "Change the rules")
    expect(dialog).to_contain_text("urgency high; tone negative → post #support-leads; mention @Anna Lindqvist")
    press(dialog, "Change", exact=True)
    press(dialog, "Remove this rule")
    press(page.get_by_role("dialog").last, "Remove this rule")
    expect(dialog.first).to_contain_text("Removed; the policy is now at version 4.")
    press(dialog, "Close")
    open_support(page)

    command(page, "my card was declined and now I am locked out", "Words that point to")
    picture(page, "command")
