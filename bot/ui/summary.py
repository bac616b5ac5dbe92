"""One post for many messages that were sent to a channel faster than it can be posted to."""

from collections.abc import Sequence
from itertools import groupby

from bot.slack.blocks import View, build_view, section
from bot.store.digests import Entry
from bot.ui.text import thread as words

_MOST_LINKS = 20  # in one block


def build_summary(entries: Sequence[Entry]) -> View:
    """List links to all entries, by what they are about and where they were written."""
    headline = words.summarised(len(entries))
    ordered = sorted(entries, key=lambda entry: (entry.display, entry.channel, entry.permalink))
    blocks = [section(headline)]
    for (display, channel), group in groupby(ordered, key=lambda entry: (entry.display, entry.channel)):
        links = [entry.permalink for entry in group]
        for first in range(0, len(links), _MOST_LINKS):
            part = links[first : first + _MOST_LINKS]
            blocks.append(section(words.summarised_part(display, channel, first + 1, part)))
    return build_view(headline, blocks[:_MOST_BLOCKS])


_MOST_BLOCKS = 50
