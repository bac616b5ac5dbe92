import threading
import time

import pytest

from classifier_infra.inference.deadline import NO_DEADLINE, Bounded, Deadline, within


def test_a_deadline_has_less_and_less_time_left_and_never_less_than_none():
    assert 9 < within(10).left() <= 10
    assert Deadline(time.monotonic() - 1).left() == 0


def test_a_part_of_the_work_gets_its_own_share_but_never_more_than_is_left():
    assert within(10).at_most(2).left() <= 2
    assert within(2).at_most(10).left() <= 2


def test_a_call_gives_what_the_function_gives():
    assert Bounded().call(lambda: 7, NO_DEADLINE) == 7


def test_a_call_raises_what_the_function_raises():
    with pytest.raises(ZeroDivisionError):
        Bounded().call(lambda: 1 // 0, within(5))


def test_a_call_that_takes_too_long_is_left_alone_and_the_next_one_is_not_held_up():
    bounded, release = Bounded(), threading.Event()

    with pytest.raises(TimeoutError):
        bounded.call(release.wait, within(0.01))

    assert bounded.call(lambda: 7, within(5)) == 7
    release.set()


def test_when_every_thread_is_taken_a_call_times_out_without_having_been_made():
    bounded, release, made = Bounded(threads=1), threading.Event(), []
    with pytest.raises(TimeoutError):
        bounded.call(release.wait, within(0.01))

    with pytest.raises(TimeoutError):
        bounded.call(lambda: made.append(1), within(0.01))

    release.set()
    bounded.call(lambda: None, NO_DEADLINE)
    assert made == []
