"""Sentences of the web pages that install the bot in a workspace."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageText:
    """A page's title, paragraphs and, if it has a link, the text of that link."""

    title: str
    paragraphs: tuple[str, ...]
    link: str | None = None


def _ended(title: str, *paragraphs: str) -> PageText:
    """Build a page that ends an installation and offers to start again."""
    return PageText(title, paragraphs, "Start again")


OFFER = PageText(
    "Add Blazing Triage to Slack",
    (
        "It reads the messages of channels that it is invited to, says what each is about, how urgent it is and in "
        "what tone, and sends it to the right team. At first it only suggests.",
        "Slack then asks for the workspace and shows what the bot may do there. You have ten minutes, and need "
        "permission to add apps.",
    ),
    "Add to Slack",
)

CLOSED = PageText(
    "Nothing can be installed here",
    (
        "This bot serves the one workspace that it was set up for.",
        "Its operator can open it to more workspaces of the same organisation: see docs/deploy.md, section “More than "
        "one workspace”.",
    ),
)

NOT_HERE = PageText("There is nothing here", ("To add the bot to a workspace, start at /slack/install.",))

CANCELLED = _ended("Nothing was installed", "You pressed Cancel in Slack, so nothing has changed there.")

NOT_FROM_HERE = _ended(
    "This was not started in your browser",
    "An installation has to be finished in the browser in which it was started, with cookies allowed. Nothing "
    "was installed just now.",
    "If you have just reloaded the page that said it was done, it still is.",
)

EXPIRED = _ended("This took too long", "The ten minutes are over, so nothing was installed.")

USED = _ended(
    "This installation is already finished",
    "Each installation can be finished only once. If the page said then that the bot was installed, there is "
    "nothing left to do.",
)

NO_CODE = _ended("Slack's answer is incomplete", "It has no code, so nothing was installed.")

CODE_REFUSED = _ended("Slack did not accept its code", "A code is valid once, for ten minutes. Nothing was installed.")

SLACK_AWAY = _ended("Slack did not answer", "Nothing has been installed yet. Please try again in a minute.")

NOT_KEPT = _ended(
    "The installation could not be saved",
    "The bot's database did not answer. Please try again in a minute; doing it twice does no harm.",
)

ORGANISATION_WIDE = _ended(
    "One workspace at a time, please",
    "You chose the whole organisation. This bot is installed workspace by workspace, so nothing was saved.",
    "An admin can remove it from the organisation under Manage apps. Then start again, and choose a workspace.",
)


def error_of_slack(code: str) -> PageText:
    """Build the page for an error code of Slack's."""
    return _ended(
        "Slack refused the installation",
        f"Its reason is: {code}. Nothing was installed.",
        "Please show this page to the bot's operator.",
    )


def not_allowed(name: str, team: str) -> PageText:
    return _ended(
        "The bot does not serve this workspace",
        f"{name} ({team}) is not on its list, so the bot does nothing there, and the token was not saved.",
        "If it should be, the bot's operator adds that ID to the list; then start again. If not, an admin can "
        "remove the app under Manage apps.",
    )


def installed(name: str) -> PageText:
    return PageText(
        f"Blazing Triage is in {name}",
        (
            "In Slack, invite it to a channel where customers write: /invite @triage. It answers in the thread of "
            "each message.",
            "Its Home tab has all settings.",
        ),
        "Open Slack",
    )
