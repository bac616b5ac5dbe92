"""What the listeners hand things in to."""

from dataclasses import dataclass

from bot.pipeline.corrections import CorrectionHandler, NotAllowed
from bot.policy.parsing.parser import WrittenPolicy
from bot.policy.policy import Policy
from bot.queue.messages import Record
from bot.store.settings import PolicyChanged, SettingsStore
from bot.store.stats import StatsStore


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy that somebody wants in force, and the version that it was made from: it is saved only while that one is
    in force. `before` is that version itself where it has been read.
    """

    policy: WrittenPolicy
    base: int
    before: WrittenPolicy | None = None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`default_policy` is the text of the policy that holds where a team has saved none."""

    corrections: CorrectionHandler
    settings: SettingsStore
    stats: StatsStore
    default_policy: str

    def now(self) -> float:
        return self.corrections.now()

    def send(self, record: Record, delay: float = 0) -> None:
        """Hand something to the worker, for `delay` seconds from now. Raises QueueUnavailable."""
        self.corrections.queue.send(record, delay)

    def read_policy(self, team: str) -> tuple[str, int]:
        """Give the text of the policy in force, and its version: 0 where a team has saved none."""
        saved = self.settings.read_policy(team)
        return (saved.text, saved.version) if saved else (self.default_policy, 0)

    def read_version(self, team: str, base: int) -> str:
        """Give the text that somebody has in front of them. Raises PolicyChanged where it is not in force any more."""
        text, version = self.read_policy(team)
        if version != base:
            raise PolicyChanged(f"version {version} was saved after version {base}")
        return text

    def require_allowed(self, team: str, user: str) -> None:
        """Raises NotAllowed where the policy leaves such changes to others."""
        _require(self.settings.load(team, self.now()).policy, user)

    def save(self, team: str, user: str, proposal: Proposal) -> int:
        """Put a policy in force and give its version. Raises NotAllowed, PolicyChanged, LedgerUnavailable."""
        if proposal.before:
            _require(proposal.before.policy, user)
        else:
            self.require_allowed(team, user)
        return self.settings.save_policy(team, proposal.policy, user, self.now(), proposal.base)


def _require(policy: Policy, user: str) -> None:
    if not policy.may_change(user):
        raise NotAllowed("the policy names who may change this")
