"""The HTTP API: its routes.

The requests' shapes are in api_request.py, the answers' in api_answer.py, the failures' in api_failure.py, OpenAPI's
account of them in api_document.py. No text is logged.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from classifier_infra.api import openapi as api_document
from classifier_infra.api.errors import FAILURES, NOT_ALLOWED, NOT_FOUND, REJECTED, Failure
from classifier_infra.api.request import Body, read_classify_request, read_explain_request, read_label
from classifier_infra.api.response import answer_json, answer_sentence, explanations_json, labels_json
from classifier_infra.inference.classifier import Answer, Classifier, ClassifierRejected, predict_each
from classifier_infra.model.prediction import Prediction

_JSON = "application/json"
_PLAIN = "text/plain"
_PLAIN_UTF8 = f"{_PLAIN}; charset=utf-8"
_PREFLIGHT_SECONDS = 3600
# API Gateway's own id of the request, which the log has too.
_REQUEST_ID = "X-Request-Id"

Current: TypeAlias = Callable[[float], Classifier]
"""Gives the classifier for a request that has so many seconds left. Raises ClassifierUnavailable."""


def create_api(current: Current, site_origin: str, logger: Logger) -> APIGatewayRestResolver:
    """Build the handler of API Gateway REST events; pages of `site_origin` alone may call it from a browser."""
    cors = CORSConfig(site_origin, expose_headers=["Retry-After", _REQUEST_ID], max_age=_PREFLIGHT_SECONDS)
    # Debugging, which an environment variable could switch on, prints whole requests.
    app = APIGatewayRestResolver(cors=cors, debug=False)
    routes = _Routes(app, current, logger)
    handlers = {
        "PUT /blazingtext": routes.classify,
        "POST /explain": routes.explain,
        "GET /labels": routes.labels,
        "GET /health": routes.health,
        "GET /openapi.json": routes.openapi,
    }
    for route, handler in handlers.items():
        method, path = route.split()
        app.route(path, method, **api_document.ROUTES[route])(handler)
    for kind, failure in FAILURES.items():
        app.exception_handler(kind)(partial(routes.fail, failure))
    app.not_found(routes.not_found)
    return app


@dataclass(frozen=True, slots=True)
class _Routes:
    app: APIGatewayRestResolver
    current: Current
    logger: Logger

    def classify(self) -> Response[Any]:
        request = read_classify_request(self._body())
        classifier = self._classifier()
        answers = predict_each(classifier, request.texts)
        _raise_what_concerns_all(answers)
        self.logger.info("classified", extra={"texts": len(answers)})
        if _wants_sentences(self._header("accept")):
            return self._respond("\n".join(_sentence(answer, classifier) for answer in answers), _PLAIN_UTF8)
        results = [
            _result(text, answer, classifier, request.explain)
            for text, answer in zip(request.texts, answers, strict=True)
        ]
        return self._respond({"results": results} if request.is_list else results[0])

    def explain(self) -> Response[Any]:
        request = read_explain_request(self._body())
        classifier = self._classifier()
        label = read_label(request, classifier.manifest)
        [prediction] = classifier.predict([request.text])
        labels = [label] if label else _best_labels(prediction)
        explanations = [classifier.explain(request.text, *each) for each in labels]
        self.logger.info("explained")
        return self._respond(explanations_json(explanations, prediction, classifier.manifest))

    def labels(self) -> Response[Any]:
        return self._respond(labels_json(self._classifier().manifest))

    def health(self) -> Response[Any]:
        return self._respond({"status": "ok", "model": {"version": self._classifier().manifest.version}})

    def openapi(self) -> Response[Any]:
        return self._respond(_document(self.app))

    # --- Failures -------------------------------------------------------------------------------------------

    def fail(self, failure: Failure, error: Exception) -> Response[Any]:
        failure.log(error, self.logger)
        return self._answer(failure.status, failure.body(error), _JSON, dict(failure.headers))

    def not_found(self, error: NotFoundError) -> Response[Any]:
        allowed = _methods_of(self.app.current_event.path)
        failure = replace(NOT_ALLOWED, headers={"Allow": ", ".join(allowed)}) if allowed else NOT_FOUND
        return self.fail(failure, error)

    # --- The event and its answer ---------------------------------------------------------------------------

    def _body(self) -> Body:
        event = self.app.current_event
        return Body(self._header("content-type"), event.body, bool(event.is_base64_encoded))

    def _header(self, name: str) -> str:
        return self.app.current_event.headers.get(name, "")

    def _classifier(self) -> Classifier:
        return self.current(self.app.lambda_context.get_remaining_time_in_millis() / 1000)

    def _respond(self, body: Any, content_type: str = _JSON) -> Response[Any]:
        return self._answer(HTTPStatus.OK, body, content_type, {})

    def _answer(self, status: HTTPStatus, body: Any, content_type: str, headers: dict[str, str]) -> Response[Any]:
        context = self.app.current_event.get("requestContext") or {}
        return Response(status, content_type, body, {**headers, _REQUEST_ID: context.get("requestId", "")})


def _raise_what_concerns_all(answers: Sequence[Answer]) -> None:
    """Raise the failure that no single text is to blame for, or that leaves nothing to answer."""
    failures = [answer for answer in answers if isinstance(answer, Exception)]
    for failure in failures:
        if len(failures) == len(answers) or not isinstance(failure, ClassifierRejected):
            raise failure


def _result(text: str, answer: Answer, classifier: Classifier, explain: bool) -> dict[str, Any]:
    if isinstance(answer, Exception):
        return REJECTED.body(answer)
    labels = _best_labels(answer) if explain else []
    return answer_json(answer, classifier.manifest, [classifier.explain(text, *each) for each in labels])


def _sentence(answer: Answer, classifier: Classifier) -> str:
    return str(REJECTED.message) if isinstance(answer, Exception) else answer_sentence(answer, classifier.manifest)


def _best_labels(prediction: Prediction) -> list[tuple[str, str]]:
    return [(facet, found.name) for facet, found in prediction.facets.items()]


def _wants_sentences(accept: str) -> bool:
    media_types = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return _PLAIN in media_types and _JSON not in media_types


def _methods_of(path: str) -> list[str]:
    routes = [route.split() for route in api_document.ROUTES]
    return [method for method, known in routes if known == path.rstrip("/")]


def _document(app: APIGatewayRestResolver) -> dict[str, Any]:
    text = app.get_openapi_json_schema(title=api_document.TITLE, version=api_document.VERSION)
    # Powertools' own schemas describe a validation that is not used here.
    document: dict[str, Any] = json.loads(text) | {"components": {"schemas": api_document.SCHEMAS}}
    return document
