"""API Gateway's own part: throttling, logs and answers."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.node


@pytest.fixture
def stage(template) -> dict[str, Any]:
    (deployment,) = template.of_type("AWS::ApiGateway::Deployment").values()
    return deployment["StageDescription"]


def test_every_route_is_throttled_and_those_that_cost_the_endpoint_more_so(stage):
    limits = {
        (each["HttpMethod"], each["ResourcePath"]): (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"])
        for each in stage["MethodSettings"]
    }

    assert limits["*", "/*"] == (200, 400)
    assert limits["PUT", "/~1blazingtext"] == limits["POST", "/~1explain"] == (20, 40)
    assert limits["GET", "/~1slack~1install"] == limits["GET", "/~1slack~1oauth_redirect"] == (20, 40)


def test_nothing_that_people_wrote_gets_into_the_gateways_logs(template, stage):
    fields = set(json.loads(stage["AccessLogSetting"]["Format"]).values())

    assert fields == {
        "$context.requestId",
        "$context.requestTime",
        "$context.identity.sourceIp",
        "$context.httpMethod",
        "$context.resourcePath",
        "$context.status",
        "$context.responseLatency",
        "$context.responseLength",
        "$context.error.responseType",
    }
    for setting in stage["MethodSettings"]:
        assert (setting["LoggingLevel"], setting["DataTraceEnabled"]) == ("OFF", False)


def test_access_logs_are_kept_for_a_stated_time(template, stage):
    group = stage["AccessLogSetting"]["DestinationArn"]["Fn::GetAtt"][0]

    assert template.resources[group]["Properties"]["RetentionInDays"] == 30


def test_the_page_can_read_every_answer_of_the_gateway_itself(template):
    responses = {each["ResponseType"]: each for each in template.of_type("AWS::ApiGateway::GatewayResponse").values()}

    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "REQUEST_TOO_LARGE"} == responses.keys()
    for response in responses.values():
        headers = response["ResponseParameters"]
        allowed = headers["gatewayresponse.header.Access-Control-Allow-Origin"]
        assert allowed == {"Fn::Sub": "'https://${SiteDistribution.DomainName}'"}
        assert "Retry-After" in headers["gatewayresponse.header.Access-Control-Expose-Headers"]
        body = response["ResponseTemplates"]["application/json"].replace("$context.error.messageString", '"message"')
        assert json.loads(body)["error"].keys() == {"code", "message"}


def test_a_throttled_client_learns_when_to_retry(template):
    (response,) = [
        each
        for each in template.of_type("AWS::ApiGateway::GatewayResponse").values()
        if each["ResponseType"] == "THROTTLED"
    ]

    assert response["StatusCode"] == "429"
    assert response["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


def test_the_api_is_deployed_after_the_answers_that_belong_to_it(template):
    (deployment,) = [each for each in template.resources.values() if each["Type"] == "AWS::ApiGateway::Deployment"]
    answers = template.of_type("AWS::ApiGateway::GatewayResponse").keys()

    assert {*answers, "ApiGatewayAccount"} <= set(deployment["DependsOn"])
