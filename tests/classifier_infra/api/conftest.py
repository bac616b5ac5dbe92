"""The API of the classifier, with a small model in this process."""

import io
import json
import logging
import uuid

import pytest
from aws_lambda_powertools import Logger

from classifier_infra.api.routes import create_api
from classifier_infra.inference.classifier import ClassifierRejected, NotExplainable
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.model import load_model

SITE = "https://triage.example"
JSON = {"Content-Type": "application/json"}


class ModelClassifier:
    """The small model in this process. It raises `failure` if one is set, and refuses texts with `poison`."""

    def __init__(self, model):
        self.manifest = model.manifest
        self.failure = None
        self.caution = None
        self.texts = []
        self._model = model

    def predict(self, texts):
        self.texts += texts
        if self.failure:
            raise self.failure
        if any("poison" in text for text in texts):
            raise ClassifierRejected("the endpoint refused the texts")
        return EmbeddedClassifier(self._model, self.caution).predict(texts)

    def explain(self, text, facet, label):
        if self._model.explainer is None:
            raise NotExplainable("…")
        return self._model.explainer.explain(text, facet, label)


class Context:
    """Lambda's context, as far as the API uses it."""

    def get_remaining_time_in_millis(self):
        return 29_000


@pytest.fixture(scope="session")
def model(model_folder):
    return load_model(model_folder, in_memory=True)


@pytest.fixture
def classifier(model):
    return ModelClassifier(model)


@pytest.fixture
def log():
    return io.StringIO()


@pytest.fixture(scope="session")
def new_call(model, make_event):
    """Build an API; `call(method, path, body, headers)` returns status, body (parsed if it is JSON) and headers."""

    def new_call(classifier=None, log=None):
        # Loggers of the same name share the stream of the first one.
        logger = Logger(service=uuid.uuid4().hex, level=logging.DEBUG, stream=log or io.StringIO())
        api = create_api(lambda seconds: classifier or ModelClassifier(model), SITE, logger)

        def call(method, path, *event, **more):
            response = api.resolve(make_event(method, path, *event, **more), Context())
            headers = {name: ", ".join(values) for name, values in response["multiValueHeaders"].items()}
            is_json = headers.get("Content-Type") == "application/json"
            body = json.loads(response["body"]) if is_json else response["body"]
            return int(response["statusCode"]), body, headers

        return call

    return new_call


@pytest.fixture
def call(new_call, classifier, log):
    return new_call(classifier, log)


@pytest.fixture
def put(call):
    def put(body, headers=JSON, **more):
        return call(
            "PUT", "/blazingtext", body if body is None or isinstance(body, str) else json.dumps(body), headers, **more
        )

    return put
