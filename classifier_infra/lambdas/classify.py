"""Lambda behind API Gateway: PUT /blazingtext, POST /explain, GET /labels, GET /health, GET /openapi.json."""

import logging
import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from classifier_infra.api.routes import create_api
from classifier_infra.inference.events import build_report
from classifier_infra.inference.settings import build_service, read_classifier_settings, require

_logger = Logger()
# The package's other loggers write JSON with the request's id as well.
logging.getLogger("classifier_infra")
copy_config_to_registered_loggers(_logger, include={"classifier_infra"})


@cache
def _api() -> APIGatewayRestResolver:
    service = build_service(read_classifier_settings(os.environ), build_report("classify"))
    return create_api(service.current, require(os.environ, "SITE_ORIGIN"), _logger)


# Explicitly off: an environment variable can switch on the logging of whole events, which contain texts.
@_logger.inject_lambda_context(log_event=False, correlation_id_path=correlation_paths.API_GATEWAY_REST)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway REST proxy event. Raises SettingError, naming the variable."""
    return _api().resolve(event, context)
