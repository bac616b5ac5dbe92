"""Requests of SageMaker's API that create jobs, and the jobs' maximum cost. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from classifier_infra.pricing.prices import HOURS_A_MONTH, PriceError, Prices
from training.sagemaker import Refused
from training.sagemaker.layout import Place
from training.sagemaker.validation import OBJECTIVE

Request: TypeAlias = dict[str, Any]

TRAIN_CHANNEL = "train"
_TEXT = "text/plain"
_JSON_LINES = "application/jsonlines"
_TAGS = [{"Key": "project", "Value": "blazing-triage"}]


@dataclass(frozen=True, slots=True)
class Machines:
    """A job's machines and limits; `max_wait_seconds` makes it a spot job and limits waiting and running together."""

    instance: str
    count: int = 1
    volume_gb: int = 30
    max_seconds: int = 3600
    max_wait_seconds: int | None = None

    @property
    def is_spot(self) -> bool:
        return self.max_wait_seconds is not None

    @property
    def has_own_disk(self) -> bool:
        """Report whether the volume is the machine's own, which hardware encrypts and no KMS key can."""
        return self.instance.split(".")[1] in ("g4dn", "g5", "r5d")

    def describe(self) -> str:
        """Return number, type, disk, and limits as text."""
        kind = f"spot, waiting up to {self.max_wait_seconds // 60} min" if self.max_wait_seconds else "on demand"
        limit = f"stopped after {self.max_seconds // 60} min"
        return f"{self.count} × {self.instance}, {self.volume_gb} GB, {kind}, {limit}"


# --- Training -------------------------------------------------------------------------------------------------


def training_request(
    name: str,
    role: str,
    image: str,
    place: Place,
    machines: Machines,
    hyperparameters: Mapping[str, str],
    channels: Mapping[str, str],
) -> Request:
    """Build CreateTrainingJob; `channels` maps channels to the S3 prefixes of their text files."""
    return {
        "TrainingJobName": name,
        "HyperParameters": dict(hyperparameters),
        "Tags": _TAGS,
        **_definition(role, image, place, machines, channels),
    }


def _definition(role: str, image: str, place: Place, machines: Machines, channels: Mapping[str, str]) -> Request:
    """Build the part that training jobs and the jobs of tuning jobs share."""
    return {
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": role,
        "InputDataConfig": [_channel(name, uri) for name, uri in channels.items()],
        "OutputDataConfig": {"S3OutputPath": place.uri("jobs"), **_key_of(place, "KmsKeyId")},
        "ResourceConfig": {
            "InstanceType": machines.instance,
            "InstanceCount": machines.count,
            "VolumeSizeInGB": machines.volume_gb,
            **_volume_key(place, machines),
        },
        "StoppingCondition": _stopping(machines),
        "EnableManagedSpotTraining": machines.is_spot,
        "EnableInterContainerTrafficEncryption": machines.count > 1,
    }


def _channel(name: str, uri: str) -> Request:
    return {
        "ChannelName": name,
        "ContentType": _TEXT,
        "DataSource": {
            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
        },
    }


def _stopping(machines: Machines) -> Request:
    waiting = {} if machines.max_wait_seconds is None else {"MaxWaitTimeInSeconds": machines.max_wait_seconds}
    return {"MaxRuntimeInSeconds": machines.max_seconds, **waiting}


def _key_of(place: Place, name: str) -> Request:
    return {name: place.kms_key} if place.kms_key else {}


def _volume_key(place: Place, machines: Machines) -> Request:
    return {} if machines.has_own_disk else _key_of(place, "VolumeKmsKeyId")


# --- Tuning ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SearchRange:
    """A hyperparameter that tuning varies from `low` to `high`."""

    name: str
    low: str
    high: str
    is_whole: bool
    scale: str = "Auto"


@dataclass(frozen=True, slots=True)
class Search:
    """The search of a tuning job."""

    ranges: Sequence[SearchRange]
    jobs: int = 20
    parallel: int = 2
    strategy: str = "Bayesian"
    seed: int = 1
    """Not 0, which the SDK would omit."""


def tuning_request(
    name: str,
    role: str,
    image: str,
    place: Place,
    machines: Machines,
    fixed: Mapping[str, str],
    channels: Mapping[str, str],
    search: Search,
) -> Request:
    """Build CreateHyperParameterTuningJob.

    Jobs do not stop early: BlazingText is not on the list of algorithms that can, and reports its accuracy only once.
    """
    definition = _definition(role, image, place, machines, channels)
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": search.strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
            "ResourceLimits": {
                "MaxNumberOfTrainingJobs": search.jobs,
                "MaxParallelTrainingJobs": search.parallel,
            },
            "ParameterRanges": {
                "IntegerParameterRanges": [_range(each) for each in search.ranges if each.is_whole],
                "ContinuousParameterRanges": [_range(each) for each in search.ranges if not each.is_whole],
            },
            "TrainingJobEarlyStoppingType": "Off",
            "RandomSeed": search.seed,
        },
        "TrainingJobDefinition": {"StaticHyperParameters": dict(fixed), **definition},
        "Tags": _TAGS,
    }


def _range(searched: SearchRange) -> Request:
    return {
        "Name": searched.name,
        "MinValue": searched.low,
        "MaxValue": searched.high,
        "ScalingType": searched.scale,
    }


# --- Processing -----------------------------------------------------------------------------------------------

PROCESSING = "/opt/ml/processing"
"""Folder of a processing container's inputs and output."""


def processing_request(
    name: str, role: str, image: str, place: Place, machines: Machines, arguments: Sequence[str]
) -> Request:
    """Build CreateProcessingJob for the inputs below `processing/NAME`, with the rows spread over the instances."""
    return {
        "ProcessingJobName": name,
        "RoleArn": role,
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", f"{PROCESSING}/code/process.py"],
            "ContainerArguments": list(arguments),
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceType": machines.instance,
                "InstanceCount": machines.count,
                "VolumeSizeInGB": machines.volume_gb,
                **_volume_key(place, machines),
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": machines.max_seconds},
        "ProcessingInputs": [
            _processing_input(part, place.uri("processing", name, part), part == "rows")
            for part in ("rows", "classes", "code")
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "lines",
                    "S3Output": {
                        "S3Uri": place.uri("processing", name, "output"),
                        "LocalPath": f"{PROCESSING}/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ],
            **_key_of(place, "KmsKeyId"),
        },
        "Tags": _TAGS,
    }


def _processing_input(name: str, uri: str, is_sharded: bool) -> Request:
    return {
        "InputName": name,
        "S3Input": {
            "S3Uri": uri,
            "LocalPath": f"{PROCESSING}/{name}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
            "S3DataDistributionType": "ShardedByS3Key" if is_sharded else "FullyReplicated",
        },
    }


# --- Batch transform ------------------------------------------------------------------------------------------


def model_request(name: str, role: str, image: str, model_uri: str) -> Request:
    """Build CreateModel for a `model.tar.gz`."""
    return {
        "ModelName": name,
        "ExecutionRoleArn": role,
        "PrimaryContainer": {"Image": image, "ModelDataUrl": model_uri},
        "Tags": _TAGS,
    }


def transform_request(name: str, model: str, place: Place, machines: Machines) -> Request:
    """Build CreateTransformJob over the JSON lines below `transform/NAME/input`.

    Each line of the output has the id of its input line, and the prediction as SageMakerOutput.
    """
    return {
        "TransformJobName": name,
        "ModelName": model,
        "BatchStrategy": "MultiRecord",
        # An answer with all labels is several times as long as its input.
        "MaxPayloadInMB": 1,
        "TransformInput": {
            "ContentType": _JSON_LINES,
            "SplitType": "Line",
            "CompressionType": "None",
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": place.uri("transform", name, "input") + "/"}
            },
        },
        "TransformOutput": {
            "Accept": _JSON_LINES,
            "AssembleWith": "Line",
            "S3OutputPath": place.uri("transform", name, "output"),
            **_key_of(place, "KmsKeyId"),
        },
        "TransformResources": {
            "InstanceType": machines.instance,
            "InstanceCount": machines.count,
            **_volume_key(place, machines),
        },
        "DataProcessing": {"InputFilter": "$", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
        "Tags": _TAGS,
    }


# --- Cost -----------------------------------------------------------------------------------------------------

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Cost:
    """Maximum cost of jobs in USD, for their whole time at on-demand prices; `hour` is a machine's price."""

    usd: float
    hour: float
    region: str
    as_of: date

    def describe(self, region: str) -> str:
        elsewhere = "" if region == self.region else f"; {region} may differ"
        return f"{self.usd:.2f} USD at most (prices of {self.region}, {self.as_of}{elsewhere})"


def maximum_cost(prices: Prices, machines: Machines, jobs: int = 1) -> Cost:
    """Return the maximum cost of jobs on these machines. Raises Refused if the table lacks the instance."""
    try:
        hour = prices.instance(machines.instance).hour
    except PriceError as error:
        raise Refused(f"no price for {machines.instance}: {error}, and pass it with --prices") from error
    hours = machines.max_seconds / SECONDS_AN_HOUR
    disk = machines.volume_gb * prices.training_volume_gb_month / HOURS_A_MONTH
    return Cost(jobs * machines.count * hours * (hour + disk), hour, prices.region, prices.as_of)


def actual_cost(hour: float, count: int, billable_seconds: int) -> float:
    """Return a job's cost in USD for the billed seconds."""
    return hour * count * billable_seconds / SECONDS_AN_HOUR
