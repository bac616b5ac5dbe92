"""What a queue may do to messages: hand them out twice, late, in another order, to two workers at once."""

import httpx2
import pytest

from benchmarks.faults.front_door import build_event
from benchmarks.faults.rules import Fault, Rule
from benchmarks.faults.scenarios import MESSAGE, TEXT, copy_message_record, note_correction, see_message
from benchmarks.faults.trials import GOOD, Outcome, run_clean, try_circumstances
from bot.sandbox.slack.delivery import sign

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-queue")]


def test_two_workers_that_get_one_message_at_once_have_one_effect(two_workers):
    expected = run_clean(two_workers, MESSAGE).seen
    seen = []

    for _ in range(5):
        ts = two_workers.write(TEXT)
        for _ in range(3):
            two_workers.enqueue(copy_message_record(two_workers, ts))
        two_workers.drain()
        seen.append(see_message(two_workers, ts))

    assert seen == [expected] * 5
    assert two_workers.take_dead_letters() == []


def test_a_message_that_is_handed_out_again_days_later_has_no_second_effect(two_workers):
    ts = two_workers.write(TEXT)
    two_workers.drain()
    before = see_message(two_workers, ts)

    two_workers.clock.skip(3 * 24 * 3600)
    two_workers.enqueue(copy_message_record(two_workers, ts))
    two_workers.drain()

    assert see_message(two_workers, ts) == before


def test_a_correction_that_overtakes_its_message_leaves_the_message_to_be_handled(two_workers):
    expected = run_clean(two_workers, MESSAGE).seen
    two_workers.faults.set(Rule(Fault.RESET, "front:/slack/events", times=2))
    ts = two_workers.write(TEXT)

    two_workers.enqueue(note_correction(two_workers, ts))
    two_workers.drain()
    two_workers.faults.set()

    assert see_message(two_workers, ts) == expected


def test_a_record_that_nobody_can_read_is_set_aside_and_holds_up_no_other(two_workers):
    expected = run_clean(two_workers, MESSAGE).seen

    two_workers.enqueue('{"version": 99}')
    ts = two_workers.write(TEXT)
    two_workers.drain()

    assert [message["Body"] for message in two_workers.take_dead_letters()] == ['{"version": 99}']
    assert see_message(two_workers, ts) == expected


def test_whatever_queues_tables_and_clocks_do_all_is_seen_once_or_its_person_told(two_workers):
    trials = list(try_circumstances(two_workers))

    assert [trial for trial in trials if trial.outcome not in GOOD] == []
    assert {trial.outcome for trial in trials if trial.scenario == "message"} == {Outcome.HANDLED}


@pytest.mark.parametrize(
    ("minutes", "status"), [(-10, 401), (-6, 401), (-4, 200), (0, 200), (4, 200), (6, 401), (10, 401)]
)
def test_a_front_whose_clock_is_wrong_takes_what_is_within_five_minutes(two_workers, minutes, status):
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
