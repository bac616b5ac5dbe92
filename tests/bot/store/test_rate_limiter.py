import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.store.ledger import LedgerUnavailable
from bot.store.rate_limiter import RateLimiter, RateLimitExceeded

NOW = round(time.time(), 3)


@pytest.fixture
def rate_limiter(dynamodb, ledger_table) -> RateLimiter:
    return RateLimiter(dynamodb, ledger_table)


@pytest.fixture
def line() -> str:
    return uuid.uuid4().hex


def test_in_an_empty_line_the_turn_is_at_once(rate_limiter, line):
    assert rate_limiter.take(line, 1.0, NOW) == NOW


def test_turns_are_an_interval_apart(rate_limiter, line):
    assert [round(rate_limiter.take(line, 0.3, NOW) - NOW, 3) for _ in range(4)] == [0, 0.3, 0.6, 0.9]


def test_a_line_that_has_emptied_starts_anew(rate_limiter, line):
    for _ in range(3):
        rate_limiter.take(line, 1.0, NOW)

    assert rate_limiter.take(line, 1.0, NOW + 5) == NOW + 5


def test_lines_do_not_wait_for_each_other(rate_limiter, line):
    rate_limiter.take(line, 1.0, NOW)

    assert rate_limiter.take(line + "2", 1.0, NOW) == NOW


def test_no_turn_is_given_to_two(rate_limiter, line):
    with ThreadPoolExecutor(8) as pool:
        turns = list(pool.map(lambda _: rate_limiter.take(line, 1.0, NOW), range(24)))

    assert sorted(round(turn - NOW, 3) for turn in turns) == list(range(24))


def test_a_line_that_is_too_long_is_not_joined(rate_limiter, line):
    for _ in range(4):
        rate_limiter.take(line, 1.0, NOW, longest=3)

    for _ in range(2):
        with pytest.raises(RateLimitExceeded):
            rate_limiter.take(line, 1.0, NOW, longest=3)

    assert rate_limiter.take(line, 1.0, NOW) == NOW + 4


def test_a_table_that_does_not_exist_is_a_failure_and_not_an_empty_line(dynamodb, line):
    with pytest.raises(LedgerUnavailable):
        RateLimiter(dynamodb, "no-such-table").take(line, 1.0, NOW)
