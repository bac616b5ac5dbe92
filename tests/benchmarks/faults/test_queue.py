"""What a queue may do to messages: deliver them twice, late, out of order, to two workers at once."""

import httpx2
import pytest

from benchmarks.faults.latency import build_event
from benchmarks.faults.rules import Fault, Rule
from benchmarks.faults.scenarios import MESSAGE, TEXT, correction_record, message_record, see_message
from benchmarks.faults.trials import GOOD, Outcome, run_baseline, run_conditions
from bot.sandbox.slack.delivery import sign

pytestmark = pytest.mark.stack


def test_two_workers_that_get_one_message_at_once_have_one_effect(two_workers):
    expected = run_baseline(two_workers, MESSAGE).seen
    seen = []

    for _ in range(5):
        ts = two_workers.write(TEXT)
        for _ in range(3):
            two_workers.enqueue(message_record(two_workers, ts))
        two_workers.drain()
        seen.append(see_message(two_workers, ts))

    assert seen == [expected] * 5
    assert two_workers.take_dead_letters() == []


def test_a_message_redelivered_days_later_has_no_second_effect(two_workers):
    ts = two_workers.write(TEXT)
    two_workers.drain()
    before = see_message(two_workers, ts)

    two_workers.clock.skip(3 * 24 * 3600)
    two_workers.enqueue(message_record(two_workers, ts))
    two_workers.drain()

    assert see_message(two_workers, ts) == before


def test_a_correction_that_overtakes_its_message_leaves_the_message_to_be_handled(two_workers):
    expected = run_baseline(two_workers, MESSAGE).seen
    two_workers.faults.set(Rule(Fault.RESET, "front:/slack/events", times=2))
    ts = two_workers.write(TEXT)

    two_workers.enqueue(correction_record(two_workers, ts))
    two_workers.drain()
    two_workers.faults.set()

    assert see_message(two_workers, ts) == expected


def test_an_unreadable_queue_message_is_dead_lettered_and_delays_no_other(two_workers):
    expected = run_baseline(two_workers, MESSAGE).seen

    two_workers.enqueue('{"version": 99}')
    ts = two_workers.write(TEXT)
    two_workers.drain()

    assert [message["Body"] for message in two_workers.take_dead_letters()] == ['{"version": 99}']
    assert see_message(two_workers, ts) == expected


def test_under_every_condition_effects_are_seen_once_or_the_person_is_notified(two_workers):
    trials = list(run_conditions(two_workers))

    assert [trial for trial in trials if trial.outcome not in GOOD] == []
    assert {trial.outcome for trial in trials if trial.scenario == "message"} == {Outcome.HANDLED}


@pytest.mark.parametrize(
    ("minutes", "status"), [(-10, 401), (-6, 401), (-4, 200), (0, 200), (4, 200), (6, 401), (10, 401)]
)
def test_the_events_endpoint_accepts_clock_differences_of_up_to_five_minutes(two_workers, minutes, status):
    body = build_event(two_workers)
    headers = sign(two_workers.signing_secret, body, int(two_workers.clock()))
    two_workers.clock_skew = {"front": minutes * 60}
    try:
        answer = httpx2.post(
            f"{two_workers.gateway}/slack/events", content=body, headers={"Content-Type": "application/json", **headers}
        )
    finally:
        two_workers.clock_skew = {}
    two_workers.drain()

    assert answer.status_code == status
