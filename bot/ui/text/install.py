"""What the pages of an installation say: to whoever adds the bot to a workspace, in a browser."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageText:
    """A page: its title, what it says, and the words of its one link, if it has one."""

    title: str
    paragraphs: tuple[str, ...]
    link: str | None = None


_AGAIN = "Start again"

OFFER = PageText(
    "Add Blazing Triage to Slack",
    (
        "It reads the messages of channels that it is invited into, says what each is about, how urgent it is and in "
        "what tone, and sends it to the right team. To begin with it only suggests.",
        "Slack asks next which workspace it is for, and shows what it may do there. You have ten minutes, and need "
        "the right to add apps.",
    ),
    "Add to Slack",
)

CLOSED = PageText(
    "Nothing can be installed here",
    (
        "This bot serves the one workspace that it was set up for.",
        "Whoever runs it can open it to more workspaces of the same organisation: docs/deploy.md, section “More than "
        "one workspace”, says how.",
    ),
)

NOT_HERE = PageText("There is nothing here", ("To add the bot to a workspace, begin at /slack/install.",))

CANCELLED = PageText(
    "Nothing was installed",
    ("You pressed Cancel in Slack, so nothing has changed there.",),
    _AGAIN,
)

NOT_FROM_HERE = PageText(
    "This did not begin in your browser",
    (
        "An installation has to be finished in the browser in which it was begun, with cookies allowed. Nothing was "
        "installed just now.",
        "If you have just reloaded the page that said it was done, it still is.",
    ),
    _AGAIN,
)

EXPIRED = PageText("This took too long", ("Ten minutes were over, so nothing was installed.",), _AGAIN)

USED = PageText(
    "This was answered already",
    (
        "Each installation is finished once, and this one was. If the page said then that the bot was installed, there "
        "is nothing left to do.",
    ),
    _AGAIN,
)

NO_CODE = PageText("Slack's answer is incomplete", ("Its code is missing, so nothing was installed.",), _AGAIN)

CODE_REFUSED = PageText(
    "Slack did not accept its code",
    ("Such a code is good once and for ten minutes. Nothing was installed.",),
    _AGAIN,
)

SLACK_AWAY = PageText(
    "Slack did not answer",
    ("So nothing was installed yet. Please try again in a minute.",),
    _AGAIN,
)

NOT_KEPT = PageText(
    "The installation could not be kept",
    ("The bot's own memory did not answer. Please try again in a minute; doing it twice does no harm.",),
    _AGAIN,
)

ORGANISATION_WIDE = PageText(
    "One workspace at a time, please",
    (
        "You chose the whole organisation. This bot is installed in each workspace for itself, so nothing was kept.",
        "An admin can take it out of the organisation under Manage apps. Then start again, and choose a workspace.",
    ),
    _AGAIN,
)


def error_of_slack(code: str) -> PageText:
    """`code` is Slack's own word for what is wrong."""
    return PageText(
        "Slack refused the installation",
        (f"Its reason is: {code}. Nothing was installed.", "Please show this page to whoever runs the bot."),
        _AGAIN,
    )


def not_allowed(name: str, team: str) -> PageText:
    return PageText(
        "This workspace is not one of those that the bot serves",
        (
            f"{name} ({team}) is not on the list, so the bot does nothing there, and its token was not kept.",
            "If it should be, whoever runs the bot puts that id on the list; then start again. If not, an admin can "
            "take the app out again under Manage apps.",
        ),
        _AGAIN,
    )


def installed(name: str) -> PageText:
    return PageText(
        f"Blazing Triage is in {name}",
        (
            "In Slack, invite it into a channel where customers write: /invite @triage. It answers in the thread of "
            "each message.",
            "What it does with which message is set in its Home tab.",
        ),
        "Open Slack",
    )
