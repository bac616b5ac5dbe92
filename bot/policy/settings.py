"""A team's settings: its policy, and the switches that people set from Slack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.policy.policy import Mode, Policy


@dataclass(frozen=True, slots=True)
class Switches:
    """Settings made from Slack, on top of the policy. `stopped`: nothing is automatic until a person resumes it."""

    stopped: bool = False
    modes: Mapping[str, Mode] = field(default_factory=dict)
    muted_channels: frozenset[str] = frozenset()
    muted_people: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """A team's settings in force. `version` is the policy's, 0 if the team has not saved one.

    `unreadable` is the version of a later policy that this release cannot parse; the last readable one stays in force.
    """

    policy: Policy
    switches: Switches = field(default_factory=Switches)
    version: int = 0
    unreadable: int | None = None

    def mode(self, channel: str) -> Mode:
        """Return a channel's mode; always "off" where the bot itself posts."""
        if channel in self.switches.muted_channels or self.policy.is_destination(channel):
            return "off"
        mode = self.switches.modes.get(channel) or self.policy.mode(channel)
        return "suggest" if self.switches.stopped and mode == "automatic" else mode


class SettingsSource(Protocol):
    def load(self, team: str, now: float) -> TeamSettings:
        """Return a team's settings at the time `now`. Raises LedgerUnavailable."""
        ...

    def policy_of(self, team: str, version: int | None, now: float) -> Policy:
        """Return a version of a team's policy, the one in force where it is None. Raises LedgerUnavailable."""
        ...
