"""What Slack has to show for a message that was changed or corrected. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.policy.policy import Policy
from bot.policy.rules import Directions, MessageContext, Situation
from bot.queue.messages import MessageKey, OriginalMessage
from bot.triage.case import (
    AddReaction,
    Assign,
    CallWebhook,
    Case,
    Decision,
    Escalate,
    Outcome,
    PostReply,
    PostRoute,
)
from bot.triage.decide import is_urgent, later_effects, reply_effect, route_effect, when_written


def context_of_original(key: MessageKey, original: OriginalMessage) -> MessageContext:
    """Give the same of a message that was read again."""
    return MessageContext(key.channel, when_written(key.ts), original.author_team, original.text)


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


def follow_up(case: Case, policy: Policy, message_context: MessageContext) -> FollowUp:
    """Work out what the corrections of a decided case, or its latest revision, ask for."""
    directions = _direct_settled(case, policy, message_context)
    # A message that is only read anew is moved, but not taken from where somebody may be working on it.
    moves = bool(case.corrections or directions.route)
    earlier = _earlier_reactions(case, policy, message_context)
    plan = FollowUp(
        route=route_effect(directions),
        withdraw={channel: ts for channel, ts in find_posts(case).items() if moves and channel != directions.route},
        add=directions.reactions,
        remove=tuple(name for name in earlier if name not in directions.reactions),
        urgent=is_urgent(directions),
    )
    if not _is_settled(case):
        return plan
    assign = Assign(directions.assign) if directions.assign else None
    return replace(plan, reply=reply_effect(directions), assign=assign, calls=tuple(later_effects(directions)))


def _is_settled(case: Case) -> bool:
    """Tell whether what the message is about has been acted on, by the bot itself or because a person said so."""
    decision = case.decision
    return decision is not None and decision.facet_results[0].facet in _settled_facets(decision, case)


def _direct_settled(case: Case, policy: Policy, message_context: MessageContext) -> Directions:
    decision = case.decision
    assert decision is not None, "only what was decided can be corrected"
    settled = _settled_facets(decision, case)
    labels = {facet: label for facet, label in case.labels.items() if facet in settled}
    return policy.evaluate(Situation(labels, decision.facet_results[0].facet, message_context))


def find_posts(case: Case) -> dict[str, str]:
    """Give where the message was sent on to: channel → ts of the post."""
    routes = ((step.partition(":"), result.ts) for step, result in case.steps.items())
    return {channel: ts for (kind, _, channel), ts in routes if kind == "route" and ts}


def _settled_facets(decision: Decision, case: Case) -> set[str]:
    """Give the facets that may be acted on; a category that was only suggested waits for a person's word on it."""
    settled = {facet_result.facet for facet_result in decision.facet_results if facet_result.sure}
    if decision.outcome != "automatic":
        settled.discard(decision.facet_results[0].facet)
    return settled | {correction.facet for correction in case.corrections}


def _earlier_reactions(case: Case, policy: Policy, message_context: MessageContext) -> tuple[str, ...]:
    """Give the tags of the decision, those that were put on, and those that each correction but the last asked for."""
    effects = case.decision.effects if case.decision else ()
    first = [effect.name for effect in effects if isinstance(effect, AddReaction)]
    done = [step.partition(":")[2] for step in case.steps if step.startswith("react:")]
    earlier = (replace(case, corrections=case.corrections[:count]) for count in range(1, case.version))
    later = [name for each in earlier for name in _direct_settled(each, policy, message_context).reactions]
    return tuple(dict.fromkeys([*first, *done, *later]))
