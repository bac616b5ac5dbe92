"""The post in the team's channel, and what is left of it when the message was moved on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bot.slack.blocks import View, build_view, context, literal, section, shorten
from bot.slack.mrkdwn import escape
from bot.store.digests import Entry
from bot.triage.display import LabelView
from bot.triage.ownership import Owner
from bot.ui.text import thread as thread_text

# A long message fills no channel: the beginning is enough to pick it up, the rest is a click away.
_MOST_QUOTED = 1_500
_MOST_NOTIFIED = 150


@dataclass(frozen=True, slots=True)
class Routed:
    """A message sent on. `permalink` leads back to it; `mentioned` is who must know, `urgent` that it is at once,
    `owner` whose it is.

    Author and text are None and "" where the message has been deleted.
    """

    label_views: tuple[LabelView, ...]
    author: str | None
    origin: str
    text: str = field(repr=False)
    permalink: str
    mentioned: tuple[str, ...] = ()
    owner: Owner | None = None
    urgent: bool = False


def build_route(routed: Routed) -> View:
    """Build the post; see Routed."""
    called = thread_text.called(routed.mentioned, routed.urgent)
    headline = called + thread_text.routed(routed.label_views[0], routed.author, routed.origin, routed.owner)
    quoted = routed.text or thread_text.MESSAGE_GONE
    notes = f"{thread_text.summary(routed.label_views)} · {thread_text.thread_link(routed.permalink)}"
    blocks = [section(headline), literal(shorten(quoted, _MOST_QUOTED, thread_text.REST_IN_THREAD)), context(notes)]
    return build_view(f"{headline}: {escape(shorten(quoted, _MOST_NOTIFIED))}", blocks)


def build_moved(user: str | None, label_view: LabelView, destination: str | None, permalink: str) -> View:
    """Build what takes the place of a post whose message belongs elsewhere; `reading` is the main facet's."""
    sentence = thread_text.moved(user, label_view.display, destination)
    return build_view(sentence, [context(f"{sentence} {thread_text.thread_link(permalink)}")])


def build_deleted(origin: str) -> View:
    """Build what takes the place of a post whose message was deleted in the channel `origin`."""
    sentence = thread_text.deleted(origin)
    return build_view(sentence, [context(sentence)])


def build_escalation(minutes: int, mentioned: Sequence[str], permalink: str) -> View:
    """Build the post; `mentioned` is who must know."""
    sentence = f"{thread_text.unanswered(minutes, mentioned)} {thread_text.thread_link(permalink)}"
    return build_view(sentence, [section(sentence)])


def build_given_out(person: str, permalink: str) -> View:
    """Build the post that tells whoever gets the message when somebody is there again."""
    sentence = f"{thread_text.given_out(person)} {thread_text.thread_link(permalink)}"
    return build_view(sentence, [section(sentence)])


_MOST_LINKS = 20  # in one block


def build_summary(entries: Sequence[Entry]) -> View:
    """List links to all entries, by what they are about and where they were written."""
    headline = thread_text.summarised(len(entries))
    ordered = sorted(entries, key=lambda entry: (entry.display, entry.channel, entry.permalink))
    blocks = [section(headline)]
    for (display, channel), group in groupby(ordered, key=lambda entry: (entry.display, entry.channel)):
        links = [entry.permalink for entry in group]
        for first in range(0, len(links), _MOST_LINKS):
            part = links[first : first + _MOST_LINKS]
            blocks.append(section(thread_text.summarised_part(display, channel, first + 1, part)))
    return build_view(headline, blocks[:_MOST_BLOCKS])


_MOST_BLOCKS = 50
