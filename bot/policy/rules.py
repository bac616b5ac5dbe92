"""Data classes of a policy's rules, and how they are matched and combined for a message. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from bot.policy.keywords import Keywords
from bot.policy.schedule import OpeningHours

Match: TypeAlias = Literal["first", "all"]

# Stands in a condition for the classifier's main facet, which routes go by, whatever its name is.
MAIN = ""

OURS, OTHERS = "ours", "others"


@dataclass(frozen=True, slots=True)
class MessageContext:
    """All that rules test besides labels. `at` has a time zone; `team` is the author's, None if the workspace's own."""

    channel: str
    at: datetime
    team: str | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything that rules test. `labels` (facet → label) are only the sure ones; `main` is the facet of routes."""

    labels: Mapping[str, str]
    main: str
    message_context: MessageContext


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule's conditions: every given field must hold, for one of its labels, channels, teams or keywords.

    `keywords` are as returned by `read_words`: they match whole words, in any case.
    """

    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    channels: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    during: OpeningHours | None = None
    outside: OpeningHours | None = None
    keywords: tuple[str, ...] = ()

    def holds(self, context: "RuleContext") -> bool:
        """Report whether the condition holds for a message."""
        if self.labels and not context.has_labels(self.labels):
            return False
        if self.channels and context.channel not in self.channels:
            return False
        if self.teams and self.teams.isdisjoint(context.teams):
            return False
        if self.keywords and not context.has_keyword(self.keywords):
            return False
        if self.during and not context.is_open(self.during):
            return False
        return not (self.outside and context.is_open(self.outside))


class RuleContext:
    """A message as rules see it; what several rules may test is computed once.

    `keywords` are those of all the rules.
    """

    __slots__ = ("_at", "_found", "_hours", "_keywords", "_labels", "_text", "channel", "teams")

    def __init__(self, situation: Situation, keywords: Keywords) -> None:
        message_context, main = situation.message_context, situation.labels.get(situation.main)
        self.channel = message_context.channel
        self.teams = (OURS,) if message_context.team is None else (OTHERS, message_context.team)
        self._labels = situation.labels if main is None else {**situation.labels, MAIN: main}
        self._text = message_context.text
        self._keywords = keywords
        self._found: frozenset[str] | None = None
        self._at = message_context.at
        self._hours: dict[int, bool] = {}

    def has_labels(self, wanted: Mapping[str, frozenset[str]]) -> bool:
        labels = self._labels
        for facet, choices in wanted.items():  # noqa: SIM110, all() would cost more than most of the tests
            if labels.get(facet) not in choices:
                return False
        return True

    def has_keyword(self, keywords: tuple[str, ...]) -> bool:
        if self._found is None:
            self._found = self._keywords.find(self._text)
        return bool(self._found) and not self._found.isdisjoint(keywords)

    def is_open(self, hours: OpeningHours) -> bool:
        known = self._hours.get(id(hours))
        if known is None:
            known = self._hours[id(hours)] = hours.is_open(self._at)
        return known


@dataclass(frozen=True, slots=True)
class Escalation:
    """If there is no answer after `minutes`, post a reminder to `channel` (None: where the message was sent).

    It mentions `mentions`: see Action.
    """

    minutes: int
    mentions: tuple[str, ...]
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """The actions of a rule. `mentions` are `here`, IDs of people and user groups, and names of rotas.

    `reply` is a template, `assign` a rota. `urgent` says in the mention that the message is urgent. `silent` shows
    nothing in Slack.
    """

    tags: tuple[str, ...] = ()
    post: str | None = None
    mentions: tuple[str, ...] = ()
    reply: str | None = None
    assign: str | None = None
    escalate: Escalation | None = None
    webhooks: tuple[str, ...] = ()
    urgent: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `line` is its line in the policy's text, 0 if it is not written there.

    A `standing` rule applies beside the first one that matches.
    """

    name: str
    when: Condition
    then: Action
    standing: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Directions:
    """A policy's directions for a message: the combined actions of the `rules` that apply. `replies` are templates."""

    route: str | None = None
    mentions: tuple[str, ...] = ()
    reactions: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    assign: str | None = None
    escalate: Escalation | None = None
    webhooks: tuple[str, ...] = ()
    urgent: bool = False
    silent: bool = False
    rules: tuple[Rule, ...] = ()


def combine(rules: Iterable[Rule]) -> Directions:
    """Combine the actions of rules: single values come from the first rule that has one, lists add up.

    A silent rule leaves nothing but webhooks.
    """
    matched = tuple(rules)
    actions = [rule.then for rule in matched]
    webhooks = _deduplicate(name for each in actions for name in each.webhooks)
    if any(each.silent for each in actions):
        return Directions(webhooks=webhooks, silent=True, rules=matched)
    return Directions(
        route=next((each.post for each in actions if each.post), None),
        mentions=_deduplicate(name for each in actions for name in each.mentions),
        reactions=_deduplicate(tag for each in actions for tag in each.tags),
        replies=_deduplicate(each.reply for each in actions if each.reply),
        assign=next((each.assign for each in actions if each.assign), None),
        escalate=next((each.escalate for each in actions if each.escalate), None),
        webhooks=webhooks,
        urgent=any(each.urgent for each in actions),
        rules=matched,
    )


def _deduplicate(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def find_matching(rules: Iterable[Rule], match: Match, context: RuleContext) -> Iterator[Rule]:
    """Yield the rules whose conditions hold: with "first" one written rule, and always every standing rule."""
    decided = False
    for rule in rules:
        if (decided and not rule.standing) or not rule.when.holds(context):
            continue
        decided = decided or (match == "first" and not rule.standing)
        yield rule
