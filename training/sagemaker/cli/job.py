"""Steps shared by commands that run SageMaker jobs: check, confirm, upload, create, wait."""

import argparse
import secrets
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from tqdm import tqdm

from classifier_infra.endpoint.requests import NotOffered, blazingtext_image
from classifier_infra.pricing.prices import PriceError, load_prices
from training.sagemaker import JobError, Refused
from training.sagemaker.aws import check_bucket, open_session
from training.sagemaker.jobs.inputs import Upload
from training.sagemaker.layout import LONGEST, Place, check_name, job_name
from training.sagemaker.logs import LogStream, TrainingLog, follow
from training.sagemaker.requests import Cost, Machines, Request, maximum_cost
from training.sagemaker.s3 import upload
from training.sagemaker.sdk import RESOURCES, Sagemaker
from training.sagemaker.service_model import find_violations
from training.sagemaker.states import JobState

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_SECONDS_A_MINUTE = 60
# SageMaker's limit, waiting included, for spot jobs of algorithms without checkpoints, such as BlazingText.
_LONGEST_SPOT_MINUTES = 60
_TITLES = {
    "training": "Training job",
    "tuning": "Tuning job",
    "processing": "Processing job",
    "transform": "Batch transform job",
}


class Interrupted(JobError):
    """The user pressed Ctrl-C; the job continues."""

    status = 130


class Account:
    """SageMaker and S3 in one AWS account and region. Kinds of jobs are those of sdk.RESOURCES."""

    def __init__(self, region: str | None) -> None:
        self.session, self.region = open_session(region)

    @cached_property
    def sagemaker(self) -> Sagemaker:
        return Sagemaker(self.session, self.region)

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self.session.client("s3")
        return client

    def find(self, kind: str, name: str) -> JobState:
        """Return the state of a job. Raises Refused if it does not exist, JobError."""
        state = self.sagemaker.find(kind, name)
        if state is None:
            raise Refused(f"there is no {kind} job {name!r} in this region and account")
        return state

    def watch(self, kind: str, name: str, poll: float, next_step: str = "") -> JobState:
        """Wait for a job and print its progress. Raises Interrupted; JobError if the job fails or is stopped."""
        new_lines = LogStream(self.session.client("logs"), name).new_lines if kind == "training" else tuple
        with tqdm(total=100, desc="Training", unit="%", disable=None, leave=False) as bar:

            def show(log: TrainingLog) -> None:
                bar.update((log.progress or 0) - bar.n)

            try:
                state, log, lines = follow(lambda: self.find(kind, name), new_lines, poll, _print_line, show)
            except KeyboardInterrupt as interrupt:
                raise Interrupted(f"\n{self.describe_running(name)}{next_step}") from interrupt
        if not state.is_completed:
            raise JobError(_describe_failure(state, log, lines))
        return state

    def describe_running(self, name: str) -> str:
        command = shlex.join(["python", "-m", "training", "sagemaker", "status", name, "--region", self.region])
        return f"Job {name} keeps running. Follow it with: {command} --wait; stop it with: {command} --stop"


class Job:
    """A job as the options of a command (add_job_options) describe it."""

    def __init__(
        self, options: argparse.Namespace, kind: str, purpose: str, longest: int = LONGEST, results: str = ""
    ) -> None:
        """`purpose` is part of a new job's name; `results` names what `--collect` takes from a job. Raises Refused."""
        self._options, self._kind = options, kind
        self.account = Account(options.region)
        self.region = self.account.region
        new_name = job_name(purpose, datetime.now(UTC), secrets.randbits(16))
        self.name = getattr(options, "collect", None) or check_name(options.job or new_name, longest)
        collect = f"; then collect its {results}: run the same command with --collect {self.name}"
        self._next_step = collect if results else ""
        self.place = Place(options.bucket, options.prefix.strip("/"), self.region, options.kms_key)
        self.machines = Machines(
            options.instance,
            getattr(options, "instances", 1),
            options.volume_gb,
            options.max_minutes * _SECONDS_A_MINUTE,
            _LONGEST_SPOT_MINUTES * _SECONDS_A_MINUTE if getattr(options, "spot", False) else None,
        )

    @property
    def image(self) -> str:
        """BlazingText's image. Raises Refused."""
        try:
            return blazingtext_image(self.region)
        except NotOffered as error:
            raise Refused(str(error)) from error

    def check(self, faults: Iterable[str] = (), jobs: int = 1) -> Cost:
        """Return the maximum cost of `jobs` such jobs. Raises Refused with all faults, including `faults`."""
        options, machines = self._options, self.machines
        no_role = "no IAM role for the job; name one with --role (docs/sagemaker.md has its policy)"
        found = [*faults] if options.role else [no_role, *faults]
        if machines.max_wait_seconds is not None and machines.max_seconds > machines.max_wait_seconds:
            found.append(
                f"spot jobs of algorithms without checkpoints are limited to {_LONGEST_SPOT_MINUTES} minutes; "
                f"set --max-minutes to {_LONGEST_SPOT_MINUTES} or less, or omit --spot"
            )
        try:
            cost = maximum_cost(load_prices(options.prices), machines, jobs)
        except PriceError as error:
            raise Refused(*found, str(error)) from error
        except Refused as refusal:
            raise Refused(*found, *refusal.faults) from refusal
        if cost.usd > options.max_cost:
            found.append(
                f"this can cost {cost.usd:.2f} USD, more than the limit of {options.max_cost:.2f}; reduce "
                "--max-minutes, choose a smaller --instance, or raise --max-cost"
            )
        if found:
            raise Refused(*found)
        return cost

    def create(self, request: Request, plan: Sequence[tuple[str, str]], send: Callable[[], object]) -> bool:
        """Show the plan, ask for confirmation, `send` the inputs, and create the job; report whether to wait for it.

        Raises Refused for an invalid request, bucket or name, or without a terminal; JobError if the answer is no.
        """
        check_request(f"Create{RESOURCES[self._kind]}", request)
        self._confirm(plan)
        sagemaker = self.account.sagemaker
        check_bucket(self.account.s3, self.place.bucket, self.region)
        if sagemaker.find(self._kind, self.name):
            raise Refused(
                f"the name {self.name!r} of an earlier {self._kind} job cannot be reused; omit --job for a new one"
            )
        send()
        sagemaker.create(self._kind, request)
        print(f"Created {self.name}")
        if self._options.no_wait:
            print(f"{self.account.describe_running(self.name)}{self._next_step}")
        return not self._options.no_wait

    def _confirm(self, plan: Sequence[tuple[str, str]]) -> None:
        width = max(len(name) for name, _ in plan)
        print(f"{_TITLES[self._kind]} {self.name} in {self.region}")
        for name, text in plan:
            print(f"  {name:<{width}}  {text}")
        if self._options.yes:
            return
        if not sys.stdin.isatty():
            raise Refused("cannot ask for confirmation without a terminal; confirm with --yes")
        if input("Create it? [y/N] ").strip().lower() not in ("y", "yes"):
            raise JobError("Nothing was created.")

    def upload(self, files: Sequence[Upload]) -> int:
        """Upload the files that are not in the bucket yet and return their number. Raises JobError."""
        total = sum(file.path.stat().st_size for file in files)
        with tqdm(total=total, desc="Uploading", unit="B", unit_scale=True, disable=None, leave=False) as bar:
            return upload(self.account.s3, self.place, files, bar.update)

    def wait(self) -> JobState:
        """Wait for the job and print its progress. Raises Interrupted; JobError if the job fails or is stopped."""
        return self.account.watch(self._kind, self.name, self._options.poll, self._next_step)


def check_request(operation: str, request: Request) -> None:
    """Check a request against the service model. Raises Refused."""
    violations = find_violations(operation, request)
    if violations:
        raise Refused(*violations)


def _print_line(text: str) -> None:
    with tqdm.external_write_mode():
        print(text, flush=True)


def _describe_failure(state: JobState, log: TrainingLog, lines: list[str]) -> str:
    reason = state.reason or (log.faults[-1] if log.faults else "AWS gives no reason")
    end = "".join(f"\n    {line}" for line in lines)
    return f"job {state.name} is {state.status}: {reason}" + (f"\n  the end of its log:{end}" if end else "")
