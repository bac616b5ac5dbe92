"""Describe what an endpoint hosts, and build SageMaker's requests from it. Pure.

Names are derived from the content, so that an interrupted command finds what it created before.
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

# SageMaker's own name for a single variant, which alarms and metrics of whole endpoints use too.
VARIANT = "AllTraffic"

# Types that are not listed are captured in base64.
_CAPTURED_TYPES = ["application/json", "application/jsonlines"]

Request: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model in the model store: the URL of its model.tar.gz, and digest and size of model.bin."""

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
    """Memory in MiB (1024 to 6144, in steps of 1024), and the most concurrent calls (1 to 200)."""

    memory: int
    concurrency: int


Shape = RealTime | Serverless


@dataclass(frozen=True, slots=True)
class Capture:
    """Data capture of a percentage of requests and answers to an S3 URI."""

    uri: str
    percentage: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """The requested state of an endpoint. `tags` are the team's own, in addition to ours."""

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
        """Return the arguments of CreateModel."""
        return {
            "ModelName": self.model_name,
            "PrimaryContainer": self._container(),
            "ExecutionRoleArn": self.role,
            "Tags": self.tag_list(),
        }

    def config_request(self) -> Request:
        """Return the arguments of CreateEndpointConfig."""
        return {
            "EndpointConfigName": self.config_name,
            "ProductionVariants": [self._variant()],
            **self._capture(),
            "Tags": self.tag_list(),
        }

    def endpoint_request(self) -> Request:
        """Return the arguments of CreateEndpoint."""
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
    """Return a name of at most 63 letters, digits and inner hyphens, as SageMaker requires."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    slug = re.sub("[^a-zA-Z0-9]+", "-", version)[:22].strip("-")
    return f"{endpoint[:26].rstrip('-')}-{slug}-{digest[:12]}"


# --- Reading existing endpoints ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hosted:
    """The state of an endpoint in AWS. `pending` is the configuration it is being changed to, if any.

    `count` is the desired number of instances, None for a serverless endpoint. `deployment` is read from its
    configuration, None if that was not made by this program (several variants, no version tag).
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


_ACCOUNTS = {
    "us-east-1": "811284229777", "us-east-2": "825641698319", "us-west-1": "632365934929", "us-west-2": "433757028032",
    "ca-central-1": "469771592824", "ca-west-1": "190319476487", "sa-east-1": "855470959533",
    "af-south-1": "455444449433", "eu-west-1": "685385470294", "eu-west-2": "644912444149", "eu-west-3": "749696950732",
    "eu-central-1": "813361260812", "eu-central-2": "680994064768", "eu-north-1": "669576153137",
    "eu-south-1": "257386234256", "eu-south-2": "104374241257", "il-central-1": "898809789911",
    "me-central-1": "272398656194", "me-south-1": "249704162688", "ap-east-1": "286214385809",
    "ap-south-1": "991648021394", "ap-south-2": "628508329040", "ap-northeast-1": "501404015308",
    "ap-northeast-2": "306986355934", "ap-northeast-3": "867004704886", "ap-southeast-1": "475088953585",
    "ap-southeast-2": "544295431143", "ap-southeast-3": "951798379941", "ap-southeast-4": "106583098589",
    "cn-north-1": "390948362332", "cn-northwest-1": "387376663083", "us-gov-east-1": "237065988967",
    "us-gov-west-1": "226302683700", "us-iso-east-1": "490574956308", "us-isob-east-1": "765400339828",
    "us-isof-east-1": "108575199400", "us-isof-south-1": "124985052026",
}  # fmt: skip
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}

REGIONS = tuple(_ACCOUNTS)


class NotOffered(ValueError):
    """AWS does not offer BlazingText in a region."""


def blazingtext_image(region: str) -> str:
    """Return the URI of BlazingText's image in a region. Raises NotOffered."""
    if region not in _ACCOUNTS:
        raise NotOffered(f"BlazingText is not offered in {region}; it is in {', '.join(_ACCOUNTS)}")
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"{_ACCOUNTS[region]}.dkr.ecr.{region}.{suffix}/blazingtext:1"
