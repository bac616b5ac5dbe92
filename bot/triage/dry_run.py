"""Predict what a policy would do with one message, and which of its rules ask for it. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.policy.policy import Policy
from bot.policy.rules import Action, Rule
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageRecord
from bot.triage.case import Decision
from bot.triage.decide import context_of, decide, direct, find_reason_to_ignore, ignore
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Prediction, Score


@dataclass(frozen=True, slots=True)
class Wish:
    """One action that a rule asks for: its kind, its value, and the rule."""

    what: str
    value: str
    rule: Rule


@dataclass(frozen=True, slots=True)
class Trial:
    """The predicted decision, and all that rules ask for; `decision` says whether it is done without a person."""

    decision: Decision
    wishes: tuple[Wish, ...] = ()
    mode: str = ""


def try_policy(policy: Policy, record: MessageRecord, prediction: Prediction, manifest: Manifest) -> Trial:
    """Decide about a message, without carrying anything out."""
    settings = TeamSettings(policy)
    mode = settings.mode(record.channel)
    reason = find_reason_to_ignore(record, settings)
    if reason:
        return Trial(ignore(reason), mode=mode)
    decision = decide(record, prediction, settings, manifest)
    directions = direct(decision.facet_results, policy, context_of(record))
    at = context_of(record).at
    wishes = (wish for rule in directions.rules for wish in _wishes(rule, policy, at))
    return Trial(decision, tuple(_first_of_each(wishes)), mode)


# Of these there can be one only, and the first rule has it.
_SINGLE = frozenset({"post", "assign", "escalate"})


def _first_of_each(wishes: Iterator[Wish]) -> Iterator[Wish]:
    seen: set[tuple[str, str]] = set()
    for wish in wishes:
        identity = (wish.what, "" if wish.what in _SINGLE else wish.value)
        if identity not in seen:
            seen.add(identity)
            yield wish


def _wishes(rule: Rule, policy: Policy, at: datetime) -> Iterator[Wish]:
    for what, value in _describe(rule.then, policy, at):
        yield Wish(what, value, rule)


def _describe(action: Action, policy: Policy, at: datetime) -> Iterator[tuple[str, str]]:
    if action.silent:
        yield "silent", "nothing is shown in Slack"
    yield from (("tag", f":{tag}:") for tag in action.tags)
    if action.post:
        yield "post", action.post
    yield from (("mention", _name(mention, policy, at)) for mention in action.mentions)
    if action.assign:
        yield "assign", f"whoever is next of {action.assign}"
    if action.reply:
        yield "reply", action.reply
    yield from (("webhook", name) for name in action.webhooks)
    if action.escalate:
        told = ", ".join(_name(mention, policy, at) for mention in action.escalate.mentions)
        yield "escalate", f"after {action.escalate.minutes} min without an answer{f' to {told}' if told else ''}"


def _name(mention: str, policy: Policy, at: datetime) -> str:
    rota = policy.rotas.get(mention)
    return f"{rota.on_call(at)}, on call in {mention}" if rota else mention


def assume(labels: Mapping[str, str]) -> tuple[Prediction, Manifest]:
    """Return the prediction and manifest of a classifier certain of these labels: facet → label, the main one first."""
    facets = tuple(Facet(facet, (Label(label, label),), threshold=0.5) for facet, label in labels.items())
    found = {facet: FacetPrediction((Score(label, 1.0),)) for facet, label in labels.items()}
    return Prediction(found, "assumed", "nobody"), Manifest("assumed", "", facets, "heads", 1.0, "", 0)
