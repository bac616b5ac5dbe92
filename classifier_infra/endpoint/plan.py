"""Which steps lead from what there is to what there should be. Pure: the same state always gives the same steps.

What is there already is left out of a plan. So a command that was interrupted is run again, and goes on.
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
from classifier_infra.endpoint.rollout import Strategy, alarm_requests, most_seconds, update_request


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an AWS API that changes something: boto3's names of the service and the method, and its arguments."""

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
    """Wait until an endpoint has settled in service with a configuration; None: until it is gone."""

    endpoint: str
    config: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """Ask an endpoint its model's canaries."""

    endpoint: str
    version: str


@dataclass(frozen=True, slots=True)
class Activate:
    """Tell everybody which version is in use."""

    version: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Add an event to an endpoint's history."""

    endpoint: str
    event: Event


Action = Call | Upload | Await | SmokeTest | Activate | Remember


@dataclass(frozen=True, slots=True)
class Step:
    """An action, and the sentence that explains it beforehand."""

    says: str
    action: Action


# SageMaker gives a container that long to start; an instance takes minutes before that.
_CREATION_SECONDS = 3600
_DELETION_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is: in the account and in the model store. `alarms` are the names of the endpoint's own."""

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


def plan_deploy(deployment: Deployment, seen: Seen, event: Event, folder: Path | None = None) -> list[Step]:
    """Plan a new endpoint. `folder` has the model where the store does not have it yet."""
    steps = [*_upload(deployment, seen, folder), *_model_and_config(deployment, seen)]
    if seen.hosted is None:
        says = f"Create the endpoint {deployment.endpoint} of it: from now on it costs money"
        steps.append(Step(says, Call("sagemaker", "create_endpoint", deployment.endpoint_request())))
    if not seen.serves(deployment):
        steps.append(_await(deployment, _CREATION_SECONDS))
    return steps + list(_into_use(deployment, seen, event))


def plan_update(
    deployment: Deployment, seen: Seen, strategy: Strategy, event: Event, folder: Path | None = None
) -> list[Step]:
    """Plan the change of an endpoint to another model: a promotion, or the way back."""
    hosted = seen.hosted
    assert hosted is not None, "only an endpoint that is there can be changed"
    steps = [*_announcement(deployment, seen, event), *_upload(deployment, seen, folder)]
    steps += _model_and_config(deployment, seen)
    if deployment.config_name not in (hosted.config, hosted.pending):
        steps += _alarms(deployment, seen, strategy)
        steps.append(_update(deployment, strategy, hosted))
    if not seen.serves(deployment):
        steps.append(_await(deployment, _CREATION_SECONDS + most_seconds(strategy)))
    return steps + list(_into_use(deployment, seen, event)) + list(_old_alarms(deployment, seen))


def plan_after_rollback(deployment: Deployment, alarms: Sequence[str], event: Event) -> list[Step]:
    """Plan what is left to do after SageMaker went back to the old fleet: tidy up, and write it down."""
    watching = _alarms_of(deployment, alarms)
    steps = [_delete_alarms(watching)] if watching else []
    return [
        *steps,
        Step(f"Write into the history that {event.version} was {event.outcome}", _remember(deployment, event)),
    ]


def plan_delete(
    endpoint: str, inventory: Inventory, scaled: CurrentScaling, history: Sequence[Event], event: Event
) -> list[Step]:
    """Plan the end of an endpoint and of all that was made for it; models stay in the model store."""
    steps = list(_end_of_scaling(endpoint, scaled))
    found = next((each for each in inventory.endpoints if each.name == endpoint), None)
    if found and found.status != "Deleting":
        says = f"Delete the endpoint {endpoint}: it answers nobody any more, and costs nothing"
        steps.append(Step(says, Call("sagemaker", "delete_endpoint", {"EndpointName": endpoint})))
    if found:
        steps.append(Step("Wait until it is gone", Await(endpoint, None, _DELETION_SECONDS)))
    steps += _left_of(endpoint, inventory)
    is_known = not history or history[-1].outcome == event.outcome
    if steps or not is_known:
        steps.append(Step("Write into the history who deleted it", Remember(endpoint, event)))
    return steps


def _end_of_scaling(endpoint: str, scaled: CurrentScaling) -> Iterator[Step]:
    for name in scaled.policies:
        arguments = scalable(endpoint) | {"PolicyName": name}
        yield Step(f"Delete the scaling policy {name}", Call("scaling", "delete_scaling_policy", arguments))
    if scaled.is_target:
        call = Call("scaling", "deregister_scalable_target", scalable(endpoint))
        yield Step("End auto scaling: the endpoint keeps the instances it has", call)


def _left_of(endpoint: str, inventory: Inventory) -> Iterator[Step]:
    alarms = [alarm.name for alarm in inventory.alarms if alarm.endpoint == endpoint and alarm.config]
    if alarms:
        yield _delete_alarms(alarms)
    made: list[Config | Model] = [*inventory.configs, *inventory.models]
    for each in made:
        if is_ours(each.tags) and each.tags.get(ENDPOINT_TAG) == endpoint:
            yield _delete("configuration" if isinstance(each, Config) else "model", each.name)


def plan_autoscale(endpoint: str, scaling: Scaling | None, scaled: CurrentScaling) -> list[Step]:
    """Plan auto scaling, or, where `scaling` is None, its end."""
    if scaling is None:
        return list(_end_of_scaling(endpoint, scaled))
    if scaling == scaled.scaling:
        return []
    target, policy = target_request(endpoint, scaling), policy_request(endpoint, scaling)
    limits = f"Let the endpoint have {scaling.least} to {scaling.most} instances"
    measure = (
        f"Aim at {scaling.invocations:g} invocations a minute for each instance; after more instances wait "
        f"{scaling.out_cooldown} s, after fewer {scaling.in_cooldown} s"
    )
    return [
        Step(limits, Call("scaling", "register_scalable_target", target)),
        Step(measure, Call("scaling", "put_scaling_policy", policy)),
    ]


def plan_delete_orphans(orphans: Sequence[Orphan]) -> list[Step]:
    """Plan the end of what belongs to nobody, endpoints first."""
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


def _upload(deployment: Deployment, seen: Seen, folder: Path | None) -> Iterator[Step]:
    if folder is not None and not seen.is_stored:
        model = deployment.model
        yield Step(f"Copy the model {model.version} from {folder} to {model.url}", Upload(folder, model.version))


def _model_and_config(deployment: Deployment, seen: Seen) -> Iterator[Step]:
    if not seen.has_model:
        says = f"Create the model {deployment.model_name} from {deployment.model.url} with the role {deployment.role}"
        yield Step(says, Call("sagemaker", "create_model", deployment.model_request()))
    if not seen.has_config:
        says = f"Create the endpoint configuration {deployment.config_name}: {describe_shape(deployment.shape)}"
        if deployment.capture:
            says += f"; {deployment.capture.percentage} % of requests and answers are kept at {deployment.capture.uri}"
        yield Step(says, Call("sagemaker", "create_endpoint_config", deployment.config_request()))


def _announcement(deployment: Deployment, seen: Seen, event: Event) -> Iterator[Step]:
    begun = replace(event, outcome=BEGUN)
    if not event.is_same_as(seen.last_event) and not begun.is_same_as(seen.last_event):
        yield Step(
            f"Write into the history that {event.version} is on its way ({event.action})", _remember(deployment, begun)
        )


def _alarms(deployment: Deployment, seen: Seen, strategy: Strategy) -> Iterator[Step]:
    if strategy.limits is None:
        return
    # One that rang when this was tried before would keep ringing: its state outlives an update.
    if tried_before := _alarms_of(deployment, seen.alarms):
        yield _delete_alarms(tried_before)
    for request in alarm_requests(deployment.endpoint, deployment.config_name, strategy.limits):
        says = f"Create the alarm {request['AlarmName']}: {request['AlarmDescription']}"
        yield Step(says, Call("cloudwatch", "put_metric_alarm", request))


def _update(deployment: Deployment, strategy: Strategy, hosted: Hosted) -> Step:
    request = update_request(deployment.endpoint, deployment.config_name, strategy, hosted.count)
    says = f"Change the endpoint {deployment.endpoint} to {deployment.model.version}, {_describe(strategy, request)}"
    return Step(says, Call("sagemaker", "update_endpoint", request))


def _describe(strategy: Strategy, request: dict[str, object]) -> str:
    if "DeploymentConfig" not in request or strategy.kind == "all-at-once":
        return "all traffic at once" + (f", the old fleet stays {strategy.bake} s" if strategy.bake else "")
    part = f"{strategy.percent} % of the traffic"
    if strategy.kind == "canary":
        return f"{part} for {strategy.wait} s, then all of it; the old fleet stays {strategy.bake} s more"
    return f"{part} every {strategy.wait} s; the old fleet stays {strategy.bake} s after that"


def _await(deployment: Deployment, seconds: int) -> Step:
    return Step("Wait until it is in service", Await(deployment.endpoint, deployment.config_name, seconds))


def _into_use(deployment: Deployment, seen: Seen, event: Event) -> Iterator[Step]:
    version = deployment.model.version
    is_active, is_known = seen.active == version, event.is_same_as(seen.last_event)
    if seen.serves(deployment) and is_active and is_known:
        return
    yield Step("Ask it the model's canaries, and compare", SmokeTest(deployment.endpoint, version))
    if not is_active:
        yield Step(f"Name {version} in active.json, so that all functions read its answers", Activate(version))
    if not is_known:
        yield Step(f"Write into the history who brought {version} into service", _remember(deployment, event))


def _old_alarms(deployment: Deployment, seen: Seen) -> Iterator[Step]:
    current = _alarms_of(deployment, seen.alarms)
    old = [name for name in seen.alarms if name not in current]
    if old:
        yield _delete_alarms(old)


def _alarms_of(deployment: Deployment, names: Sequence[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{deployment.config_name}-")]


def _delete_alarms(names: Sequence[str]) -> Step:
    says = f"Delete {len(names)} alarms that watch nothing any more: {', '.join(names)}"
    return Step(says, Call("cloudwatch", "delete_alarms", {"AlarmNames": list(names)}))


def _remember(deployment: Deployment, event: Event) -> Remember:
    return Remember(deployment.endpoint, event)
