"""The HTTP status, error code, message and log line of each failure of the API."""

import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger

from classifier_infra.api.request import Refusal
from classifier_infra.inference.classifier import (
    ClassifierError,
    ClassifierRejected,
    ClassifierUnavailable,
    NotExplainable,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer to an exception. Without a `message`, the exception's own is sent."""

    status: HTTPStatus
    code: str
    message: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self, error: Exception) -> dict[str, Any]:
        return {"error": {"code": self.code, "message": self.message or str(error)}}

    def log(self, error: Exception, logger: Logger) -> None:
        if isinstance(error, ClassifierError):
            logger.warning(self.code, extra={"detail": str(error)})
        elif self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # Type and place only: the message of an unexpected error may quote the text.
            at = traceback.format_tb(error.__traceback__)
            logger.error(self.code, extra={"kind": type(error).__name__, "at": at})
        else:
            logger.info(self.code)


NOT_FOUND = Failure(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here; /openapi.json lists what is.")
NOT_ALLOWED = Failure(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", "This path is there for other methods.")
REJECTED = Failure(HTTPStatus.BAD_GATEWAY, "classifier_rejected", "The classifier refused the text.")
REFUSALS: Mapping[Refusal, HTTPStatus] = {
    "malformed_request": HTTPStatus.BAD_REQUEST,
    "too_long": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_content_type": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "nothing_readable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_label": HTTPStatus.UNPROCESSABLE_ENTITY,
}
FAILURES: Mapping[type[Exception], Failure] = {
    NotExplainable: Failure(
        HTTPStatus.NOT_IMPLEMENTED, "not_explainable", "This model is too large to be explained here."
    ),
    ClassifierRejected: REJECTED,
    ClassifierUnavailable: Failure(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "classifier_unavailable",
        "The classifier does not answer; try again shortly.",
        headers={"Retry-After": "5"},  # seconds
    ),
    Exception: Failure(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side."),
}
