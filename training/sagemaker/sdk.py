"""The one module that imports the SageMaker SDK: requests go out as they were built, and answers come back as values.

The SDK's resource classes send exactly the request that was checked and shown. Its trainers do not: they add to names,
write hyperparameters anew (`True` as `true`), ask IAM about the role, and report each use to AWS.
"""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from training.sagemaker.aws import explaining
from training.sagemaker.errors import JobError, Refused
from training.sagemaker.requests import Request
from training.sagemaker.states import JobState, Trial

if TYPE_CHECKING:
    from boto3.session import Session

_CREATED_BY = {
    "CreateTrainingJob": "TrainingJob",
    "CreateHyperParameterTuningJob": "HyperParameterTuningJob",
    "CreateProcessingJob": "ProcessingJob",
    "CreateTransformJob": "TransformJob",
}
_NO_SUCH_JOB = ("ResourceNotFound", "ValidationException")


class Sagemaker:
    """SageMaker of one account and region, by the SDK. Methods raise JobError."""

    def __init__(self, session: "Session", region: str) -> None:
        try:
            from sagemaker.core import resources
            from sagemaker.core.utils.code_injection.codec import transform
        except ImportError as error:
            raise Refused(
                [
                    "the SageMaker SDK is not installed here; in a checkout, `make .venv-sagemaker/.ready` gives an "
                    "environment that has it (.venv-sagemaker/bin/python -m training sagemaker …)"
                ]
            ) from error
        for name in ("sagemaker", "sagemaker.core"):
            logging.getLogger(name).setLevel(logging.WARNING)
        self._resources: Any = resources
        self._transform: Any = transform
        self._where = {"session": session, "region": region}

    # --- Create and stop ----------------------------------------------------------------------------------------

    def create(self, operation: str, request: Request) -> None:
        """Create a job (`CreateTrainingJob`). A name that there has been before is refused."""
        kind = getattr(self._resources, _CREATED_BY[operation])
        with explaining():
            kind.create(**self._transform(request, f"{operation}Request"), **self._where)

    def create_model(self, request: Request) -> None:
        with explaining():
            self._resources.Model.create(**self._transform(request, "CreateModelInput"), **self._where)

    def stop_training(self, name: str) -> None:
        with explaining():
            self._resources.TrainingJob.get(name, **self._where).stop()

    # --- Look ---------------------------------------------------------------------------------------------------

    def training(self, name: str) -> JobState | None:
        """Give a training job's state, or None where there is none of that name."""
        job = self._get("TrainingJob", name)
        return job and _training_state(name, job)

    def tuning(self, name: str) -> JobState | None:
        job = self._get("HyperParameterTuningJob", name)
        return job and JobState(
            name,
            status=_text(job.hyper_parameter_tuning_job_status),
            reason=_text(job.failure_reason),
            created=_moment(job.creation_time),
            ended=_moment(job.hyper_parameter_tuning_end_time),
        )

    def processing(self, name: str) -> JobState | None:
        job = self._get("ProcessingJob", name)
        return job and JobState(
            name,
            status=_text(job.processing_job_status),
            reason=_text(job.failure_reason) or _text(job.exit_message),
            created=_moment(job.creation_time),
            ended=_moment(job.processing_end_time),
        )

    def transform(self, name: str) -> JobState | None:
        job = self._get("TransformJob", name)
        return job and JobState(
            name,
            status=_text(job.transform_job_status),
            reason=_text(job.failure_reason),
            created=_moment(job.creation_time),
            ended=_moment(job.transform_end_time),
        )

    def training_names(self, part: str) -> list[str]:
        """Give the names of the training jobs whose names contain a text, the newest first."""
        with explaining():
            jobs = self._resources.TrainingJob.get_all(name_contains=part, **self._where)
            return [job.training_job_name for job in jobs]

    def trials(self, tuning: str) -> list[Trial]:
        """Give the training jobs of a tuning job that there are so far."""
        with explaining():
            job = self._resources.HyperParameterTuningJob.get(tuning, **self._where)
            return [_trial(summary) for summary in job.get_all_training_jobs(**self._where)]

    def _get(self, kind: str, name: str) -> Any:
        try:
            with explaining():
                return getattr(self._resources, kind).get(name, **self._where)
        except JobError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response["Error"]["Code"] in _NO_SUCH_JOB:
                return None
            raise


def _training_state(name: str, job: Any) -> JobState:
    resources = job.resource_config
    return JobState(
        name,
        status=_text(job.training_job_status),
        detail=_text(job.secondary_status),
        reason=_text(job.failure_reason),
        created=_moment(job.creation_time),
        ended=_moment(job.training_end_time),
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
    values: Mapping[str, str] = summary.tuned_hyper_parameters or {}
    return Trial(
        summary.training_job_name,
        _text(summary.training_job_status),
        dict(values),
        float(metric.value) if metric else None,
    )


def _text(value: Any) -> str:
    # What AWS has not said is an `Unassigned`, which is false.
    return str(value) if value else ""


def _moment(value: Any) -> datetime | None:
    return value or None
