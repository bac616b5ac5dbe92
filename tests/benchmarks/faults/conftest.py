"""Laboratories, started once for all tests of this folder."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import pytest

from benchmarks.faults.environment import run_laboratory
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.scenarios import SCENARIOS, Scenario
from benchmarks.faults.trials import Baseline, run_baseline

STARTER = Path(__file__).parents[3] / "build" / "models" / "starter"


@pytest.fixture(scope="session")
def start_laboratory() -> Callable[..., AbstractContextManager[Laboratory]]:
    """Start a laboratory on the starter model; see run_laboratory."""
    assert (STARTER / "manifest.json").exists(), "train the starter model first: make train-starter"
    return partial(run_laboratory, STARTER)


@pytest.fixture(scope="session")
def laboratory(start_laboratory) -> Iterator[Laboratory]:
    with start_laboratory() as laboratory:
        yield laboratory


@pytest.fixture(scope="session")
def two_workers(start_laboratory) -> Iterator[Laboratory]:
    with start_laboratory(workers=2, redelivery_seconds=1) as laboratory:
        yield laboratory


@pytest.fixture(scope="session")
def baselines(laboratory) -> dict[Scenario, Baseline]:
    """What is visible and requested in each scenario without faults."""
    return {scenario: run_baseline(laboratory, scenario) for scenario in SCENARIOS}
