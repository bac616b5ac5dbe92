"""Carries steps out, one kind of action a method."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier_infra.endpoint.aws import Clients, explained, look_at_endpoint, measure_traffic
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.history import with_event
from classifier_infra.endpoint.plan import Action, Activate, Await, Call, Remember, SmokeTest, Upload
from classifier_infra.endpoint.requests import Hosted
from classifier_infra.endpoint.smoke_test import ask_endpoint, compare
from classifier_infra.endpoint.state import read_history, write_history
from classifier_infra.inference.loader import load_stored_model
from classifier_infra.inference.model_store import ACTIVE, ModelStore
from classifier_infra.model.artefact import ARCHIVE, MANIFEST

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient


from collections.abc import Callable, Sequence

from classifier_infra.endpoint.aws import CloudError
from classifier_infra.endpoint.plan import Step
from classifier_infra.endpoint.smoke_test import SmokeTestFailed
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import StoreError
from classifier_infra.model.artefact import ArtefactError

POLL_SECONDS = 10.0
# The longest that a deployment may take.
_SETTLING_SECONDS = 28_800


class NotInService(Exception):
    """The endpoint settled otherwise than it was told to; the message has SageMaker's own reason."""


class WentBack(NotInService):
    """SageMaker has gone back to the old fleet, because an alarm rang or the new one did not start."""


class TookTooLong(NotInService):
    """It has not settled; it may still do."""


@dataclass(frozen=True, slots=True)
class Executor:
    """The account, the model store and the console that steps are carried out with.

    `runtime` is the client that asks the endpoint, where it is another than the environment says.
    """

    clients: Clients
    store: ModelStore
    console: Console
    runtime: "SageMakerRuntimeClient | None" = None
    poll_seconds: float = POLL_SECONDS

    def carry_out(self, action: Action) -> None:
        """Raises CloudError, StoreError, ArtefactError, SmokeTestFailed, and NotInService and its kinds."""
        match action:
            case Call():
                self._call(action)
            case Upload():
                self._upload(action.folder, action.version)
            case Await():
                self._await(action)
            case SmokeTest():
                self._smoke_test(action)
            case Activate():
                self.store.write(ACTIVE, json.dumps({"version": action.version}).encode())
            case Remember():
                self._remember(action)

    def settle(self, endpoint: str) -> Hosted | None:
        """Wait until nothing is under way with an endpoint; give what it is then. Raises CloudError, TookTooLong."""
        started = time.monotonic()
        try:
            while (hosted := look_at_endpoint(self.clients, endpoint)) is not None and hosted.is_busy:
                if time.monotonic() - started > _SETTLING_SECONDS:
                    raise TookTooLong(f"the endpoint {endpoint} is still {hosted.status}")
                self.console.progress(f"waiting for {endpoint} ({hosted.status})", started)
                time.sleep(self.poll_seconds)
            return hosted
        finally:
            self.console.end_progress()

    def _call(self, call: Call) -> None:
        clients: Mapping[str, Any] = {
            "sagemaker": self.clients.sagemaker,
            "cloudwatch": self.clients.cloudwatch,
            "scaling": self.clients.scaling,
        }
        with explained(f"AWS refused {call.method}"):
            getattr(clients[call.service], call.method)(**call.arguments)

    def _upload(self, folder: Path, version: str) -> None:
        # The manifest last: a model counts as stored when it is there.
        for name in (ARCHIVE, MANIFEST):
            self.store.upload(folder / name, f"{version}/{name}")

    def _await(self, wanted: Await) -> None:
        started = time.monotonic()
        try:
            while not self._has_settled(wanted):
                if time.monotonic() - started > wanted.seconds:
                    raise TookTooLong(
                        f"the endpoint {wanted.endpoint} has not settled in {wanted.seconds / 60:.0f} min"
                    )
                self.console.progress(f"waiting for {wanted.endpoint}", started)
                time.sleep(self.poll_seconds)
        finally:
            self.console.end_progress()

    def _has_settled(self, wanted: Await) -> bool:
        hosted = look_at_endpoint(self.clients, wanted.endpoint)
        if hosted is None and wanted.config is None:
            return True
        if hosted is None:
            raise NotInService(f"the endpoint {wanted.endpoint} is gone")
        if hosted.is_busy or (wanted.config is None and hosted.is_in_service):
            return False
        if hosted.is_in_service and hosted.config != wanted.config:
            reason = f": {hosted.reason}" if hosted.reason else ""
            raise WentBack(f"SageMaker has gone back to {hosted.config}{reason}")
        if not hosted.is_in_service:
            raise NotInService(
                f"the endpoint {wanted.endpoint} is {hosted.status}: {hosted.reason or 'no reason given'}"
            )
        return True

    def _smoke_test(self, test: SmokeTest) -> None:
        model = load_stored_model(self.store, test.version, in_memory=False)
        for line in compare(model, ask_endpoint(test.endpoint, model, self.runtime)):
            self.console.say(f"     {line}")

    def _remember(self, action: Remember) -> None:
        now = datetime.now(UTC)
        measured = measure_traffic(self.clients, action.endpoint, action.event, now)
        metrics = {**action.event.metrics, **({"traffic": measured} if measured else {})}
        event = replace(action.event, at=now.isoformat(timespec="seconds"), metrics=metrics)
        write_history(self.store, action.endpoint, with_event(read_history(self.store, action.endpoint), event))


# Exit codes that tell programs apart what people read.
FAILED = 1
WRONG = 2
NOT_AS_IT_SHOULD = 3

_FAILURES = (CloudError, StoreError, ArtefactError, NotInService, SmokeTestFailed)


def run_steps(steps: Sequence[Step], carry_out: Callable[[Action], None], console: Console, dry_run: bool) -> None:
    """Carry a plan out. Raises WentBack for the caller to tidy up after, and CommandError for all else."""
    if not steps:
        console.say("Nothing to do: everything is as it should be.")
        return
    console.say("Steps:")
    console.show(steps)
    if dry_run:
        console.say("Nothing was done (--dry-run).")
        return
    console.confirm()
    for number, step in enumerate(steps, start=1):
        console.say(f"[{number}/{len(steps)}] {step.says} …")
        _carry_out(step, f"Stopped at step {number} of {len(steps)}", carry_out)
    console.say("Done.")


def _carry_out(step: Step, stopped: str, carry_out: Callable[[Action], None]) -> None:
    try:
        carry_out(step.action)
    except WentBack:
        raise
    except _FAILURES as error:
        status = NOT_AS_IT_SHOULD if isinstance(error, NotInService | SmokeTestFailed) else FAILED
        again = "Once the reason is mended, run the same command again: it goes on from here"
        raise CommandError(f"{stopped}: {error}. {again}.", status) from error
    except KeyboardInterrupt:
        raise CommandError(f"{stopped}. Run the same command again: it goes on from here.", 130) from None
