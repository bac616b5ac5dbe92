"""Posts in a team's channel: a message sent on, what replaces it once it is moved or deleted, and follow-ups."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from bot.slack.blocks import MOST_BLOCKS, View, build_view, context, literal, section, shorten
from bot.slack.mrkdwn import escape
from bot.store.digests import Entry
from bot.triage.display import LabelView
from bot.triage.ownership import Owner
from bot.ui.text import thread as thread_text

# A long message does not fill the channel: its beginning is enough to pick it up, the rest is a click away.
_MOST_QUOTED = 1_500
_MOST_NOTIFIED = 150
_MOST_LINKS = 20  # in one block


# --- A message sent on --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Routed:
    """A message sent on from the channel `origin`: whom to mention, whether to say that it is urgent, its owner.

    `author` is None and `text` is "" if the message has been deleted.
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
    called = thread_text.called(routed.mentioned, routed.urgent)
    headline = called + thread_text.routed(routed.label_views[0], routed.author, routed.origin, routed.owner)
    quoted = routed.text or thread_text.MESSAGE_GONE
    notes = f"{thread_text.summary(routed.label_views)} · {thread_text.thread_link(routed.permalink)}"
    blocks = [section(headline), literal(shorten(quoted, _MOST_QUOTED, thread_text.REST_IN_THREAD)), context(notes)]
    return build_view(f"{headline}: {escape(shorten(quoted, _MOST_NOTIFIED))}", blocks)


def build_moved(user: str | None, label_view: LabelView, destination: str | None, permalink: str) -> View:
    """Build the replacement of a post whose message now belongs elsewhere; `label_view` is the main facet's."""
    sentence = thread_text.moved(user, label_view.display, destination)
    return build_view(sentence, [context(f"{sentence} {thread_text.thread_link(permalink)}")])


def build_deleted(origin: str) -> View:
    """Build the replacement of a post whose message was deleted in the channel `origin`."""
    sentence = thread_text.deleted(origin)
    return build_view(sentence, [context(sentence)])


# --- Follow-ups ---------------------------------------------------------------------------------------------


def build_escalation(minutes: int, mentioned: Sequence[str], permalink: str) -> View:
    """Build the post about a message that has had no answer for `minutes` minutes."""
    return _link_thread(thread_text.unanswered(minutes, mentioned), permalink)


def build_given_out(person: str, permalink: str) -> View:
    """Build the post that assigns a message which came in while everyone was away."""
    return _link_thread(thread_text.given_out(person), permalink)


def _link_thread(sentence: str, permalink: str) -> View:
    linked = f"{sentence} {thread_text.thread_link(permalink)}"
    return build_view(linked, [section(linked)])


# --- Many messages at once ----------------------------------------------------------------------------------


def build_summary(entries: Sequence[Entry]) -> View:
    """Build one post that links to all entries, grouped by label and by the channel where they were written."""
    headline = thread_text.summarised(len(entries))
    ordered = sorted(entries, key=lambda entry: (entry.display, entry.channel, entry.permalink))
    blocks = [section(headline)]
    for (display, channel), group in groupby(ordered, key=lambda entry: (entry.display, entry.channel)):
        links = [entry.permalink for entry in group]
        for first in range(0, len(links), _MOST_LINKS):
            part = links[first : first + _MOST_LINKS]
            blocks.append(section(thread_text.summarised_part(display, channel, first + 1, part)))
    return build_view(headline, blocks[:MOST_BLOCKS])
