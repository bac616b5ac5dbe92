import random
from dataclasses import replace

import pytest

from bot.pipeline.budget import Budget, BudgetedClassifier
from bot.store.ledger import LedgerUnavailable

DAY = 24 * 3600


@pytest.fixture
def day() -> int:
    """Noon of a day to come that no other test spends anything on; the table removes what has expired."""
    return random.SystemRandom().randrange(30_000, 90_000) * DAY + DAY // 2


@pytest.fixture
def budgeted(dynamodb, ledger_table, classifier, day) -> BudgetedClassifier:
    fallback = replace(classifier, calls=[])
    return BudgetedClassifier(classifier, fallback, Budget(dynamodb, ledger_table, 5), lambda: day)


def test_within_the_budget_the_endpoint_reads(budgeted):
    assert len(budgeted.predict(["a", "b", "c"])) == 3

    assert (budgeted.endpoint.calls, budgeted.fallback.calls) == ([["a", "b", "c"]], [])


def test_beyond_it_the_model_in_this_process_reads(budgeted, caplog):
    budgeted.predict(["a", "b", "c"])

    assert len(budgeted.predict(["d", "e", "f"])) == 3

    assert (len(budgeted.endpoint.calls), budgeted.fallback.calls) == (1, [["d", "e", "f"]])
    assert "the day's budget is spent" in caplog.text


def test_without_such_a_model_the_endpoint_goes_on(budgeted):
    alone = replace(budgeted, fallback=None)

    for _ in range(3):
        assert len(alone.predict(["a", "b", "c"])) == 3


def test_the_next_day_has_a_budget_of_its_own(budgeted, day):
    budgeted.predict(["a"] * 6)
    tomorrow = replace(budgeted, now=lambda: day + DAY)

    tomorrow.predict(["b"])

    assert budgeted.endpoint.calls == [["b"]]


def test_instances_share_one_budget(budgeted):
    replace(budgeted).predict(["a"] * 5)

    budgeted.predict(["b"])

    assert budgeted.fallback.calls == [["b"]]


def test_a_counter_that_does_not_answer_is_named_as_such(budgeted, dynamodb):
    with pytest.raises(LedgerUnavailable):
        replace(budgeted, budget=Budget(dynamodb, "no-such-table", 5)).predict(["a"])
