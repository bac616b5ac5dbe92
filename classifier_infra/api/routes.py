"""The routes of the classification API. No text is logged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError

from classifier_infra.api.errors import FAILURES, NOT_ALLOWED, NOT_FOUND, REFUSALS, REJECTED, Failure
from classifier_infra.api.openapi import DOCUMENT
from classifier_infra.api.request import Body, RefusedRequest, find_label, read_classify_request, read_explain_request
from classifier_infra.api.response import answer_json, answer_sentence, explanations_json, labels_json
from classifier_infra.inference.classifier import Answer, Classifier, ClassifierRejected, predict_each
from classifier_infra.model.prediction import Prediction

_JSON = "application/json"
_PLAIN = "text/plain"
_PLAIN_UTF8 = f"{_PLAIN}; charset=utf-8"
_PREFLIGHT_SECONDS = 3600
# API Gateway's id of the request, which is in the log too.
_REQUEST_ID = "X-Request-Id"

GetClassifier: TypeAlias = Callable[[float], Classifier]
"""Returns the classifier for a request with that many seconds left. Raises ClassifierUnavailable."""


def create_api(get_classifier: GetClassifier, site_origin: str, logger: Logger) -> APIGatewayRestResolver:
    """Build the handler of API Gateway REST events. Of web pages, only those of `site_origin` may call it."""
    cors = CORSConfig(site_origin, expose_headers=["Retry-After", _REQUEST_ID], max_age=_PREFLIGHT_SECONDS)
    # Explicitly off: Powertools' debugging, which an environment variable can switch on, prints whole requests.
    app = APIGatewayRestResolver(cors=cors, debug=False)
    routes = _Routes(app, get_classifier, logger)
    app.put("/blazingtext")(routes.classify)
    app.post("/explain")(routes.explain)
    app.get("/labels")(routes.labels)
    app.get("/health")(routes.health)
    app.get("/openapi.json")(routes.openapi)
    for kind, failure in FAILURES.items():
        app.exception_handler(kind)(partial(routes.fail, failure))
    app.exception_handler(RefusedRequest)(routes.refuse)
    app.not_found(routes.not_found)
    return app


@dataclass(frozen=True, slots=True)
class _Routes:
    app: APIGatewayRestResolver
    get_classifier: GetClassifier
    logger: Logger

    def classify(self) -> Response[Any]:
        request = read_classify_request(self._body())
        classifier = self._classifier()
        answers = predict_each(classifier, request.texts)
        _raise_common_failure(answers)
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
        label = None if request.label is None else find_label(request.label, classifier.manifest)
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
        return self._respond(DOCUMENT)

    # --- Failures -------------------------------------------------------------------------------------------

    def fail(self, failure: Failure, error: Exception) -> Response[Any]:
        failure.log(error, self.logger)
        return self._answer(failure.status, failure.body(error), _JSON, dict(failure.headers))

    def refuse(self, error: RefusedRequest) -> Response[Any]:
        return self.fail(Failure(REFUSALS[error.code], error.code), error)

    def not_found(self, error: NotFoundError) -> Response[Any]:
        documented = DOCUMENT["paths"].get(self.app.current_event.path.rstrip("/"), {})
        allowed = [method.upper() for method in documented]
        failure = replace(NOT_ALLOWED, headers={"Allow": ", ".join(allowed)}) if allowed else NOT_FOUND
        return self.fail(failure, error)

    # --- Event and response ----------------------------------------------------------------------------------

    def _body(self) -> Body:
        event = self.app.current_event
        return Body(self._header("content-type"), event.body, bool(event.is_base64_encoded))

    def _header(self, name: str) -> str:
        return self.app.current_event.headers.get(name, "")

    def _classifier(self) -> Classifier:
        return self.get_classifier(self.app.lambda_context.get_remaining_time_in_millis() / 1000)

    def _respond(self, body: Any, content_type: str = _JSON) -> Response[Any]:
        return self._answer(HTTPStatus.OK, body, content_type, {})

    def _answer(self, status: HTTPStatus, body: Any, content_type: str, headers: dict[str, str]) -> Response[Any]:
        context = self.app.current_event.get("requestContext") or {}
        return Response(status, content_type, body, {**headers, _REQUEST_ID: context.get("requestId", "")})


def _raise_common_failure(answers: Sequence[Answer]) -> None:
    """Raise a failure that is not one text's alone, or the first one where every text failed."""
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
