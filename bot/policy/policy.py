"""The policy: what a team wants done with which message. Pure.

It names labels of the team's own classifier, so it is written for one taxonomy and this module for none;
`find_mismatches` compares the two.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from bot.policy.keywords import Keywords
from bot.policy.rules import (
    MAIN,
    Action,
    Condition,
    Directions,
    Match,
    Rule,
    RuleContext,
    Situation,
    combine,
    find_matching,
)
from bot.policy.schedule import OpeningHours, Rota
from bot.policy.small_talk import PHRASES
from bot.policy.templates import facets_of
from classifier_infra.model.manifest import Manifest

Mode: TypeAlias = Literal["automatic", "suggest", "watch-only", "off"]
WhenUnsure: TypeAlias = Literal["ask", "silent"]
OtherOrganisations: TypeAlias = Literal["read", "ignore"]


_DIRECT = "D"  # how the ids of direct conversations begin


@dataclass(frozen=True, slots=True)
class Urgent:
    """A message is urgent when one of its facets has one of the labels; then `mention` is told."""

    when: Mapping[str, frozenset[str]]
    mention: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How many messages are read: in a minute, of one channel and of the whole workspace; in a day, by the endpoint."""

    channel_minute: int = 120
    workspace_minute: int = 600
    endpoint_day: int = 50_000


@dataclass(frozen=True, slots=True)
class Intake:
    """Which messages open a request: not small talk, and of other bots (by their ids) only those that are named.

    What one author writes within `merge_seconds` is one request; 0 keeps all messages apart.
    """

    small_talk: tuple[str, ...] = PHRASES
    other_bots: frozenset[str] = frozenset()
    other_organisations: OtherOrganisations = "read"
    merge_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address of a team's own that is told of messages; with their text only where `text` says so."""

    url: str = field(repr=False)  # whoever knows it may well be able to write there
    text: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """See policy.yml, which explains every part to the person who writes it. `correctors` is None for everybody.

    `routes`, `urgent` and `reactions` are the short form of standing rules; `in_force` are all rules, the written ones
    first.
    """

    default_mode: Mode = "suggest"
    modes: Mapping[str, Mode] = field(default_factory=dict)
    routes: Mapping[str, str] = field(default_factory=dict)
    urgent: Urgent | None = None
    unsure: WhenUnsure = "ask"
    reactions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    reaction_corrections: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    correctors: frozenset[str] | None = None
    admin: str | None = None
    limits: Limits = field(default_factory=Limits)
    intake: Intake = field(default_factory=Intake)
    match: Match = "first"
    rules: tuple[Rule, ...] = ()
    hours: Mapping[str, OpeningHours] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    in_force: tuple[Rule, ...] = field(init=False, repr=False, compare=False)
    destinations: frozenset[str] = field(init=False, repr=False, compare=False)
    keywords: Keywords = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        in_force = (*self.rules, *_standing_rules(self))
        # What every message would otherwise work out again.
        object.__setattr__(self, "in_force", in_force)
        object.__setattr__(self, "destinations", frozenset(_find_destinations(in_force)))
        object.__setattr__(self, "keywords", Keywords(word for rule in in_force for word in rule.when.keywords))

    def evaluate(self, situation: Situation) -> Directions:
        """Return what the rules that hold for a message want done with it."""
        return combine(find_matching(self.in_force, self.match, RuleContext(situation, self.keywords)))

    def mode(self, channel: str) -> Mode:
        """Give what to do in a channel; nothing in those that messages are sent to, whatever else is said of them."""
        if self.is_destination(channel):
            return "off"
        mode = self.modes.get(channel, self.default_mode)
        # What somebody tells the bot alone is passed on when that person says so.
        return "suggest" if mode == "automatic" and channel.startswith(_DIRECT) else mode

    def may_change(self, user: str) -> bool:
        """Tell whether a person may correct, and change what holds for the team."""
        return self.correctors is None or user in self.correctors

    def corrected_by(self, emoji: str) -> tuple[str, str] | None:
        """Give what somebody says who reacts with this emoji, facet and label; None where that says nothing."""
        for facet, labels in self.reaction_corrections.items():
            for label, name in labels.items():
                if name == emoji:
                    return facet, label
        return None

    def is_destination(self, channel: str) -> bool:
        """Tell whether the bot itself writes there, so that it must not read there."""
        return channel in self.destinations or channel == self.admin


def _standing_rules(policy: Policy) -> Iterator[Rule]:
    """Give the rules that the short form stands for: they hold whatever else does."""
    for label, channel in policy.routes.items():
        yield Rule(f"routes: {label}", Condition({MAIN: frozenset({label})}), Action(post=channel), standing=True)
    if policy.urgent:
        told = Action(mentions=(policy.urgent.mention,), urgent=True)
        for facet, labels in policy.urgent.when.items():
            yield Rule(f"urgent: {facet}", Condition({facet: labels}), told, standing=True)
    for facet, tags in policy.reactions.items():
        for label, emoji in tags.items():
            condition = Condition({facet: frozenset({label})})
            yield Rule(f"reactions: {label}", condition, Action(tags=(emoji,)), standing=True)


def _find_destinations(rules: tuple[Rule, ...]) -> Iterator[str]:
    for rule in rules:
        if rule.then.post:
            yield rule.then.post
        if rule.then.escalate and rule.then.escalate.channel:
            yield rule.then.escalate.channel


def find_mismatches(policy: Policy, manifest: Manifest) -> list[str]:
    """List, in sentences, what the policy names and the classifier does not have: a slip of the pen, mostly."""
    known = {facet.name: {label.name for label in facet.labels} for facet in manifest.facets}
    main = manifest.facets[0].name
    named: list[tuple[str, Iterable[str]]] = [
        *((facet or main, labels) for rule in policy.in_force for facet, labels in rule.when.labels.items()),
        *policy.reaction_corrections.items(),
    ]
    unknown = {(facet, label) for facet, labels in named for label in labels if label not in known.get(facet, ())}
    shown = {facet for template in policy.templates.values() for facet in facets_of(template)}
    unknown |= {(facet, "") for facet in shown if facet not in known}
    sentences = (
        f"the classifier's {facet!r} has no label {label!r}" if facet in known else f"the classifier has no {facet!r}"
        for facet, label in sorted(unknown)
    )
    return list(dict.fromkeys(sentences))
