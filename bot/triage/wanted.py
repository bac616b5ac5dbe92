"""Compute what Slack has to show for a case: a function of the facts, in whatever order they arrived. Pure."""

from dataclasses import dataclass, replace

from bot.policy.policy import Policy
from bot.policy.rules import Directions, MessageContext, Situation
from bot.queue.messages import MessageKey, OriginalMessage
from bot.triage.case import (
    AddReaction,
    Assign,
    Case,
    Decision,
    Effect,
    Escalate,
    Outcome,
    PostReply,
    PostRoute,
)
from bot.triage.decide import automatic_effects, direct, is_urgent, reply_effect, route_effect, when_written

# Outcomes that show nothing in the channel where the message was written.
_UNSEEN: frozenset[Outcome] = frozenset({"ignore", "silent", "watch"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """The effects that a case calls for, in the order to carry them out.

    `moves`: posts in channels other than the route's are replaced by a note. `destination` is the channel that the
    message belongs to, or would go to if a person confirmed the suggestion.
    """

    effects: tuple[Effect, ...] = ()
    moves: bool = False
    urgent: bool = False
    destination: str | None = None

    @property
    def route(self) -> PostRoute | None:
        return next((effect for effect in self.effects if isinstance(effect, PostRoute)), None)

    @property
    def assign(self) -> Assign | None:
        return next((effect for effect in self.effects if isinstance(effect, Assign)), None)

    @property
    def escalation_places(self) -> tuple[str | None, ...]:
        return tuple(effect.channel for effect in self.effects if isinstance(effect, Escalate))

    @property
    def reactions(self) -> tuple[str, ...]:
        return tuple(effect.name for effect in self.effects if isinstance(effect, AddReaction))


def want(case: Case, policy: Policy, message_context: MessageContext) -> Wanted:
    """Work out what Slack has to show for a case under the policy that its latest decision was made under."""
    decision = case.decision
    if decision is None or not decision.facet_results or case.is_deleted:
        return Wanted()
    if case.corrections:
        return _want_corrected(case, decision, _direct_settled(case, decision, policy, message_context))
    route = next((effect for effect in decision.effects if isinstance(effect, PostRoute)), None)
    suggested = route.channel if route else None
    if decision.outcome in ("suggest", "ask"):
        suggested = direct(decision.facet_results, policy, message_context).route
    # A message that is only read anew is moved, but not taken from where a person may be working on it.
    return Wanted(decision.effects, moves=route is not None, urgent=decision.urgent, destination=suggested)


def _want_corrected(case: Case, decision: Decision, directions: Directions) -> Wanted:
    """Return the effects of corrected labels; if the main facet is not settled, only tags, the post and the reply."""
    if _is_settled(case, decision):
        effects = automatic_effects(directions)
    else:
        route = route_effect(directions)
        effects = (*map(AddReaction, directions.reactions), *((route,) if route else ()), PostReply())
    if decision.outcome in _UNSEEN and "reply" not in {*case.steps, *case.uncertain}:
        effects = tuple(effect for effect in effects if not isinstance(effect, PostReply))
    return Wanted(effects, moves=True, urgent=is_urgent(directions), destination=directions.route)


def _is_settled(case: Case, decision: Decision) -> bool:
    """Report whether the main facet was acted on, by the bot itself or because a person said so."""
    return decision.facet_results[0].facet in _settled_facets(case, decision)


def _direct_settled(case: Case, decision: Decision, policy: Policy, message_context: MessageContext) -> Directions:
    settled = _settled_facets(case, decision)
    labels = {facet: label for facet, label in case.labels.items() if facet in settled}
    return policy.evaluate(Situation(labels, decision.facet_results[0].facet, message_context))


def _settled_facets(case: Case, decision: Decision) -> set[str]:
    """Return the facets that may be acted on; a main facet that was only suggested waits until a person confirms it."""
    settled = {result.facet for result in decision.facet_results if result.sure}
    if decision.outcome != "automatic":
        settled.discard(decision.facet_results[0].facet)
    return settled | {correction.facet for correction in case.corrections}


def find_posts(case: Case) -> dict[str, str | None]:
    """Return the posts by which the message was sent on: channel → ts, or None if the post is uncertain."""
    posted = {step: result.ts for step, result in case.steps.items() if result.ts}
    routes = ((step.partition(":"), ts) for step, ts in [*posted.items(), *dict.fromkeys(case.uncertain).items()])
    return {channel: ts for (kind, _, channel), ts in routes if kind == "route"}


def find_reactions(case: Case) -> tuple[str, ...]:
    """Return the tags that were put on the message, or may have been."""
    tagged = (
        [effect.name for effect in case.decision.effects if isinstance(effect, AddReaction)] if case.decision else []
    )
    steps = [step.partition(":")[2] for step in (*case.steps, *case.uncertain) if step.startswith("react:")]
    return tuple(dict.fromkeys([*tagged, *steps]))


def context_of_original(key: MessageKey, original: OriginalMessage) -> MessageContext:
    """Return what rules test besides labels, for a message that was read again."""
    return MessageContext(key.channel, when_written(key.ts), original.author_team, original.text)


def revise(before: Decision, after: Decision) -> Decision | None:
    """Return the decision that replaces the standing one for a message that was changed, or None if it stays.

    A decision about an older text never replaces one about a newer. What has become small talk or unreadable stays the
    request that it was: a person may be working on it.
    """
    if (after.text_as_of or 0) <= (before.text_as_of or 0):
        return None
    kept = replace(before, text_as_of=after.text_as_of) if after.outcome == "ignore" and before.facet_results else after
    return replace(kept, revision=before.revision + 1)


def demote(decision: Decision, mode: str) -> Decision:
    """Return what remains of an automatic decision in a mode that allows nothing automatic; see TeamSettings.mode."""
    revised = replace(decision, reason="mode", effects=(), revision=decision.revision + 1)
    if mode == "suggest":
        return replace(revised, outcome="suggest", effects=(reply_effect(Directions()),))
    if mode == "watch-only":
        return replace(revised, outcome="watch")
    return replace(revised, outcome="silent", reason="channel-off")
