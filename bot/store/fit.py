"""Policies and the model in use: what a policy names and the model lacks is logged, once of each two."""

import logging
from dataclasses import dataclass, field
from typing import TypeAlias

from bot.policy.policy import find_mismatches
from bot.store.settings import SettingsSource, TeamSettings
from classifier_infra.model.manifest import Manifest

log = logging.getLogger(__name__)

# A team (nobody's, where it is the packaged policy), the version of its policy, and that of a model.
Pair: TypeAlias = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class FitWatch:
    """A SettingsSource that looks at each policy which comes into force; `seen` are the pairs that it has looked at."""

    source: SettingsSource
    manifest: Manifest
    seen: set[Pair] = field(default_factory=set)

    def load(self, team: str, now: float) -> TeamSettings:
        """See SettingsSource."""
        settings = self.source.load(team, now)
        self.look_at(team, settings)
        return settings

    def look_at(self, team: str, settings: TeamSettings) -> None:
        """Log what does not fit."""
        pair = (team if settings.version else "", settings.version, self.manifest.version)
        if pair in self.seen:
            return
        self.seen.add(pair)
        for mismatch in find_mismatches(settings.policy, self.manifest):
            place = {"team": pair[0], "version": settings.version, "model": self.manifest.version}
            log.warning("policy and classifier do not fit: %s", mismatch, extra=place)
