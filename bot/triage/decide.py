"""Decide what to do about a message: prediction and policy in, decision out. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from bot.policy.policy import Intake, Mode, Policy, evaluate
from bot.policy.rules import Circumstances, Directions, Situation
from bot.policy.small_talk import is_small_talk
from bot.queue.messages import MessageKey, MessageRecord
from bot.slack.client import OriginalMessage
from bot.store.settings import TeamSettings
from bot.triage.case import (
    CAUTIONS,
    AddReaction,
    Assign,
    CallWebhook,
    Case,
    Decision,
    Effect,
    Escalate,
    Finding,
    Outcome,
    PostReply,
    PostRoute,
    Reason,
)
from classifier_infra.model.certainty import find_doubt
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction
from classifier_infra.model.text import is_readable

# A label is not "the" answer while another is nearly as likely, however low the threshold of a large taxonomy is.
SMALLEST_MARGIN = 0.1


def find_reason_to_ignore(record: MessageRecord, settings: TeamSettings) -> Reason | None:
    """Tell why a message need not be classified, or None where it must be."""
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
    """Leave a message alone; `leader` is the ts of the one that it is read together with."""
    return Decision("ignore", reason, leader=leader)


def assess(prediction: Prediction, manifest: Manifest) -> tuple[Finding, ...]:
    """Give what the classifier found, facet by facet, the main one first, and where it is sure enough to act."""
    is_sound = find_doubt(prediction) is None
    found = prediction.facets
    return tuple(
        Finding(facet.name, found[facet.name].scores, is_sound and facet.is_reached_by(found[facet.name].confidence))
        for facet in manifest.facets
    )


def doubt(prediction: Prediction, manifest: Manifest) -> Reason | None:
    """Tell why the main facet should not be acted on without a person, or None where it may."""
    main = manifest.facets[0]
    found = prediction.facets[main.name]
    whole = find_doubt(prediction)
    if whole == "unfamiliar":
        return whole
    if not main.is_reached_by(found.confidence):
        return "below-threshold"
    return "close-call" if found.margin < SMALLEST_MARGIN else whole


def circumstances_of(record: MessageRecord) -> Circumstances:
    """Give what rules go by beside the labels, as it was when the message was written."""
    return Circumstances(record.channel, when_written(record.ts), record.author_team, record.text)


def circumstances_again(key: MessageKey, original: OriginalMessage) -> Circumstances:
    """Give the same of a message that was read again."""
    return Circumstances(key.channel, when_written(key.ts), original.author_team, original.text)


def when_written(ts: str) -> datetime:
    """Read a timestamp of Slack's."""
    return datetime.fromtimestamp(float(ts), UTC)


def direct(findings: tuple[Finding, ...], policy: Policy, circumstances: Circumstances) -> Directions:
    """Give the policy's directions for the labels that are sure enough."""
    sure = {finding.facet: finding.label for finding in findings if finding.sure}
    return evaluate(policy, Situation(sure, findings[0].facet, circumstances))


def decide(record: MessageRecord, prediction: Prediction, settings: TeamSettings, manifest: Manifest) -> Decision:
    """Decide about a message that `find_reason_to_ignore` has no objection to."""
    findings = assess(prediction, manifest)
    directions = direct(findings, settings.policy, circumstances_of(record))
    mode = settings.mode(record.channel)
    outcome, reason = _judge(mode, doubt(prediction, manifest), directions, settings.policy)
    effects = _effects_of(outcome, reason, directions)
    urgent = is_urgent(directions)
    return Decision(outcome, reason, findings, prediction.model_version, prediction.served_by, effects, urgent)


def is_urgent(directions: Directions) -> bool:
    """Tell whether somebody has to answer soon: the policy calls it urgent, or asks again after a time."""
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
    """Give what is to be done; of an outcome that is not named here nothing is seen in Slack."""
    if outcome in ("suggest", "ask"):
        return (PostReply(),)
    if reason == "rule":
        return tuple(CallWebhook(name) for name in directions.webhooks)
    return _automatic_effects(directions) if outcome == "automatic" else ()


def _automatic_effects(directions: Directions) -> tuple[Effect, ...]:
    reactions = (AddReaction(name) for name in directions.reactions)
    assigned = (Assign(directions.assign),) if directions.assign else ()
    route = _route(directions)
    routes = (route,) if route else ()
    return (*reactions, *assigned, *routes, *_calls(directions), _reply(directions))


def _route(directions: Directions) -> PostRoute | None:
    return PostRoute(directions.route, directions.mentions, directions.urgent) if directions.route else None


def _reply(directions: Directions) -> PostReply:
    return PostReply(directions.replies, () if directions.route else directions.mentions)


def _calls(directions: Directions) -> Iterator[CallWebhook | Escalate]:
    """Give what goes on after the message has been handled."""
    yield from (CallWebhook(name) for name in directions.webhooks)
    if directions.escalate:
        escalation = directions.escalate
        yield Escalate(escalation.minutes, escalation.mentions, escalation.channel or directions.route)


# --- After the message was changed --------------------------------------------------------------------------

# Outcomes that show nothing in Slack: there is nothing that could be edited.
_UNSEEN: frozenset[Outcome] = frozenset({"ignore", "silent", "watch"})


def shows(decision: Decision) -> bool:
    """Tell whether a decision has put something into Slack."""
    return decision.outcome not in _UNSEEN


def revise(before: Decision, after: Decision) -> Decision:
    """Give the decision that stands for a message that was changed.

    What has become small talk or nothing stays the request that it was: somebody may be working on it.
    """
    if after.outcome == "ignore" or replace(after, revision=before.revision) == before:
        return before
    return replace(after, revision=before.revision + 1)


# --- After a person has corrected it ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What Slack has to show for a case that was corrected or read anew: where it belongs, what has to go.

    `route` is where the message belongs now, if anywhere; `withdraw` the posts elsewhere (channel → ts). `calls` is
    what goes on after that.
    """

    route: PostRoute | None
    withdraw: Mapping[str, str]
    add: tuple[str, ...]
    remove: tuple[str, ...]
    reply: PostReply = field(default_factory=PostReply)
    assign: Assign | None = None
    calls: tuple[CallWebhook | Escalate, ...] = ()
    urgent: bool = False


def follow_up(case: Case, policy: Policy, circumstances: Circumstances) -> FollowUp:
    """Work out what the corrections of a decided case, or its latest revision, ask for."""
    directions = _direct_settled(case, policy, circumstances)
    # A message that is only read anew is moved, but not taken from where somebody may be working on it.
    moves = bool(case.corrections or directions.route)
    earlier = _earlier_reactions(case, policy, circumstances)
    plan = FollowUp(
        route=_route(directions),
        withdraw={channel: ts for channel, ts in find_posts(case).items() if moves and channel != directions.route},
        add=directions.reactions,
        remove=tuple(name for name in earlier if name not in directions.reactions),
        urgent=is_urgent(directions),
    )
    if not _is_settled(case):
        return plan
    assign = Assign(directions.assign) if directions.assign else None
    return replace(plan, reply=_reply(directions), assign=assign, calls=tuple(_calls(directions)))


def _is_settled(case: Case) -> bool:
    """Tell whether what the message is about has been acted on, by the bot itself or because a person said so."""
    decision = case.decision
    return decision is not None and decision.findings[0].facet in _settled_facets(decision, case)


def _direct_settled(case: Case, policy: Policy, circumstances: Circumstances) -> Directions:
    decision = case.decision
    assert decision is not None, "only what was decided can be corrected"
    settled = _settled_facets(decision, case)
    labels = {facet: label for facet, label in case.labels.items() if facet in settled}
    return evaluate(policy, Situation(labels, decision.findings[0].facet, circumstances))


def find_posts(case: Case) -> dict[str, str]:
    """Give where the message was sent on to: channel → ts of the post."""
    routes = ((step.partition(":"), result.ts) for step, result in case.steps.items())
    return {channel: ts for (kind, _, channel), ts in routes if kind == "route" and ts}


def _settled_facets(decision: Decision, case: Case) -> set[str]:
    """Give the facets that may be acted on; a category that was only suggested waits for a person's word on it."""
    settled = {finding.facet for finding in decision.findings if finding.sure}
    if decision.outcome != "automatic":
        settled.discard(decision.findings[0].facet)
    return settled | {correction.facet for correction in case.corrections}


def _earlier_reactions(case: Case, policy: Policy, circumstances: Circumstances) -> tuple[str, ...]:
    """Give the tags of the decision, those that were put on, and those that each correction but the last asked for."""
    effects = case.decision.effects if case.decision else ()
    first = [effect.name for effect in effects if isinstance(effect, AddReaction)]
    done = [step.partition(":")[2] for step in case.steps if step.startswith("react:")]
    earlier = (replace(case, corrections=case.corrections[:count]) for count in range(1, case.version))
    later = [name for each in earlier for name in _direct_settled(each, policy, circumstances).reactions]
    return tuple(dict.fromkeys([*first, *done, *later]))
