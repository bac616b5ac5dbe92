import logging
from dataclasses import replace

import pytest

from bot.policy.policy import Policy
from bot.policy.settings import TeamSettings
from bot.store.settings import CompatibilityCheck

ODD = Policy(routes={"biling": "C0BILLING"})


class Source:
    """Gives the settings of teams as they were put in."""

    def __init__(self, **teams: TeamSettings) -> None:
        self.teams = teams

    def load(self, team: str, now: float) -> TeamSettings:
        return self.teams[team]


@pytest.fixture
def lines(caplog):
    """Give the lines of the log so far: team, version of its policy, sentence."""
    caplog.set_level(logging.WARNING, "bot.store.settings")
    return lambda: [(line.team, line.version, line.getMessage().partition(": ")[2]) for line in caplog.records]


def test_a_saved_policy_that_does_not_fit_is_logged_once_for_its_team(manifest, lines):
    source = Source(T0ONE=TeamSettings(ODD, version=3), T0TWO=TeamSettings(Policy(), version=8))
    watch = CompatibilityCheck(source, manifest)

    for team in ("T0ONE", "T0TWO", "T0ONE"):
        assert watch.load(team, 0.0) is source.teams[team]

    assert lines() == [("T0ONE", 3, "the classifier's 'category' has no label 'biling'")]


def test_the_packaged_policy_is_nobodys_and_logged_once_for_all(manifest, lines):
    watch = CompatibilityCheck(Source(T0ONE=TeamSettings(ODD), T0TWO=TeamSettings(ODD)), manifest)

    watch.load("T0ONE", 0.0)
    watch.load("T0TWO", 0.0)

    assert [team for team, _, _ in lines()] == [""]


def test_a_new_version_and_a_new_model_are_looked_at_anew(manifest, lines):
    source = Source(T0ONE=TeamSettings(ODD, version=3))
    watch = CompatibilityCheck(source, manifest)
    watch.load("T0ONE", 0.0)

    source.teams["T0ONE"] = TeamSettings(ODD, version=4)
    watch.load("T0ONE", 0.0)
    CompatibilityCheck(source, replace(manifest, version="model-2"), watch.seen).load("T0ONE", 0.0)

    assert [version for _, version, _ in lines()] == [3, 4, 4]
