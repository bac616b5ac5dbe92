"""SageMaker through its SDK, which only this module imports: creation and states of jobs.

It uses the SDK's resource classes, which send exactly the request that was checked and shown. The SDK's trainers append
to names, rewrite hyperparameters (`True` as `true`), query IAM about the role, and report each use to AWS.
"""

import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from training.sagemaker import JobError, Refused
from training.sagemaker.aws import aws_errors
from training.sagemaker.requests import Request
from training.sagemaker.states import JobState, Trial

if TYPE_CHECKING:
    from boto3.session import Session

RESOURCES = {
    "training": "TrainingJob",
    "tuning": "HyperParameterTuningJob",
    "processing": "ProcessingJob",
    "transform": "TransformJob",
}
"""Kinds of jobs and their resource classes."""

_NO_SUCH_JOB = ("ResourceNotFound", "ValidationException")


class Sagemaker:
    """SageMaker in one account and region. Methods raise JobError; kinds of jobs are those of RESOURCES."""

    def __init__(self, session: "Session", region: str) -> None:
        try:
            from sagemaker.core import resources
            from sagemaker.core.utils.code_injection.codec import transform
        except ImportError as error:
            raise Refused(
                "the SageMaker SDK is not installed; in a checkout, `make .venv-sagemaker/.ready` sets up an "
                "environment with it (.venv-sagemaker/bin/python -m training sagemaker …)"
            ) from error
        for name in ("sagemaker", "sagemaker.core"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._resources: Any = resources
        self._transform: Any = transform
        self._where = {"session": session, "region": region}

    def create(self, kind: str, request: Request) -> None:
        """Create a job; its name must be new."""
        resource = RESOURCES[kind]
        with aws_errors():
            arguments = self._transform(request, f"Create{resource}Request")
            getattr(self._resources, resource).create(**arguments, **self._where)

    def create_model(self, request: Request) -> None:
        with aws_errors():
            self._resources.Model.create(**self._transform(request, "CreateModelInput"), **self._where)

    def stop_training(self, name: str) -> None:
        with aws_errors():
            self._resources.TrainingJob.get(name, **self._where).stop()

    def find(self, kind: str, name: str) -> JobState | None:
        """Return the state of a job, or None if it does not exist."""
        try:
            with aws_errors():
                job = getattr(self._resources, RESOURCES[kind]).get(name, **self._where)
        except JobError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _NO_SUCH_JOB:
                return None
            raise
        # Such as `training_job_status`; the SDK derives its attributes' names from the API's.
        prefix = "hyper_parameter_tuning" if kind == "tuning" else kind
        state = JobState(
            name,
            status=_text(getattr(job, f"{prefix}_job_status")),
            reason=_text(job.failure_reason) or _text(getattr(job, "exit_message", "")),
            created=_moment(job.creation_time),
            ended=_moment(getattr(job, f"{prefix}_end_time")),
        )
        return _add_training(state, job) if kind == "training" else state

    def training_names(self, part: str) -> list[str]:
        """Return the names of the training jobs whose names contain `part`, newest first."""
        with aws_errors():
            jobs = self._resources.TrainingJob.get_all(name_contains=part, **self._where)
            return [job.training_job_name for job in jobs]

    def trials(self, tuning: str) -> list[Trial]:
        """Return the training jobs that a tuning job has started so far."""
        with aws_errors():
            job = self._resources.HyperParameterTuningJob.get(tuning, **self._where)
            return [_trial(summary) for summary in job.get_all_training_jobs(**self._where)]


def _add_training(state: JobState, job: Any) -> JobState:
    resources = job.resource_config
    return replace(
        state,
        detail=_text(job.secondary_status),
        model_uri=_text(job.model_artifacts and job.model_artifacts.s3_model_artifacts),
        hyperparameters=dict(job.hyper_parameters or {}),
        channels={
            channel.channel_name: channel.data_source.s3_data_source.s3_uri for channel in job.input_data_config or ()
        },
        metrics={metric.metric_name: metric.value for metric in job.final_metric_data_list or ()},
        instance=_text(resources.instance_type),
        count=int(resources.instance_count or 1),
        billable_seconds=int(job.billable_time_in_seconds or 0),
    )


def _trial(summary: Any) -> Trial:
    metric = summary.final_hyper_parameter_tuning_job_objective_metric
    return Trial(
        summary.training_job_name,
        _text(summary.training_job_status),
        dict(summary.tuned_hyper_parameters or {}),
        float(metric.value) if metric else None,
    )


def _text(value: Any) -> str:
    # The SDK represents a missing value as `Unassigned`, which is false.
    return str(value) if value else ""


def _moment(value: Any) -> datetime | None:
    return value or None
