from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.inference.endpoint import FAILURES_TO_OPEN, LONGEST_PAUSE, CircuitBreaker


def after_failures(count, now=100.0):
    circuit_breaker = CircuitBreaker()
    for _ in range(count):
        circuit_breaker = circuit_breaker.after_failure(now)
    return circuit_breaker


def test_a_service_is_asked_until_it_has_failed_a_few_times_in_a_row():
    assert after_failures(FAILURES_TO_OPEN - 1).allows(100.0)
    assert not after_failures(FAILURES_TO_OPEN).allows(100.0)


def test_one_success_makes_up_for_all_failures():
    assert after_failures(9).after_success() == CircuitBreaker()


def test_after_a_pause_it_may_be_asked_again_and_another_failure_makes_the_pause_longer():
    once = after_failures(FAILURES_TO_OPEN)
    often = after_failures(FAILURES_TO_OPEN + 3)

    assert once.allows(101.0)
    assert not often.allows(103.9)
    assert often.allows(108.0)


@given(failures=st.integers(FAILURES_TO_OPEN, 5000), now=st.floats(0, 1e9))
def test_no_pause_is_longer_than_a_minute_and_none_is_nothing(failures, now):
    circuit_breaker = after_failures(failures, now)

    assert now + 0.4 < circuit_breaker.retry_at <= now + LONGEST_PAUSE


@given(st.lists(st.booleans()))
def test_only_failures_without_a_success_between_them_close_it_off(outcomes):
    circuit_breaker = CircuitBreaker()
    for succeeded in outcomes:
        circuit_breaker = circuit_breaker.after_success() if succeeded else circuit_breaker.after_failure(0.0)

    in_a_row = len(outcomes) - max((i for i, succeeded in enumerate(outcomes, 1) if succeeded), default=0)
    assert circuit_breaker.allows(0.0) == (in_a_row < FAILURES_TO_OPEN)
