"""Turns events into log lines and CloudWatch metrics."""

import logging
from dataclasses import asdict

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

from classifier_infra.inference.events import Event, Report

NAMESPACE = "BlazingTriage"

_log = logging.getLogger(__name__)


def build_report(service: str) -> Report:
    """Give what reports events of a function; `service` is the metrics' dimension.

    A metric is written at once, as a line of JSON on the standard output, which is how Lambda takes metrics.
    """
    metrics = Metrics(namespace=NAMESPACE, service=service)

    def report(event: Event) -> None:
        if event.message:
            _log.log(event.level, event.message, extra=asdict(event))
        if event.metric:
            metrics.add_metric(event.metric, MetricUnit.Count, event.amount)
            metrics.flush_metrics()

    return report
