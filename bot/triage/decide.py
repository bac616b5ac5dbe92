"""Decide what to do about a message: prediction and policy in, decision out. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from bot.policy.policy import Intake, Mode, Policy
from bot.policy.rules import Directions, MessageContext, Situation
from bot.policy.settings import TeamSettings
from bot.policy.small_talk import is_small_talk
from bot.queue.messages import MessageRecord
from bot.triage.case import (
    CAUTIONS,
    AddReaction,
    Assign,
    CallWebhook,
    Decision,
    Effect,
    Escalate,
    FacetResult,
    Outcome,
    PostReply,
    PostRoute,
    Reason,
)
from classifier_infra.model.confidence import find_doubt
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction
from classifier_infra.model.text import is_readable

# A label is not "the" answer while another is nearly as likely, however low the threshold of a large taxonomy is.
SMALLEST_MARGIN = 0.1


def find_reason_to_ignore(record: MessageRecord, settings: TeamSettings) -> Reason | None:
    """Return the reason why a message need not be classified, or None if it must be."""
    if settings.policy.is_destination(record.channel):
        return "destination-channel"
    if settings.mode(record.channel) == "off":
        return "channel-off"
    if record.author in settings.switches.muted_people:
        return "author-muted"
    intake = settings.policy.intake
    return _objection_to_author(record, intake) or _objection_to_text(record, intake)


def _objection_to_author(record: MessageRecord, intake: Intake) -> Reason | None:
    if record.channel_type == "mpim":
        return "group-conversation"
    if record.bot and record.bot not in intake.other_bots:
        return "bot"
    return "other-organisation" if record.author_team and intake.other_organisations == "ignore" else None


def _objection_to_text(record: MessageRecord, intake: Intake) -> Reason | None:
    if not is_readable(record.text):
        return "file-without-words" if record.files else "unreadable"
    return "small-talk" if is_small_talk(record.text, intake.small_talk) else None


def ignore(reason: Reason, leader: str | None = None) -> Decision:
    """Return the decision to leave a message alone; `leader` is the ts of the one that it is read together with."""
    return Decision("ignore", reason, leader=leader)


def assess(prediction: Prediction, manifest: Manifest) -> tuple[FacetResult, ...]:
    """Return the classifier's findings, the main facet first, and for each whether it is sure enough to act on."""
    is_sound = find_doubt(prediction) is None
    found = prediction.facets
    return tuple(
        FacetResult(
            facet.name, found[facet.name].scores, is_sound and facet.is_reached_by(found[facet.name].confidence)
        )
        for facet in manifest.facets
    )


def doubt(prediction: Prediction, manifest: Manifest) -> Reason | None:
    """Return the reason why the main facet should not be acted on without a person, or None if it may be."""
    main = manifest.facets[0]
    found = prediction.facets[main.name]
    whole = find_doubt(prediction)
    if whole == "unfamiliar":
        return whole
    if not main.is_reached_by(found.confidence):
        return "below-threshold"
    return "close-call" if found.margin < SMALLEST_MARGIN else whole


def context_of(record: MessageRecord) -> MessageContext:
    """Return what rules test besides labels, as it was when the message was written."""
    return MessageContext(record.channel, when_written(record.ts), record.author_team, record.text)


def when_written(ts: str) -> datetime:
    """Return the time of a Slack timestamp, in UTC."""
    return datetime.fromtimestamp(float(ts), UTC)


def direct(facet_results: tuple[FacetResult, ...], policy: Policy, message_context: MessageContext) -> Directions:
    """Return the policy's directions for the labels that are sure enough."""
    sure = {facet_result.facet: facet_result.label for facet_result in facet_results if facet_result.sure}
    return policy.evaluate(Situation(sure, facet_results[0].facet, message_context))


def decide(record: MessageRecord, prediction: Prediction, settings: TeamSettings, manifest: Manifest) -> Decision:
    """Decide about a message that is not to be ignored (see find_reason_to_ignore), under the settings in force."""
    facet_results = assess(prediction, manifest)
    directions = direct(facet_results, settings.policy, context_of(record))
    mode = settings.mode(record.channel)
    outcome, reason = _judge(mode, doubt(prediction, manifest), directions, settings.policy)
    effects = _effects_of(outcome, reason, directions)
    urgent = is_urgent(directions)
    model = prediction.model_version
    decision = Decision(outcome, reason, facet_results, model, prediction.served_by, effects, urgent)
    return replace(decision, policy_version=settings.version)


def is_urgent(directions: Directions) -> bool:
    """Report whether a person has to answer soon: the policy calls the message urgent, or escalates it."""
    return directions.urgent or directions.escalate is not None


def _judge(mode: Mode, reason: Reason | None, directions: Directions, policy: Policy) -> tuple[Outcome, Reason]:
    if mode == "watch-only":
        return "watch", "mode"
    if directions.silent:
        return "silent", "rule"
    if reason and reason in CAUTIONS:
        return "suggest", reason
    if reason:
        return "ask" if policy.unsure == "ask" else "silent", reason
    return ("automatic", "sure") if mode == "automatic" else ("suggest", "mode")


def _effects_of(outcome: Outcome, reason: Reason, directions: Directions) -> tuple[Effect, ...]:
    """Return the effects of an outcome; outcomes that are not named here show nothing in Slack."""
    if outcome in ("suggest", "ask"):
        return (PostReply(),)
    if reason == "rule":
        return tuple(CallWebhook(name) for name in directions.webhooks)
    return automatic_effects(directions) if outcome == "automatic" else ()


def automatic_effects(directions: Directions) -> tuple[Effect, ...]:
    """Return all effects that directions ask for, in order: the reply last, so that its buttons come after the rest."""
    reactions = (AddReaction(name) for name in directions.reactions)
    assigned = (Assign(directions.assign),) if directions.assign else ()
    route = route_effect(directions)
    routes = (route,) if route else ()
    return (*reactions, *assigned, *routes, *later_effects(directions), reply_effect(directions))


def route_effect(directions: Directions) -> PostRoute | None:
    return PostRoute(directions.route, directions.mentions, directions.urgent) if directions.route else None


def reply_effect(directions: Directions) -> PostReply:
    return PostReply(directions.replies, () if directions.route else directions.mentions)


def later_effects(directions: Directions) -> Iterator[CallWebhook | Escalate]:
    """Yield the effects that follow after the message has been handled."""
    yield from (CallWebhook(name) for name in directions.webhooks)
    if directions.escalate:
        escalation = directions.escalate
        yield Escalate(escalation.minutes, escalation.mentions, escalation.channel or directions.route)
