"""Stand-ins for the boto3 clients of SageMaker, CloudWatch and STS, for the calls that a promotion makes.

Each request is first validated against botocore's model of the service.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import botocore.session
from botocore.exceptions import ClientError, ParamValidationError
from botocore.validate import ParamValidator

from benchmarks.rollout.world import Rollout, World
from classifier_infra.endpoint.aws import Clients
from classifier_infra.endpoint.requests import VARIANT, Request
from classifier_infra.local.container import Scorer

CALLER = "arn:aws:iam::123456789012:user/rehearsal"
_ARN = "arn:aws:sagemaker:local:123456789012"


def build_clients(sagemaker: "SageMaker") -> Clients:
    """Build the clients that the commands use."""
    unused: Any = None  # a promotion calls neither Application Auto Scaling nor IAM
    return Clients(
        region="us-east-1",
        sagemaker=cast(Any, sagemaker),
        cloudwatch=cast(Any, CloudWatch(sagemaker.world)),
        scaling=unused,
        iam=unused,
        sts=cast(Any, _Sts()),
    )


@dataclass(frozen=True, slots=True)
class SageMaker:
    """SageMaker's stand-in; `load` opens a model by the URL of its archive and its configuration's name."""

    world: World
    load: Callable[[str, str], Scorer]
    models: dict[str, Request] = field(default_factory=dict)
    configs: dict[str, Request] = field(default_factory=dict)

    def create_model(self, **request: Any) -> None:
        _check("sagemaker", "CreateModel", request)
        self.models[request["ModelName"]] = request

    def create_endpoint_config(self, **request: Any) -> None:
        _check("sagemaker", "CreateEndpointConfig", request)
        self.configs[request["EndpointConfigName"]] = request

    def update_endpoint(self, **request: Any) -> None:
        _check("sagemaker", "UpdateEndpoint", request)
        name, deployment = request["EndpointConfigName"], request["DeploymentConfig"]
        alarms = deployment.get("AutoRollbackConfiguration", {}).get("Alarms", [])
        rollout = Rollout(
            old=self.world.config,
            new=name,
            begun=self.world.now,
            count=self.world.count,
            policy=deployment["BlueGreenUpdatePolicy"],
            alarms=tuple(alarm["AlarmName"] for alarm in alarms),
        )
        self.world.begin(rollout, self.load(self._model_of(name)["PrimaryContainer"]["ModelDataUrl"], name))

    def describe_endpoint(self, **request: Any) -> Request:
        """Describe the endpoint. During a change, each call lets a step of simulated time pass."""
        _check("sagemaker", "DescribeEndpoint", request)
        world = self.world
        if world.rollout:
            world.step()
        pending = {"PendingDeploymentSummary": {"EndpointConfigName": world.rollout.new}} if world.rollout else {}
        return {
            "EndpointName": world.endpoint.name,
            "EndpointConfigName": world.config,
            "EndpointStatus": "Updating" if world.rollout else "InService",
            "ProductionVariants": [{"VariantName": VARIANT, "DesiredInstanceCount": world.count}],
            "FailureReason": world.reason,
            **pending,
        }

    def describe_endpoint_config(self, **request: Any) -> Request:
        _check("sagemaker", "DescribeEndpointConfig", request)
        found = _found(self.configs, request["EndpointConfigName"])
        return found | {"EndpointConfigArn": f"{_ARN}:endpoint-config/{request['EndpointConfigName']}"}

    def describe_model(self, **request: Any) -> Request:
        _check("sagemaker", "DescribeModel", request)
        return _found(self.models, request["ModelName"])

    def get_paginator(self, method: str) -> "_Pages":
        assert method == "list_tags", method
        return _Pages(lambda ResourceArn: {"Tags": self.configs[ResourceArn.rpartition("/")[2]]["Tags"]})

    def _model_of(self, config: str) -> Request:
        return self.models[self.configs[config]["ProductionVariants"][0]["ModelName"]]


@dataclass(frozen=True, slots=True)
class CloudWatch:
    """CloudWatch's stand-in: alarms, and metrics from the endpoint's counters."""

    world: World

    def put_metric_alarm(self, **request: Any) -> None:
        _check("cloudwatch", "PutMetricAlarm", request)
        self.world.alarms[request["AlarmName"]] = request

    def delete_alarms(self, **request: Any) -> None:
        _check("cloudwatch", "DeleteAlarms", request)
        for name in request["AlarmNames"]:
            self.world.alarms.pop(name, None)

    def get_paginator(self, method: str) -> "_Pages":
        assert method == "describe_alarms", method
        return _Pages(lambda AlarmNamePrefix: {"MetricAlarms": self._alarms(AlarmNamePrefix)})

    def _alarms(self, prefix: str) -> list[Request]:
        return [alarm for name, alarm in self.world.alarms.items() if name.startswith(prefix)]

    def get_metric_statistics(self, **request: Any) -> Request:
        _check("cloudwatch", "GetMetricStatistics", request)
        dimensions = {dimension["Name"]: dimension["Value"] for dimension in request["Dimensions"]}
        samples = self.world.samples.get(dimensions["EndpointConfigName"], [])
        if not samples:
            return {"Datapoints": []}
        counted = samples[-1]
        value = {
            "Invocations": counted.invocations,
            "Invocation4XXErrors": counted.errors_4xx,
            "Invocation5XXErrors": counted.errors_5xx,
            "ModelLatency": counted.latency,
        }[request["MetricName"]]
        return {"Datapoints": [{"Sum": value, "SampleCount": counted.invocations}]}


class _Sts:
    def get_caller_identity(self) -> Request:
        return {"Arn": CALLER}


@dataclass(frozen=True, slots=True)
class _Pages:
    page: Callable[..., Request]

    def paginate(self, **arguments: Any) -> Iterator[Request]:
        yield self.page(**arguments)


def _found(things: Mapping[str, Request], name: str) -> Request:
    if name not in things:
        error = {"Error": {"Code": "ValidationException", "Message": f"Could not find {name}"}}
        raise ClientError(cast(Any, error), "Describe")
    return things[name]


_session = botocore.session.get_session()


def _check(service: str, operation: str, request: Mapping[str, Any]) -> None:
    shape = _session.get_service_model(service).operation_model(operation).input_shape
    assert shape is not None
    report = ParamValidator().validate(request, shape)
    if report.has_errors():
        raise ParamValidationError(report=report.generate_report())
