"""Commands ask before the first step, and show progress on a terminal only."""

import io

import pytest

from classifier_infra.endpoint.aws import CloudError
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.executor import run_steps
from classifier_infra.endpoint.plan import Activate, Step
from classifier_infra.errors import CommandError

STEPS = [Step("Do this", Activate("v1")), Step("Do that", Activate("v2"))]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def console():
    return Console(io.StringIO(), io.StringIO())


def run(console, done, dry_run=False):
    run_steps(STEPS, lambda action: done.append(action.version), console, dry_run)


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_after_confirmation_each_step_is_announced(console, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    done = []

    run(console, done)

    assert done == ["v1", "v2"]
    assert console.out.getvalue() == (
        "Steps:\n  1. Do this.\n  2. Do that.\nGo on? [y/N] [1/2] Do this …\n[2/2] Do that …\nDone.\n"
    )


@pytest.mark.parametrize("answer", ["n\n", "\n", ""])
def test_without_confirmation_nothing_is_done(console, monkeypatch, answer):
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    done = []

    with pytest.raises(CommandError, match="Nothing was done"):
        run(console, done)

    assert done == []


def test_a_failure_is_reported_with_how_to_continue(monkeypatch):
    def refuse(action):
        raise CloudError("AWS refused create_endpoint: ResourceLimitExceeded")

    with pytest.raises(CommandError) as stopped:
        run_steps(STEPS, refuse, Console(io.StringIO(), io.StringIO(), asks=False), dry_run=False)

    assert stopped.value.status == 1
    assert str(stopped.value).startswith("Stopped at step 1 of 2: AWS refused create_endpoint: ResourceLimitExceeded.")
    assert "run the same command again: it goes on from here" in str(stopped.value)


def test_progress_is_shown_on_terminals_only():
    pipe, terminal = Console(io.StringIO(), io.StringIO()), Console(io.StringIO(), Terminal())

    for console in (pipe, terminal):
        console.progress("waiting for small", since=0.0)
        console.end_progress()

    assert pipe.err.getvalue() == ""
    assert "waiting for small, " in terminal.err.getvalue()
