"""Every fault on every effect, and SIGKILL at every step: one visible copy, or dead-lettered."""

import pytest

from benchmarks.faults.rules import KILLS, Fault, Rule
from benchmarks.faults.scenarios import COMMAND, MESSAGE
from benchmarks.faults.trials import EFFECTS, GOOD, Outcome, run_deliveries, run_requests, run_trial

pytestmark = pytest.mark.stack

QUICK = [fault for fault in Fault if fault is not Fault.SLOW]


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name.lower())
def test_an_effect_is_seen_once_despite_each_fault(laboratory, baselines, effect, fault):
    trial = run_trial(laboratory, effect.scenario, effect.name, effect.rule(fault), baselines[effect.scenario].seen)

    allowed = {Outcome.HANDLED, Outcome.REPEATED} if effect.scenario.at_least_once else {Outcome.HANDLED}
    assert trial.outcome in allowed
    assert trial.struck == 1


def test_a_post_that_slack_answers_too_late_is_seen_once(laboratory, baselines):
    effect = next(each for each in EFFECTS if each.name == "reply")

    trial = run_trial(laboratory, MESSAGE, effect.name, effect.rule(Fault.SLOW), baselines[MESSAGE].seen)

    assert (trial.outcome, trial.struck) == (Outcome.HANDLED, 1)


# A correction takes as long as both of these together; only the long form kills its steps.
@pytest.mark.parametrize("scenario", [MESSAGE, COMMAND], ids=lambda scenario: scenario.name)
def test_a_process_killed_after_any_of_its_requests_loses_and_doubles_nothing(laboratory, scenario):
    trials = list(run_requests(laboratory, scenario, [Fault.KILL_AFTER]))

    assert {trial.where: trial.outcome for trial in trials if trial.outcome not in GOOD} == {}
    assert len(trials) >= 3


def test_requests_from_slack_are_handled_once_or_the_person_is_notified(laboratory):
    faults = [fault for fault in QUICK if fault not in KILLS]

    trials = list(run_deliveries(laboratory, faults))

    assert [trial for trial in trials if trial.outcome not in GOOD] == []
    assert {trial.outcome for trial in trials if trial.scenario == "message"} == {Outcome.HANDLED}


def test_a_fault_that_never_ends_dead_letters_the_message(laboratory, baselines):
    effect = next(each for each in EFFECTS if each.name == "route")

    trial = run_trial(laboratory, MESSAGE, effect.name, effect.rule(Fault.ERROR, times=None), baselines[MESSAGE].seen)

    assert trial.outcome is Outcome.DEAD_LETTERED
    assert trial.struck > 3


@pytest.mark.parametrize("pattern", ["dynamodb:*", "endpoint:*", "sqs:*"])
def test_throttling_that_outlasts_the_clients_retries_only_delays(laboratory, baselines, pattern):
    rule = Rule(Fault.THROTTLED, pattern, times=7)

    trial = run_trial(laboratory, MESSAGE, pattern, rule, baselines[MESSAGE].seen)

    assert trial.outcome is Outcome.HANDLED
    assert trial.struck >= 6


def test_an_endpoint_that_fails_while_a_worker_starts_changes_no_decision(laboratory, baselines):
    laboratory.processes["worker"].kill()
    every_try = Rule(Fault.THROTTLED, "endpoint:*", times=3)

    trial = run_trial(laboratory, MESSAGE, "canaries", every_try, baselines[MESSAGE].seen)

    assert (trial.outcome, trial.struck) == (Outcome.HANDLED, 3)
