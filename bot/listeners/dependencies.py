"""The stores and the queue that listeners use, and the checks before a policy is saved."""

from dataclasses import dataclass

from bot.pipeline.corrections import CorrectionHandler, NotAllowed
from bot.policy.parsing.parser import WrittenPolicy
from bot.policy.policy import Policy
from bot.queue.messages import Record
from bot.store.settings import PolicyChanged, SettingsStore
from bot.store.stats import StatsStore


@dataclass(frozen=True, slots=True)
class Proposal:
    """A policy to be saved if the version that it was made from (`base`) is still in force.

    `before` is the policy of that version, if it has been read.
    """

    policy: WrittenPolicy
    base: int
    before: WrittenPolicy | None = None


@dataclass(frozen=True, slots=True)
class Dependencies:
    """`default_policy` is the text of the policy of teams that have saved none."""

    corrections: CorrectionHandler
    settings: SettingsStore
    stats: StatsStore
    default_policy: str

    def now(self) -> float:
        return self.corrections.now()

    def send(self, record: Record, delay: float = 0) -> None:
        """Queue a record for the worker, hidden for `delay` seconds. Raises QueueUnavailable."""
        self.corrections.queue.send(record, delay)

    def read_policy(self, team: str) -> tuple[str, int]:
        """Return the text of the policy in force and its version (0: the default policy)."""
        saved = self.settings.read_policy(team)
        return (saved.text, saved.version) if saved else (self.default_policy, 0)

    def read_version(self, team: str, base: int) -> str:
        """Return the text of version `base`. Raises PolicyChanged if it is no longer in force."""
        text, version = self.read_policy(team)
        if version != base:
            raise PolicyChanged(f"version {version} was saved after version {base}")
        return text

    def require_allowed(self, team: str, user: str) -> None:
        """Raise NotAllowed if the policy does not let the user change settings."""
        _require(self.settings.load(team, self.now()).policy, user)

    def save(self, team: str, user: str, proposal: Proposal) -> int:
        """Put a policy in force; return its version. Raises NotAllowed, PolicyChanged, LedgerUnavailable."""
        if proposal.before:
            _require(proposal.before.policy, user)
        else:
            self.require_allowed(team, user)
        return self.settings.save_policy(team, proposal.policy, user, self.now(), proposal.base)


def _require(policy: Policy, user: str) -> None:
    if not policy.may_change(user):
        raise NotAllowed("the policy does not let this user change settings")
