"""What holds for a team: its policy, and the switches that people set from Slack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.policy.policy import Mode, Policy

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Switches:
    """What people switch from Slack, on top of the policy. `stopped`: nothing is automatic until somebody starts it."""

    stopped: bool = False
    modes: Mapping[str, Mode] = field(default_factory=dict)
    muted_channels: frozenset[str] = frozenset()
    muted_people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """What holds for a team. `version` is the policy's, 0 where the team has saved none.

    `unreadable` is the version of a later policy that this program cannot read, so that the last readable one stays.
    """

    policy: Policy
    switches: Switches = field(default_factory=Switches)
    version: int = 0
    unreadable: int | None = None

    def mode(self, channel: str) -> Mode:
        """Give what to do in a channel: see Mode. Where the bot itself writes, it reads nothing, whatever is set."""
        if channel in self.switches.muted_channels or self.policy.is_destination(channel):
            return "off"
        mode = self.switches.modes.get(channel) or self.policy.mode(channel)
        return "suggest" if self.switches.stopped and mode == "automatic" else mode


class SettingsSource(Protocol):
    def load(self, team: str, now: float) -> TeamSettings:
        """Give what holds for a team now. Raises LedgerUnavailable."""
        ...
