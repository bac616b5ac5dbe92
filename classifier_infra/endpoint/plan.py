"""Plan the steps from the current state of an endpoint to the requested one. Pure: equal states give equal plans.

A plan leaves out what exists already, so that an interrupted command can be run again and continues.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from classifier_infra.endpoint.autoscaling import CurrentScaling, Scaling, policy_request, scalable, target_request
from classifier_infra.endpoint.checks import describe_shape
from classifier_infra.endpoint.history import BEGUN, Event
from classifier_infra.endpoint.inventory import Config, Inventory, Model, Orphan, is_ours
from classifier_infra.endpoint.requests import ENDPOINT_TAG, Deployment, Hosted
from classifier_infra.endpoint.rollout import Strategy, alarm_requests, max_seconds, update_request


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS call that changes something: the field of Clients, boto3's method, and its arguments."""

    service: str
    method: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """Copy a model folder into the model store, under its version."""

    folder: Path
    version: str


@dataclass(frozen=True, slots=True)
class Await:
    """Wait until an endpoint is in service with a configuration, or, with None, until it is deleted."""

    endpoint: str
    config: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """Ask an endpoint the canaries of its model."""

    endpoint: str
    version: str


@dataclass(frozen=True, slots=True)
class Activate:
    """Name the version in active.json, which all functions read."""

    version: str


@dataclass(frozen=True, slots=True)
class RecordEvent:
    """Add an event to an endpoint's history."""

    endpoint: str
    event: Event


Action = Call | Upload | Await | SmokeTest | Activate | RecordEvent


@dataclass(frozen=True, slots=True)
class Step:
    """An action, and the sentence that announces it."""

    description: str
    action: Action


# SageMaker's limit for the start of a container; instances take minutes before that.
_CREATION_SECONDS = 3600
_DELETION_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class CurrentState:
    """The state of the account and the model store. `alarms` are the names of the endpoint's own alarms."""

    hosted: Hosted | None = None
    has_model: bool = False
    has_config: bool = False
    alarms: Sequence[str] = ()
    is_stored: bool = True
    active: str | None = None
    history: Sequence[Event] = field(default_factory=tuple)

    @property
    def last_event(self) -> Event | None:
        return self.history[-1] if self.history else None

    def serves(self, deployment: Deployment) -> bool:
        hosted = self.hosted
        return hosted is not None and hosted.is_in_service and hosted.config == deployment.config_name


def plan_deploy(deployment: Deployment, state: CurrentState, event: Event, folder: Path | None = None) -> list[Step]:
    """Plan a new endpoint. `folder` has the model, if the store does not have it yet."""
    steps = [*_upload(deployment, state, folder), *_model_and_config(deployment, state)]
    if state.hosted is None:
        description = f"Create the endpoint {deployment.endpoint} of it: from now on it costs money"
        steps.append(Step(description, Call("sagemaker", "create_endpoint", deployment.endpoint_request())))
    if not state.serves(deployment):
        steps.append(_await(deployment, _CREATION_SECONDS))
    return steps + list(_activation(deployment, state, event))


def plan_update(
    deployment: Deployment, state: CurrentState, strategy: Strategy, event: Event, folder: Path | None = None
) -> list[Step]:
    """Plan the change of an endpoint to another model: a promotion or a rollback."""
    hosted = state.hosted
    assert hosted is not None, "only an existing endpoint can be changed"
    steps = [*_begun(deployment, state, event), *_upload(deployment, state, folder)]
    steps += _model_and_config(deployment, state)
    if deployment.config_name not in (hosted.config, hosted.pending):
        steps += _alarms(deployment, state, strategy)
        steps.append(_update(deployment, strategy, hosted))
    if not state.serves(deployment):
        steps.append(_await(deployment, _CREATION_SECONDS + max_seconds(strategy)))
    return steps + list(_activation(deployment, state, event)) + list(_old_alarms(deployment, state))


def plan_after_rollback(deployment: Deployment, alarms: Sequence[str], event: Event) -> list[Step]:
    """Plan the cleanup after SageMaker rolled back to the old fleet, and the history entry."""
    watching = _alarms_of(deployment, alarms)
    steps = [_delete_alarms(watching)] if watching else []
    return [
        *steps,
        Step(
            f"Write into the history that {event.version} was {event.outcome}", RecordEvent(deployment.endpoint, event)
        ),
    ]


def plan_delete(
    endpoint: str, inventory: Inventory, current: CurrentScaling, history: Sequence[Event], event: Event
) -> list[Step]:
    """Plan the deletion of an endpoint and of all that was made for it, except models in the model store."""
    steps = list(_scaling_removal(endpoint, current))
    found = next((each for each in inventory.endpoints if each.name == endpoint), None)
    if found and found.status != "Deleting":
        description = f"Delete the endpoint {endpoint}: it stops answering, and costs nothing from then on"
        steps.append(Step(description, Call("sagemaker", "delete_endpoint", {"EndpointName": endpoint})))
    if found:
        steps.append(Step("Wait until it is deleted", Await(endpoint, None, _DELETION_SECONDS)))
    steps += _leftovers(endpoint, inventory)
    is_known = not history or history[-1].outcome == event.outcome
    if steps or not is_known:
        steps.append(Step("Write into the history who deleted it", RecordEvent(endpoint, event)))
    return steps


def _scaling_removal(endpoint: str, current: CurrentScaling) -> Iterator[Step]:
    for name in current.policies:
        arguments = scalable(endpoint) | {"PolicyName": name}
        yield Step(f"Delete the scaling policy {name}", Call("scaling", "delete_scaling_policy", arguments))
    if current.is_target:
        call = Call("scaling", "deregister_scalable_target", scalable(endpoint))
        yield Step("End auto scaling: the endpoint keeps the instances it has", call)


def _leftovers(endpoint: str, inventory: Inventory) -> Iterator[Step]:
    alarms = [alarm.name for alarm in inventory.alarms if alarm.endpoint == endpoint and alarm.config]
    if alarms:
        yield _delete_alarms(alarms)
    made: list[Config | Model] = [*inventory.configs, *inventory.models]
    for each in made:
        if is_ours(each.tags) and each.tags.get(ENDPOINT_TAG) == endpoint:
            yield _delete("configuration" if isinstance(each, Config) else "model", each.name)


def plan_autoscale(endpoint: str, scaling: Scaling | None, current: CurrentScaling) -> list[Step]:
    """Plan auto scaling, or its end if `scaling` is None."""
    if scaling is None:
        return list(_scaling_removal(endpoint, current))
    if scaling == current.scaling:
        return []
    target, policy = target_request(endpoint, scaling), policy_request(endpoint, scaling)
    limits = f"Allow the endpoint {scaling.minimum} to {scaling.maximum} instances"
    measure = (
        f"Aim at {scaling.invocations:g} invocations a minute for each instance; after more instances wait "
        f"{scaling.out_cooldown} s, after fewer {scaling.in_cooldown} s"
    )
    return [
        Step(limits, Call("scaling", "register_scalable_target", target)),
        Step(measure, Call("scaling", "put_scaling_policy", policy)),
    ]


def plan_delete_orphans(orphans: Sequence[Orphan]) -> list[Step]:
    """Plan the deletion of orphans, endpoints first."""
    endpoints = [_delete("endpoint", orphan.name) for orphan in orphans if orphan.kind == "endpoint"]
    alarms = [orphan.name for orphan in orphans if orphan.kind == "alarm"]
    others = [_delete(orphan.kind, orphan.name) for orphan in orphans if orphan.kind in ("configuration", "model")]
    return [*endpoints, *([_delete_alarms(alarms)] if alarms else []), *others]


def _delete(kind: str, name: str) -> Step:
    method, argument = {
        "endpoint": ("delete_endpoint", "EndpointName"),
        "configuration": ("delete_endpoint_config", "EndpointConfigName"),
        "model": ("delete_model", "ModelName"),
    }[kind]
    return Step(f"Delete the {kind} {name}", Call("sagemaker", method, {argument: name}))


def _upload(deployment: Deployment, state: CurrentState, folder: Path | None) -> Iterator[Step]:
    if folder is not None and not state.is_stored:
        model = deployment.model
        yield Step(f"Copy the model {model.version} from {folder} to {model.url}", Upload(folder, model.version))


def _model_and_config(deployment: Deployment, state: CurrentState) -> Iterator[Step]:
    if not state.has_model:
        description = (
            f"Create the model {deployment.model_name} from {deployment.model.url} with the role {deployment.role}"
        )
        yield Step(description, Call("sagemaker", "create_model", deployment.model_request()))
    if not state.has_config:
        description = f"Create the endpoint configuration {deployment.config_name}: {describe_shape(deployment.shape)}"
        if deployment.capture:
            description += (
                f"; {deployment.capture.percentage}% of requests and answers are captured to {deployment.capture.uri}"
            )
        yield Step(description, Call("sagemaker", "create_endpoint_config", deployment.config_request()))


def _begun(deployment: Deployment, state: CurrentState, event: Event) -> Iterator[Step]:
    begun = replace(event, outcome=BEGUN)
    if not event.is_same_as(state.last_event) and not begun.is_same_as(state.last_event):
        yield Step(
            f"Write into the history that the {event.action} of {event.version} has begun",
            RecordEvent(deployment.endpoint, begun),
        )


def _alarms(deployment: Deployment, state: CurrentState, strategy: Strategy) -> Iterator[Step]:
    if strategy.limits is None:
        return
    # An alarm that went off in an earlier attempt would stay on: its state outlives an update.
    if tried_before := _alarms_of(deployment, state.alarms):
        yield _delete_alarms(tried_before)
    for request in alarm_requests(deployment.endpoint, deployment.config_name, strategy.limits):
        description = f"Create the alarm {request['AlarmName']}: {request['AlarmDescription']}"
        yield Step(description, Call("cloudwatch", "put_metric_alarm", request))


def _update(deployment: Deployment, strategy: Strategy, hosted: Hosted) -> Step:
    request = update_request(deployment.endpoint, deployment.config_name, strategy, hosted.count)
    description = (
        f"Change the endpoint {deployment.endpoint} to {deployment.model.version}, {_describe(strategy, request)}"
    )
    return Step(description, Call("sagemaker", "update_endpoint", request))


def _describe(strategy: Strategy, request: dict[str, object]) -> str:
    if "DeploymentConfig" not in request or strategy.kind == "all-at-once":
        return "all traffic at once" + (f", the old fleet stays {strategy.bake} s" if strategy.bake else "")
    part = f"{strategy.percent}% of the traffic"
    if strategy.kind == "canary":
        return f"{part} for {strategy.wait} s, then all of it; the old fleet stays {strategy.bake} s more"
    return f"{part} every {strategy.wait} s; the old fleet stays {strategy.bake} s after that"


def _await(deployment: Deployment, seconds: int) -> Step:
    return Step("Wait until it is in service", Await(deployment.endpoint, deployment.config_name, seconds))


def _activation(deployment: Deployment, state: CurrentState, event: Event) -> Iterator[Step]:
    version = deployment.model.version
    is_active, is_known = state.active == version, event.is_same_as(state.last_event)
    if state.serves(deployment) and is_active and is_known:
        return
    yield Step("Ask it the model's canaries, and compare", SmokeTest(deployment.endpoint, version))
    if not is_active:
        yield Step(f"Name {version} in active.json, so that all functions read its answers", Activate(version))
    if not is_known:
        yield Step(
            f"Write into the history who brought {version} into service", RecordEvent(deployment.endpoint, event)
        )


def _old_alarms(deployment: Deployment, state: CurrentState) -> Iterator[Step]:
    current = _alarms_of(deployment, state.alarms)
    old = [name for name in state.alarms if name not in current]
    if old:
        yield _delete_alarms(old)


def _alarms_of(deployment: Deployment, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{deployment.config_name}-")]


def _delete_alarms(names: Sequence[str]) -> Step:
    description = f"Delete {len(names)} alarms that are no longer needed: {', '.join(names)}"
    return Step(description, Call("cloudwatch", "delete_alarms", {"AlarmNames": list(names)}))
