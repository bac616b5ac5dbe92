"""Every fault on every effect, and death at every step: handled with one visible copy, or set aside."""

import pytest

from benchmarks.faults.rules import KILLS, Fault, Rule
from benchmarks.faults.scenarios import COMMAND, MESSAGE
from benchmarks.faults.trials import EFFECTS, GOOD, Outcome, run_trial, try_deliveries, try_requests

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults")]

QUICK = [fault for fault in Fault if fault is not Fault.SLOW]


@pytest.mark.parametrize("effect", EFFECTS, ids=lambda effect: effect.name)
@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name.lower())
def test_an_effect_that_a_fault_befalls_is_seen_once(laboratory, clean, effect, fault):
    trial = run_trial(laboratory, effect.scenario, effect.name, effect.rule(fault), clean[effect.scenario].seen)

    allowed = {Outcome.HANDLED, Outcome.REPEATED} if effect.scenario.at_least_once else {Outcome.HANDLED}
    assert trial.outcome in allowed
    assert trial.struck == 1


def test_a_post_that_slack_answers_too_late_is_seen_once(laboratory, clean):
    effect = next(each for each in EFFECTS if each.name == "reply")

    trial = run_trial(laboratory, MESSAGE, effect.name, effect.rule(Fault.SLOW), clean[MESSAGE].seen)

    assert (trial.outcome, trial.struck) == (Outcome.HANDLED, 1)


# A correction's steps take as long as both of these; they are killed one by one in the long form.
@pytest.mark.parametrize("scenario", [MESSAGE, COMMAND], ids=lambda scenario: scenario.name)
def test_a_process_killed_after_any_of_its_requests_loses_and_doubles_nothing(laboratory, scenario):
    trials = list(try_requests(laboratory, scenario, [Fault.KILL_AFTER]))

    assert {trial.where: trial.outcome for trial in trials if trial.outcome not in GOOD} == {}
    assert len(trials) >= 3


def test_what_slack_delivers_through_faults_is_handled_once_or_its_person_told(laboratory):
    faults = [fault for fault in QUICK if fault not in KILLS]

    trials = list(try_deliveries(laboratory, faults))

    assert [trial for trial in trials if trial.outcome not in GOOD] == []
    assert {trial.outcome for trial in trials if trial.scenario == "message"} == {Outcome.HANDLED}


def test_a_fault_that_never_ends_puts_the_message_aside(laboratory, clean):
    effect = next(each for each in EFFECTS if each.name == "route")

    trial = run_trial(laboratory, MESSAGE, effect.name, effect.rule(Fault.ERROR, times=None), clean[MESSAGE].seen)

    assert trial.outcome is Outcome.SET_ASIDE
    assert trial.struck > 3


@pytest.mark.parametrize("pattern", ["dynamodb:*", "endpoint:*", "sqs:*"])
def test_throttling_that_outlasts_the_clients_own_retries_delays_and_no_more(laboratory, clean, pattern):
    rule = Rule(Fault.THROTTLED, pattern, times=7)

    trial = run_trial(laboratory, MESSAGE, pattern, rule, clean[MESSAGE].seen)

    assert trial.outcome is Outcome.HANDLED
    assert trial.struck >= 6


def test_an_endpoint_that_fails_while_a_worker_starts_changes_no_decision(laboratory, clean):
    laboratory.processes["worker"].kill()
    every_try = Rule(Fault.THROTTLED, "endpoint:*", times=3)

    trial = run_trial(laboratory, MESSAGE, "canaries", every_try, clean[MESSAGE].seen)

    assert (trial.outcome, trial.struck) == (Outcome.HANDLED, 3)
