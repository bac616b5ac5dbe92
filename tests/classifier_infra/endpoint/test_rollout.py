"""Traffic moves within the service's limits, or is refused where SageMaker would not move it that way."""

from dataclasses import replace

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.endpoint.requests import Hosted
from classifier_infra.endpoint.rollout import (
    AT_ONCE,
    KINDS,
    Limits,
    Strategy,
    StrategyError,
    alarm_requests,
    check_strategy,
    max_seconds,
    step_size,
    update_request,
)

SERVICE = botocore.session.get_session().get_service_model("sagemaker")
CLOUDWATCH = botocore.session.get_session().get_service_model("cloudwatch")
FLEET = Hosted("InService", "old", None, 2, 1, None)

strategies = st.builds(
    Strategy,
    kind=st.sampled_from(KINDS),
    percent=st.integers(1, 50),
    wait=st.integers(0, 3600),
    bake=st.integers(0, 3600),
    limits=st.none() | st.builds(Limits, st.floats(0, 100), st.floats(1, 60_000)),
)


@given(strategy=strategies, count=st.integers(2, 100))
def test_every_strategy_is_within_the_limits_of_the_service(strategy, count):
    check_strategy(strategy, replace(FLEET, count=count))

    request = update_request("small", "new", strategy, count)

    policy = request["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert not ParamValidator().validate(request, SERVICE.shape_for("UpdateEndpointInput")).has_errors()
    assert routing["Type"] in SERVICE.shape_for("TrafficRoutingConfigType").enum
    assert 0 <= routing["WaitIntervalInSeconds"] <= 3600
    assert 600 <= policy["MaximumExecutionTimeoutInSeconds"] <= 28_800
    assert policy["MaximumExecutionTimeoutInSeconds"] > policy["TerminationWaitInSeconds"]
    if strategy.kind != "all-at-once":
        size = routing["CanarySize" if strategy.kind == "canary" else "LinearStepSize"]
        assert size["Type"] in SERVICE.shape_for("CapacitySizeType").enum
        assert 1 <= size["Value"] <= count / 2


@pytest.mark.parametrize(("percent", "count", "size"), [(50, 2, 1), (25, 2, 1), (25, 4, 1), (50, 5, 2), (10, 20, 2)])
def test_a_step_is_at_least_one_instance_and_at_most_half_of_the_fleet(percent, count, size):
    assert step_size(Strategy(percent=percent), count) == size


def test_the_timeout_of_a_linear_deployment_covers_all_steps():
    assert max_seconds(Strategy("linear", 10, wait=600, bake=300)) == 1800 + 10 * 600 + 300
    assert max_seconds(Strategy("linear", 1, wait=3600)) == 28_800


@given(limits=st.builds(Limits, st.floats(0, 100), st.floats(1, 60_000)))
def test_alarms_are_valid_and_watch_only_the_new_fleet(limits):
    requests = alarm_requests("small", "new", limits)

    for request in requests:
        assert not ParamValidator().validate(request, CLOUDWATCH.shape_for("PutMetricAlarmInput")).has_errors()
        assert request["ComparisonOperator"] in CLOUDWATCH.shape_for("ComparisonOperator").enum
        assert {"Name": "EndpointConfigName", "Value": "new"} in request["Dimensions"]
    by_metric = {request["MetricName"]: request["Threshold"] for request in requests}
    assert by_metric["Invocation5XXErrors"] == limits.error_percent / 100
    assert by_metric["ModelLatency"] == limits.latency_ms * 1000  # microseconds


@pytest.mark.parametrize("strategy", [Strategy(), Strategy("linear"), AT_ONCE])
def test_boto3_accepts_the_request(strategy):
    client = boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    request = update_request("small", "new", strategy, 4)
    with Stubber(client) as stubber:
        answer = {"EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/small"}
        stubber.add_response("update_endpoint", answer, request)

        client.update_endpoint(**request)

        stubber.assert_no_pending_responses()
    client.close()


@pytest.mark.parametrize(
    ("strategy", "complaint"),
    [
        (Strategy(percent=0), "0% is not 1 to 50"),
        (Strategy(percent=51), "51% is not 1 to 50"),
        (Strategy(wait=3601), "waits 3600 seconds at most"),
        (Strategy(bake=9999), "waits 3600 seconds at most"),
        (Strategy(limits=Limits(latency_ms=0)), "the latency limit must be over 0"),
    ],
)
def test_what_sagemaker_would_refuse_is_refused_in_advance(strategy, complaint):
    with pytest.raises(StrategyError, match=complaint):
        check_strategy(strategy, FLEET)


def test_several_variants_are_not_moved_in_steps():
    with pytest.raises(StrategyError, match="several variants"):
        check_strategy(Strategy(), replace(FLEET, variant_count=2))
