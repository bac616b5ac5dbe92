"""Compare another policy with decisions that were made: which messages it would send elsewhere. Pure.

Nothing of a message's text is kept, so where rules go by key words or by the author's team and the text is not at
hand, every way that they could have gone is looked at. Where that makes a difference, it is said to be open.
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
    """A message that was decided about, with the labels that are settled; `message_context` is None where the message
    itself has not been read again.
    """

    key: MessageKey
    main: str
    labels: Mapping[str, str]
    message_context: MessageContext | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A message that would go from one channel to another; None is where it was written."""

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
    """Hold two policies against messages: as many of the first ones as can be done while a person waits."""
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
    """A policy, and all the ways that it could be read where a message's text is not at hand."""

    policy: Policy
    label_views: tuple[Policy, ...]

    @staticmethod
    def of(policy: Policy) -> "_Labels":
        return _Labels(policy, tuple(_label_views(policy)))

    def find(self, message: Decided) -> set[str | None]:
        """Return the channels that a message may be sent to: one, unless that goes by what is not known."""
        if message.message_context:
            return {_destination(self.policy, message, message.message_context)}
        known = MessageContext(message.key.channel, when_written(message.key.ts))
        return {_destination(each, message, known) for each in self.label_views}


def _destination(policy: Policy, message: Decided, message_context: MessageContext) -> str | None:
    """Return where a message belongs by all that is settled of it, whether or not a person had to confirm it."""
    return policy.evaluate(Situation(message.labels, message.main, message_context)).route


def _label_views(policy: Policy) -> Iterator[Policy]:
    """Return the policy without its rules that go by a text, and with each of them as if its text were the rule's.

    One at a time is enough: of several that hold, the first one that posts decides.
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
