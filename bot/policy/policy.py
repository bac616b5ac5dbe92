"""The policy data class: what a team wants done with each message. Pure.

A policy names labels of the team's own classifier; `find_mismatches` compares the two.
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

_DIRECT = "D"  # the first letter of a direct conversation's ID


@dataclass(frozen=True, slots=True)
class Urgent:
    """A message is urgent when one of its facets has one of the labels; then `mention` is notified."""

    when: Mapping[str, frozenset[str]]
    mention: str


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages that are read per minute and channel, and per minute and workspace; and by the endpoint, per day."""

    channel_minute: int = 120
    workspace_minute: int = 600
    endpoint_day: int = 50_000


@dataclass(frozen=True, slots=True)
class Intake:
    """The messages that open a request: no small talk, and of other bots only those whose IDs are listed.

    An author's messages within `merge_seconds` become one request; 0 keeps all messages apart.
    """

    small_talk: tuple[str, ...] = PHRASES
    other_bots: frozenset[str] = frozenset()
    other_organisations: OtherOrganisations = "read"
    merge_seconds: int = 60


@dataclass(frozen=True, slots=True)
class Webhook:
    """A team's own address that is notified of messages; with their text only if `text` is set."""

    url: str = field(repr=False)  # may hold a secret
    text: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy; policy.yml explains every part. `correctors` is None if anyone may correct.

    `routes`, `urgent` and `reactions` are a short form of standing rules. `in_force` holds all rules, the written ones
    first; `destinations` the channels that they send messages to; `keywords` all of their keywords.
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
        # Computed once, not for every message.
        object.__setattr__(self, "in_force", in_force)
        object.__setattr__(self, "destinations", frozenset(_find_destinations(in_force)))
        object.__setattr__(self, "keywords", Keywords(word for rule in in_force for word in rule.when.keywords))

    def evaluate(self, situation: Situation) -> Directions:
        """Return the combined actions of the rules that hold for a message."""
        return combine(find_matching(self.in_force, self.match, RuleContext(situation, self.keywords)))

    def mode(self, channel: str) -> Mode:
        """Return a channel's mode; always "off" for channels that messages are sent to."""
        if self.is_destination(channel):
            return "off"
        mode = self.modes.get(channel, self.default_mode)
        # A message to the bot alone is private: it is only passed on after its author confirms.
        return "suggest" if mode == "automatic" and channel.startswith(_DIRECT) else mode

    def may_change(self, user: str) -> bool:
        """Report whether a person may correct labels and change the team's settings."""
        return self.correctors is None or user in self.correctors

    def corrected_by(self, emoji: str) -> tuple[str, str] | None:
        """Return the facet and label that a reaction with this emoji states, or None."""
        for facet, labels in self.reaction_corrections.items():
            for label, name in labels.items():
                if name == emoji:
                    return facet, label
        return None

    def names(self, channel: str) -> bool:
        """Report whether the policy mentions a channel by its ID."""
        return channel in self.modes or self.is_destination(channel)

    def is_destination(self, channel: str) -> bool:
        """Report whether the bot itself posts to a channel, so that it must not read there."""
        return channel in self.destinations or channel == self.admin


def _standing_rules(policy: Policy) -> Iterator[Rule]:
    """Yield the rules that the short form stands for; they apply beside any others."""
    for label, channel in policy.routes.items():
        yield Rule(f"routes: {label}", Condition({MAIN: frozenset({label})}), Action(post=channel), standing=True)
    if policy.urgent:
        notify = Action(mentions=(policy.urgent.mention,), urgent=True)
        for facet, labels in policy.urgent.when.items():
            yield Rule(f"urgent: {facet}", Condition({facet: labels}), notify, standing=True)
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
    """Return a sentence for each label and facet that the policy names and the classifier lacks."""
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
