"""Alarms watch metrics that are really written, notify a person, and have a section in the runbook."""

import ast
import io
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.pipeline.budget import Budget, BudgetedClassifier
from classifier_infra.inference import events
from classifier_infra.inference.events import build_report

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
BILLING = ROOT / "classifier_infra" / "account" / "billing.yml"
OURS = "BlazingTriage"

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def alarms(template) -> Mapping[str, Any]:
    return template.of_type("AWS::CloudWatch::Alarm")


@pytest.fixture(scope="module")
def billing() -> Mapping[str, Any]:
    # Imported here, because it takes half a second in each process that collects.
    from cfnlint.decode.cfn_yaml import load as load_template

    return load_template(str(BILLING))


@pytest.fixture(scope="module")
def emitted() -> set[tuple[str, str]]:
    """The metrics that the functions write, as (name, service), read from their output as Lambda does."""
    return {metric for service in _reporting_services() for metric in _written_by(service)}


def _reporting_services() -> set[str]:
    sources = [*(ROOT / "bot" / "lambdas").glob("*.py"), *(ROOT / "classifier_infra" / "lambdas").glob("*.py")]
    calls = (node for path in sources for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return {call.args[0].value for call in calls if getattr(call.func, "id", "") == "build_report"}


def _written_by(service: str) -> Iterator[tuple[str, str]]:
    happened = {
        events.EndpointFailed("reason"),
        events.FallbackServed(3),
        events.ModelNotChanged("reason"),
        events.CanariesMoved("version", "endpoint", ()),
    }
    counted = {each for each in vars(events).values() if getattr(each, "metric", None)}
    assert {type(each) for each in happened} == counted
    for event in happened:
        with redirect_stdout(io.StringIO()) as output:
            build_report(service)(event)
        (described,) = json.loads(output.getvalue())["_aws"]["CloudWatchMetrics"]
        assert described["Namespace"] == OURS
        assert described["Dimensions"] == [["service"]]
        yield from ((metric["Name"], service) for metric in described["Metrics"])


def _metrics(alarm: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "MetricName" in alarm:
        yield alarm
    yield from (each["MetricStat"]["Metric"] for each in alarm.get("Metrics", []) if "MetricStat" in each)


def _dimensions(metric: Mapping[str, Any]) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}


def test_every_condition_for_a_person_has_an_alarm(alarms):
    assert alarms.keys() == {
        "FrontErrors",
        "InteractiveErrors",
        "InstallErrors",
        "MessagesWaitTooLong",
        "PostsWaitTooLong",
        "SwitchesWait",
        "MessagesSetAside",
        "WorkerErrors",
        "ScheduledErrors",
        "EndpointErrors",
        "EndpointSlow",
        "EndpointUnanswered",
        "FallbackInUse",
        "CanaryMoved",
        "ModelNotChanged",
        "BudgetSpent",
    }


def test_alarms_look_at_metrics_that_the_code_writes(alarms, emitted):
    watched = {
        (metric["MetricName"], _dimensions(metric)["service"])
        for name, alarm in alarms.items()
        for metric in _metrics(alarm)
        if metric["Namespace"] == OURS and name != "BudgetSpent"
    }

    assert watched
    assert watched == emitted


def test_every_metric_that_the_dashboard_shows_of_us_is_written(template, emitted):
    rows = [row for widget in _widgets(template) for row in _written_out(widget["properties"].get("metrics", []))]
    shown = {(row[1], row[3]) for row in rows if row[0] == OURS and row[1] != "BudgetSpent"}

    assert shown == emitted


def _written_out(rows: list[list[Any]]) -> Iterator[list[Any]]:
    """Expand CloudWatch's abbreviations: "." is the value above, and "..." stands for all of them."""
    above: list[Any] = []
    for row in rows:
        row = [each for each in row if not isinstance(each, dict)]
        if row[0] == "...":
            row = [*above[: len(above) - len(row) + 1], *row[1:]]
        above = [old if each == "." else each for each, old in zip(row, [*above, *row][: len(row)], strict=True)]
        yield above


def test_the_dashboard_shows_every_alarm(template, alarms):
    (shown,) = [widget["properties"]["alarms"] for widget in _widgets(template) if widget["type"] == "alarm"]

    assert {re.fullmatch(r"\$\{(\w+)\.Arn\}", each)[1] for each in shown} == alarms.keys()


def test_no_widget_of_the_dashboard_lies_over_another(template):
    rows: dict[int, list[tuple[int, int]]] = {}
    for widget in _widgets(template):
        rows.setdefault(widget["y"], []).append((widget["x"], widget["x"] + widget["width"]))

    for spans in rows.values():
        assert all(end <= start for (_, end), (start, _) in pairwise(sorted(spans)))
        assert max(end for _, end in spans) <= 24


def _widgets(template) -> list[dict[str, Any]]:
    (dashboard,) = template.of_type("AWS::CloudWatch::Dashboard").values()
    return json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]


def test_the_line_that_the_filter_waits_for_is_the_one_that_the_worker_writes(template, caplog):
    (filter_,) = template.of_type("AWS::Logs::MetricFilter").values()

    class Spent(Budget):
        def spend(self, count: int, now: float) -> bool:
            return False

    class Silent:
        def predict(self, texts):
            return []

    BudgetedClassifier(Silent(), None, Spent(None, "table", 0), lambda: 0.0).predict(["text"])

    assert filter_["LogGroupName"] == {"Ref": "WorkerLogGroup"}
    assert filter_["FilterPattern"] == f'{{ $.message = "{caplog.records[0].getMessage()}" }}'


def test_every_alarm_notifies_of_its_start_and_its_end(alarms):
    for alarm in alarms.values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": "AlarmTopic"}]
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmDescription"]


def test_every_alarm_has_a_section_in_the_runbook_and_every_section_an_alarm(alarms, billing):
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    of_the_account = {name for name, each in billing["Resources"].items() if each["Type"] == "AWS::CloudWatch::Alarm"}

    assert sections.keys() == alarms.keys() | of_the_account
    for text in sections.values():
        assert re.findall(r"^\*\*(\w+)\*\*:", text, re.MULTILINE) == ["Means", "Look", "Do"]


def test_every_queue_that_a_function_reads_has_an_alarm_for_its_age_and_every_other_one_for_being_filled(
    template, alarms
):
    watched = {
        (_dimensions(metric)["QueueName"]["Fn::GetAtt"][0], metric["MetricName"])
        for alarm in alarms.values()
        for metric in _metrics(alarm)
        if metric["Namespace"] == "AWS/SQS"
    }

    read = {
        each["EventSourceArn"]["Fn::GetAtt"][0] for each in template.of_type("AWS::Lambda::EventSourceMapping").values()
    }
    assert watched == {
        (name, "ApproximateAgeOfOldestMessage" if name in read else "ApproximateNumberOfMessagesVisible")
        for name in template.of_type("AWS::SQS::Queue")
    }


def test_the_latency_of_the_endpoint_is_watched_in_microseconds(alarms):
    slow = alarms["EndpointSlow"]

    assert (slow["MetricName"], slow["Threshold"]) == ("ModelLatency", 500_000)
    assert _dimensions(slow).keys() == {"EndpointName", "VariantName"}


def test_the_errors_of_the_front_door_are_counted_by_the_gateway(template, alarms):
    (stage,) = [each["StageDescription"] for each in template.of_type("AWS::ApiGateway::Deployment").values()]
    counted = {
        each["ResourcePath"].replace("~1", "/").removeprefix("/")
        for each in stage["MethodSettings"]
        if each["MetricsEnabled"]
    }

    assert {_dimensions(metric)["Resource"] for metric in _metrics(alarms["FrontErrors"])} == counted


def test_the_billing_alarm_is_as_stated_and_in_no_regional_stack(billing, alarms):
    alarm = billing["Resources"]["EstimatedCharges"]["Properties"]

    assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/Billing", "EstimatedCharges")
    assert _dimensions(alarm) == {"Currency": "USD"}
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 10)
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 1
    assert alarm["Period"] == 6 * 60 * 60
    assert not [each for each in alarms.values() for metric in _metrics(each) if metric["Namespace"] == "AWS/Billing"]
