"""Compare another policy with the decisions made: find the messages that it would send elsewhere. Pure.

No text of a message is kept. So where rules test keywords or the author's team and the message is not at hand, every
possible outcome of these rules is tried. If the destination depends on it, the message is reported as open.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.policy.policy import Policy
from bot.policy.rules import MessageContext, Rule, Situation
from bot.queue.messages import MessageKey
from bot.triage.decide import when_written

# Decisions in one comparison: about a second's.
_MOST_DECISIONS = 30_000


@dataclass(frozen=True, slots=True)
class Decided:
    """A message with a decision, and its settled labels; `message_context` is None unless it was read again."""

    key: MessageKey
    main: str
    labels: Mapping[str, str]
    message_context: MessageContext | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A message that would go to another channel than before; None is the one in which it was written."""

    key: MessageKey
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """The comparison's result: the messages that would go elsewhere, how many would not, and those that are open."""

    moves: tuple[Move, ...] = ()
    same: int = 0
    open: tuple[MessageKey, ...] = ()


def compare(old: Policy, new: Policy, messages: Sequence[Decided]) -> Backtest:
    """Compare two policies on messages: as many of the first ones as is possible while a person waits."""
    before_it, after_it = _Labels.of(old), _Labels.of(new)
    most = _MOST_DECISIONS // (len(before_it.label_views) + len(after_it.label_views))
    moves: list[Move] = []
    unknown: list[MessageKey] = []
    same = 0
    for message in messages[:most]:
        before, after = before_it.find(message), after_it.find(message)
        if len(before) > 1 or len(after) > 1:
            unknown.append(message.key)
        elif before == after:
            same += 1
        else:
            moves.append(Move(message.key, *before, *after))
    return Backtest(tuple(moves), same, tuple(unknown))


@dataclass(frozen=True, slots=True)
class _Labels:
    """A policy, and the variants of it that are possible where a message's text is not at hand."""

    policy: Policy
    label_views: tuple[Policy, ...]

    @staticmethod
    def of(policy: Policy) -> "_Labels":
        return _Labels(policy, tuple(_label_views(policy)))

    def find(self, message: Decided) -> set[str | None]:
        """Return the channels that a message may be sent to: one, unless that depends on what is not known."""
        if message.message_context:
            return {_destination(self.policy, message, message.message_context)}
        known = MessageContext(message.key.channel, when_written(message.key.ts))
        return {_destination(each, message, known) for each in self.label_views}


def _destination(policy: Policy, message: Decided, message_context: MessageContext) -> str | None:
    """Return the destination for a message's settled labels, whether or not a person had to confirm them."""
    return policy.evaluate(Situation(message.labels, message.main, message_context)).route


def _label_views(policy: Policy) -> Iterator[Policy]:
    """Yield the policy without the rules that test a text, then once with each of them as if the text matched it.

    One of them at a time is enough: of several that hold, the first one that posts decides.
    """
    textual = [rule for rule in policy.rules if _goes_by_text(rule)]
    yield _assume(policy, None)
    yield from (_assume(policy, rule) for rule in textual)


def _goes_by_text(rule: Rule) -> bool:
    return bool(rule.when.keywords or rule.when.teams)


def _assume(policy: Policy, holds: Rule | None) -> Policy:
    rules = (_without_text(rule) if rule is holds else rule for rule in policy.rules)
    return replace(policy, rules=tuple(rule for rule in rules if not _goes_by_text(rule)))


def _without_text(rule: Rule) -> Rule:
    return replace(rule, when=replace(rule.when, keywords=(), teams=frozenset()))
