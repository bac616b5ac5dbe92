"""Show a plan, have it agreed to, carry it out step by step, and say how to go on where it stopped."""

from collections.abc import Callable, Sequence

from classifier_infra.cli.serve import CommandError
from classifier_infra.endpoint.aws import CloudError
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.executor import NotInService, WentBack
from classifier_infra.endpoint.smoke_test import SmokeTestFailed
from classifier_infra.endpoint.steps import Action, Step
from classifier_infra.inference.model_store import StoreError
from classifier_infra.model.artefact import ArtefactError

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
