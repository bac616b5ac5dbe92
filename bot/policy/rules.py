"""Rules of a policy: which messages one is for, and what it wants done with them. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from bot.policy.keywords import Keywords
from bot.policy.schedule import OpeningHours

Match: TypeAlias = Literal["first", "all"]

# In a condition: the facet that routes go by, whatever the classifier calls it.
MAIN = ""

OURS, OTHERS = "ours", "others"


@dataclass(frozen=True, slots=True)
class MessageContext:
    """What is known of a message beside what it is about: where and when (with a time zone) it was written, the text,
    and the author's team, None where that is ours.
    """

    channel: str
    at: datetime
    team: str | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Situation:
    """All that rules go by. `labels` (facet → label) are those that are sure enough, `main` is the facet of routes."""

    labels: Mapping[str, str]
    main: str
    message_context: MessageContext


@dataclass(frozen=True, slots=True)
class Condition:
    """Everything that is given must hold, and of several labels, channels, teams or key words one must.

    `keywords` are as `read_words` gives them: what is looked for are whole words, in any case.
    """

    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    channels: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    during: OpeningHours | None = None
    outside: OpeningHours | None = None
    keywords: tuple[str, ...] = ()

    def holds(self, look: "RuleContext") -> bool:
        """Tell whether the rule is for this message."""
        if self.labels and not look.reads_as(self.labels):
            return False
        if self.channels and look.channel not in self.channels:
            return False
        if self.teams and self.teams.isdisjoint(look.teams):
            return False
        if self.keywords and not look.has_any(self.keywords):
            return False
        if self.during and not look.is_open(self.during):
            return False
        return not (self.outside and look.is_open(self.outside))


class RuleContext:
    """A look at one message by many rules: what more than one of them may ask is worked out once.

    `key_words` are those that any of the rules asks for.
    """

    __slots__ = ("_at", "_found", "_hours", "_key_words", "_labels", "_text", "channel", "teams")

    def __init__(self, situation: Situation, keywords: Keywords) -> None:
        message_context, main = situation.message_context, situation.labels.get(situation.main)
        self.channel = message_context.channel
        self.teams = (OURS,) if message_context.team is None else (OTHERS, message_context.team)
        self._labels = situation.labels if main is None else {**situation.labels, MAIN: main}
        self._text = message_context.text
        self._key_words = keywords
        self._found: frozenset[str] | None = None
        self._at = message_context.at
        self._hours: dict[int, bool] = {}

    def reads_as(self, wanted: Mapping[str, frozenset[str]]) -> bool:
        labels = self._labels
        for facet, choices in wanted.items():  # noqa: SIM110, all() costs more than most of what it would look at
            if labels.get(facet) not in choices:
                return False
        return True

    def has_any(self, keywords: tuple[str, ...]) -> bool:
        if self._found is None:
            self._found = self._key_words.find(self._text)
        return bool(self._found) and not self._found.isdisjoint(keywords)

    def is_open(self, hours: OpeningHours) -> bool:
        known = self._hours.get(id(hours))
        if known is None:
            known = self._hours[id(hours)] = hours.is_open(self._at)
        return known


@dataclass(frozen=True, slots=True)
class Escalation:
    """When nobody has answered after `minutes`, say so in `channel` (where the message was sent, if None) and mention
    whom `mentions` names: see Action.
    """

    minutes: int
    mentions: tuple[str, ...]
    channel: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """What a rule wants done. `mentions` are `here`, ids of people and user groups, and names of rotas; `reply` is a
    template, `assign` a rota. `urgent`: whoever is mentioned is told that it is. `silent`: nothing is shown in Slack.
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
    """`line` is where it stands in the policy's text, 0 where it stands in none.

    A `standing` rule holds beside the first one that matches.
    """

    name: str
    when: Condition
    then: Action
    standing: bool = False
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Directions:
    """What a policy wants done with a message, of all rules that are for it. `replies` are templates, in their order;
    `rules` says which rules these are.
    """

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
    """Put together what rules want: of what there can be only one, the first has it; the rest adds up. One that is
    silent silences the others.
    """
    matched = tuple(rules)
    actions = [rule.then for rule in matched]
    webhooks = _all(name for each in actions for name in each.webhooks)
    if any(each.silent for each in actions):
        return Directions(webhooks=webhooks, silent=True, rules=matched)
    return Directions(
        route=next((each.post for each in actions if each.post), None),
        mentions=_all(name for each in actions for name in each.mentions),
        reactions=_all(tag for each in actions for tag in each.tags),
        replies=_all(each.reply for each in actions if each.reply),
        assign=next((each.assign for each in actions if each.assign), None),
        escalate=next((each.escalate for each in actions if each.escalate), None),
        webhooks=webhooks,
        urgent=any(each.urgent for each in actions),
        rules=matched,
    )


def _all(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def find_matching(rules: Iterable[Rule], match: Match, look: RuleContext) -> Iterator[Rule]:
    """Yield the rules that hold, in order. With "first", only the first written one; standing rules always apply."""
    decided = False
    for rule in rules:
        if (decided and not rule.standing) or not rule.when.holds(look):
            continue
        decided = decided or (match == "first" and not rule.standing)
        yield rule
