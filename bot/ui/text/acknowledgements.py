"""What the front says at once to whoever typed `/classify`; the answer itself comes later."""

TAKEN = "Reading it…"
ASKED = "One moment…"
NOT_TAKEN = "I could not take that just now. Please try again in a minute."
UNKNOWN = "I do not know that command. Try `/classify help`."
HELP = (
    "*/classify* tells you what I make of a text. Only you see my answers here.\n"
    "• `/classify The export has been stuck at 99% since this morning` reads that sentence\n"
    "• `/classify stats` shows this week in figures\n"
    "• `/classify policy` shows what I do with which message\n"
    "• `/classify mute` and `/classify unmute` keep me out of this channel and let me in again; "
    "name a `#channel` or a `@person` to mean another\n"
    "• `/classify stop` makes me only suggest, everywhere and at once; `/classify start` takes that back\n"
    "• `/classify version` shows which model and which policy are in use\n"
    "• `/classify help` shows this\n"
    "Everything can be set in my *Home* tab, too."
)
