"""Build the workspaces that the sandbox starts with. Their ids are fixed, so that policies and tests can name them."""

import time
from collections.abc import Callable

from bot.sandbox.slack.workspace import SLACKBOT, BotUser, Channel, Team, User, UserGroup, Workspace

BOT = BotUser(user_id="U0BOT", bot_id="B0TRIAGE", app_id="A0TRIAGE", name="triage")

CUSTOMERS = (
    User("U0MAYA", "maya", "Maya Okafor", "Customer, Fernhill Bakery"),
    User("U0LIAM", "liam", "Liam Becker", "Customer, Becker Cycles"),
    User("U0PRIYA", "priya", "Priya Raman", "Customer, Lumen Clinic"),
    User("U0TOMAS", "tomas", "Tomás Herrera", "Customer, Herrera Studio"),
    User("U0HANA", "hana", "Hana Sato", "Customer, Sato Travel"),
)

AGENTS = (
    User("U0ANNA", "anna", "Anna Lindqvist", "Billing lead"),
    User("U0JONAS", "jonas", "Jonas Weber", "Technical lead"),
    User("U0SOFIA", "sofia", "Sofia Rossi", "Head of support"),
)

BOTS = (
    User(BOT.user_id, BOT.name, "Triage", "App", is_bot=True),
    User(SLACKBOT, "slackbot", "Slackbot", "Slack", is_bot=True),
)

EXAMPLES = (
    "I was charged twice for my subscription this month, can you refund one of them?",
    "Our whole team is locked out since 9am and we have a launch today!! Nobody can log in",
    "hi, do you have an opening on Saturday? just asking",
    "The app crashes every time I export a report to PDF",
    "Third time I'm writing about the same invoice. This is getting ridiculous.",
    "thanks so much, the new dashboard is lovely",
    "Where can I download the receipt for March?",
)


def build_workspace(clock: Callable[[], float] = time.time) -> Workspace:
    """Build the main workspace: customers write in #support; the bot has not joined #random and #board."""
    users = {user.id: user for user in (*CUSTOMERS, *AGENTS, *BOTS)}
    channels = {channel.id: channel for channel in _channels()}
    group = UserGroup("S0ONCALL", "on-call", "On call", ("U0JONAS", "U0SOFIA"))
    return Workspace(Team("T0SANDBOX", "Sandbox", "sandbox"), BOT, users, channels, {group.id: group}, clock)


FIELD_BOT = BotUser(user_id="U1BOT", bot_id="B1TRIAGE", app_id=BOT.app_id, name=BOT.name)


def build_field_workspace(clock: Callable[[], float] = time.time) -> Workspace:
    """Build a second, smaller workspace of the same organisation, in which the app is not installed."""
    people = (
        User("U1NORA", "nora", "Nora Haddad", "Customer, Haddad Optics"),
        User("U1EMIL", "emil", "Emil Novak", "Field support"),
        User(FIELD_BOT.user_id, FIELD_BOT.name, "Triage", "App", is_bot=True),
        User(SLACKBOT, "slackbot", "Slackbot", "Slack", is_bot=True),
    )
    channel = Channel("C1SUPPORT", "field-support", "Customers write here", {"U1NORA", "U1EMIL", FIELD_BOT.user_id})
    users = {user.id: user for user in people}
    return Workspace(Team("T1FIELD", "Field office", "field"), FIELD_BOT, users, {channel.id: channel}, {}, clock)


def _channels() -> list[Channel]:
    agents = {agent.id for agent in AGENTS}
    customers = {customer.id for customer in CUSTOMERS}
    team = agents | {BOT.user_id}
    return [
        Channel("C0SUPPORT", "support", "Customers write here", customers | team),
        Channel("C0BILLING", "team-billing", "Invoices, refunds, plans", set(team)),
        Channel("C0TECH", "team-technical", "Bugs, outages, access", set(team)),
        Channel("C0GENERAL", "team-general", "Everything else", set(team)),
        Channel("C0LEADS", "support-leads", "What the bot is not sure of", set(team)),
        Channel("C0RANDOM", "random", "The bot has not joined this one", set(agents)),
        Channel("C0BOARD", "board", "Private, and the bot is not in it", {"U0SOFIA"}, is_private=True),
        Channel("C0OLD", "support-archive", "Archived", set(team), is_archived=True),
    ]
