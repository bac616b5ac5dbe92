"""What is to be hosted and how, and the requests that say so to SageMaker. Pure.

Names are made of what they name, so that a command that was interrupted finds what it had made before.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

SERVICE_TAG = "service"
SERVICE = "blazing-triage"
ENDPOINT_TAG = "endpoint"
VERSION_TAG = "model-version"

# SageMaker's name for the only variant; alarms and metrics of whole endpoints use it too.
VARIANT = "AllTraffic"

# Not customers' text by default; and both types, or captured lines come back in base64.
_CAPTURED_TYPES = ["application/json", "application/jsonlines"]

Request: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model of the model store: the URL of its model.tar.gz, and what its manifest says of model.bin."""

    version: str
    url: str
    sha256: str
    model_bytes: int


@dataclass(frozen=True, slots=True)
class RealTime:
    """Instances that run all the time."""

    instance: str
    count: int


@dataclass(frozen=True, slots=True)
class Serverless:
    """Memory in MiB (1024 to 6144, in steps of 1024), and how many calls it takes at a time (1 to 200)."""

    memory: int
    concurrency: int


Shape = RealTime | Serverless


@dataclass(frozen=True, slots=True)
class Capture:
    """Where requests and answers are kept (an S3 URI), and what percentage of them."""

    uri: str
    percentage: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """An endpoint as it should be. `tags` are the team's own, beside ours."""

    endpoint: str
    model: StoredModel
    image: str
    role: str
    shape: Shape
    capture: Capture | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def with_model(self, model: StoredModel) -> "Deployment":
        return replace(self, model=model)

    @property
    def model_name(self) -> str:
        return _name(self.endpoint, self.model.version, [self._container(), self.role, self.model.sha256])

    @property
    def config_name(self) -> str:
        return _name(self.endpoint, self.model.version, [self._variant(), self._capture()])

    def model_request(self) -> Request:
        """Give the arguments of CreateModel."""
        return {
            "ModelName": self.model_name,
            "PrimaryContainer": self._container(),
            "ExecutionRoleArn": self.role,
            "Tags": self.tag_list(),
        }

    def config_request(self) -> Request:
        """Give the arguments of CreateEndpointConfig."""
        return {
            "EndpointConfigName": self.config_name,
            "ProductionVariants": [self._variant()],
            **self._capture(),
            "Tags": self.tag_list(),
        }

    def endpoint_request(self) -> Request:
        """Give the arguments of CreateEndpoint."""
        tags = [tag for tag in self.tag_list() if tag["Key"] != VERSION_TAG]  # it would be wrong after a promotion
        return {"EndpointName": self.endpoint, "EndpointConfigName": self.config_name, "Tags": tags}

    def tag_list(self) -> list[dict[str, str]]:
        ours = {SERVICE_TAG: SERVICE, ENDPOINT_TAG: self.endpoint, VERSION_TAG: self.model.version}
        return [{"Key": key, "Value": value} for key, value in {**self.tags, **ours}.items()]

    def _container(self) -> Request:
        return {"Image": self.image, "ModelDataUrl": self.model.url}

    def _variant(self) -> Request:
        variant: Request = {"VariantName": VARIANT, "ModelName": self.model_name}
        if isinstance(self.shape, Serverless):
            serverless = {"MemorySizeInMB": self.shape.memory, "MaxConcurrency": self.shape.concurrency}
            return variant | {"ServerlessConfig": serverless}
        size = {"InstanceType": self.shape.instance, "InitialInstanceCount": self.shape.count}
        return variant | size | {"InitialVariantWeight": 1.0}

    def _capture(self) -> Request:
        if self.capture is None:
            return {}
        return {
            "DataCaptureConfig": {
                "EnableCapture": True,
                "InitialSamplingPercentage": self.capture.percentage,
                "DestinationS3Uri": self.capture.uri,
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
                "CaptureContentTypeHeader": {"JsonContentTypes": _CAPTURED_TYPES},
            }
        }


def _name(endpoint: str, version: str, content: object) -> str:
    """Give a name of at most 63 letters, digits and inner hyphens, which SageMaker asks for."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    slug = re.sub("[^a-zA-Z0-9]+", "-", version)[:22].strip("-")
    return f"{endpoint[:26].rstrip('-')}-{slug}-{digest[:12]}"


# --- What there is already ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hosted:
    """An endpoint as AWS describes it. `pending` is the configuration it is being changed to, if it is.

    `count` is the number of instances it should have now, None for a serverless one. `deployment` is what its
    configuration says, None where it was not made by this program's rules (several variants, no version tag).
    """

    status: str
    config: str
    pending: str | None
    count: int | None
    variant_count: int
    deployment: Deployment | None
    reason: str = ""

    @property
    def is_in_service(self) -> bool:
        return self.status == "InService"

    @property
    def is_busy(self) -> bool:
        return self.status in {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}


def read_shape(variant: Mapping[str, Any]) -> Shape:
    """Read a production variant of a configuration. Raises KeyError."""
    serverless = variant.get("ServerlessConfig")
    if serverless:
        return Serverless(serverless["MemorySizeInMB"], serverless["MaxConcurrency"])
    return RealTime(variant["InstanceType"], variant["InitialInstanceCount"])


def read_capture(config: Mapping[str, Any]) -> Capture | None:
    """Read the data capture of a configuration."""
    capture = config.get("DataCaptureConfig") or {}
    if not capture.get("EnableCapture"):
        return None
    return Capture(capture["DestinationS3Uri"], capture["InitialSamplingPercentage"])
