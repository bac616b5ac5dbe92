"""Carry out the steps of a plan: AWS calls, uploads, waits, smoke tests and history entries."""

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier_infra.endpoint.aws import Clients, CloudError, aws_errors, describe_endpoint, measure_traffic
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.history import with_event
from classifier_infra.endpoint.plan import Action, Activate, Await, Call, RecordEvent, SmokeTest, Step, Upload
from classifier_infra.endpoint.requests import Hosted
from classifier_infra.endpoint.smoke_test import SmokeTestFailed, ask_endpoint, compare
from classifier_infra.endpoint.state import read_history, write_history
from classifier_infra.errors import CommandError
from classifier_infra.inference.loader import load_stored_model
from classifier_infra.inference.model_store import ACTIVE, ModelStore, StoreError
from classifier_infra.model.artefact import ARCHIVE, MANIFEST, ArtefactError

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

POLL_SECONDS = 10.0
# The longest that a deployment may take.
_SETTLING_SECONDS = 28_800


class NotInService(Exception):
    """The endpoint did not reach the state that was requested; the message has SageMaker's own reason."""


class RolledBack(NotInService):
    """SageMaker rolled back to the old fleet, because an alarm went off or the new one did not start."""


class SettlingTimedOut(NotInService):
    """The endpoint did not settle in time; it may still do so."""


@dataclass(frozen=True, slots=True)
class Executor:
    """Carries out actions with the account's clients, the model store and the console.

    `runtime` replaces the client for invocations that the environment would give.
    """

    clients: Clients
    store: ModelStore
    console: Console
    runtime: "SageMakerRuntimeClient | None" = None
    poll_seconds: float = POLL_SECONDS

    def carry_out(self, action: Action) -> None:
        """Carry out an action. Raises CloudError, StoreError, ArtefactError, SmokeTestFailed and NotInService."""
        match action:
            case Call():
                self._call(action)
            case Upload():
                self._upload(action.folder, action.version)
            case Await():
                self._poll(action.endpoint, action.seconds, lambda hosted: _has_settled(hosted, action))
            case SmokeTest():
                self._smoke_test(action)
            case Activate():
                self.store.write(ACTIVE, json.dumps({"version": action.version}).encode())
            case RecordEvent():
                self._record(action)

    def settle(self, endpoint: str) -> Hosted | None:
        """Wait until no change is in progress; return the endpoint's state. Raises CloudError and SettlingTimedOut."""
        return self._poll(endpoint, _SETTLING_SECONDS, lambda hosted: hosted is None or not hosted.is_busy)

    def _poll(self, endpoint: str, seconds: float, is_over: Callable[[Hosted | None], bool]) -> Hosted | None:
        started = time.monotonic()
        try:
            while not is_over(hosted := describe_endpoint(self.clients, endpoint)):
                if time.monotonic() - started > seconds:
                    raise SettlingTimedOut(f"the endpoint {endpoint} has not settled in {seconds / 60:.0f} min")
                self.console.progress(f"waiting for {endpoint}", started)
                time.sleep(self.poll_seconds)
            return hosted
        finally:
            self.console.end_progress()

    def _call(self, call: Call) -> None:
        client: Any = getattr(self.clients, call.service)
        with aws_errors(f"AWS refused {call.method}"):
            getattr(client, call.method)(**call.arguments)

    def _upload(self, folder: Path, version: str) -> None:
        # The manifest last: its presence marks a model as stored.
        for name in (ARCHIVE, MANIFEST):
            self.store.upload(folder / name, f"{version}/{name}")

    def _smoke_test(self, test: SmokeTest) -> None:
        model = load_stored_model(self.store, test.version, in_memory=False)
        for line in compare(model, ask_endpoint(test.endpoint, model, self.runtime)):
            self.console.say(f"     {line}")

    def _record(self, action: RecordEvent) -> None:
        now = datetime.now(UTC)
        measured = measure_traffic(self.clients, action.endpoint, action.event, now)
        metrics = {**action.event.metrics, **({"traffic": measured} if measured else {})}
        event = replace(action.event, at=now.isoformat(timespec="seconds"), metrics=metrics)
        write_history(self.store, action.endpoint, with_event(read_history(self.store, action.endpoint), event))


def _has_settled(hosted: Hosted | None, wanted: Await) -> bool:
    if hosted is None and wanted.config is None:
        return True
    if hosted is None:
        raise NotInService(f"the endpoint {wanted.endpoint} no longer exists")
    if hosted.is_busy or (wanted.config is None and hosted.is_in_service):
        return False
    if hosted.is_in_service and hosted.config != wanted.config:
        reason = f": {hosted.reason}" if hosted.reason else ""
        raise RolledBack(f"SageMaker rolled back to {hosted.config}{reason}")
    if not hosted.is_in_service:
        raise NotInService(f"the endpoint {wanted.endpoint} is {hosted.status}: {hosted.reason or 'no reason given'}")
    return True


# Exit codes of the commands.
FAILED = 1
INVALID = 2
UNHEALTHY = 3

_FAILURES = (CloudError, StoreError, ArtefactError, NotInService, SmokeTestFailed)


def refuse(problems: Iterable[str]) -> None:
    """Raise CommandError if there are problems."""
    if found := [f"  - {problem}." for problem in problems]:
        raise CommandError("\n".join(["Nothing was done:", *found]), INVALID)


def run_steps(steps: Sequence[Step], carry_out: Callable[[Action], None], console: Console, dry_run: bool) -> None:
    """Show, confirm and carry out a plan. Raises RolledBack, which needs a cleanup, and CommandError."""
    if not steps:
        console.say("Nothing to do: everything is in the requested state.")
        return
    console.say("Steps:")
    console.show(steps)
    if dry_run:
        console.say("Nothing was done (--dry-run).")
        return
    console.confirm()
    for number, step in enumerate(steps, start=1):
        console.say(f"[{number}/{len(steps)}] {step.description} …")
        _carry_out(step, f"Stopped at step {number} of {len(steps)}", carry_out)
    console.say("Done.")


def _carry_out(step: Step, stopped: str, carry_out: Callable[[Action], None]) -> None:
    try:
        carry_out(step.action)
    except RolledBack:
        raise
    except _FAILURES as error:
        status = UNHEALTHY if isinstance(error, NotInService | SmokeTestFailed) else FAILED
        again = "Once the cause is fixed, run the same command again: it goes on from here"
        raise CommandError(f"{stopped}: {error}. {again}.", status) from error
    except KeyboardInterrupt:
        raise CommandError(f"{stopped}. Run the same command again: it goes on from here.", 130) from None
