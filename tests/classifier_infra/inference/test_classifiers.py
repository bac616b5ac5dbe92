"""The promises of every classifier: the endpoint, the model in this process, and the endpoint with that fallback.

Each is built from settings, as in the Lambda functions.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier_infra.inference.classifier import ClassifierRejected, ClassifierUnavailable, predict_each
from classifier_infra.inference.endpoint import FAILURES_TO_OPEN
from classifier_infra.inference.events import EndpointFailed, FallbackServed, SwitchedOver
from classifier_infra.inference.settings import build_service, read_classifier_settings
from classifier_infra.local.faults import Fault
from classifier_infra.model.prediction import Familiarity

MODES = ("endpoint", "embedded", "endpoint-with-fallback")
TEXTS = st.lists(
    st.sampled_from(["invoice", "crash urgent", "Thanks!!", "3 hours", "помогите", "charged €1"]), max_size=9
)


def build(mode, model_folder: Path, events, **more):
    environment = {"CLASSIFIER": mode, "ENDPOINT_NAME": "small", "MODEL_MANIFEST": str(model_folder / "manifest.json")}
    return build_service(read_classifier_settings(environment | more), events.append).current(30)


@pytest.fixture
def events():
    return []


@pytest.fixture(params=[*MODES, "fallback alone"])
def classifier(request, host, model_folder, events):
    if request.param != "fallback alone":
        return build(request.param, model_folder, events)
    host.fail(Fault("model-500"))
    return build("endpoint-with-fallback", model_folder, events)


def best(prediction):
    return {name: facet.name for name, facet in prediction.facets.items()}


def test_a_batch_is_classified_in_order(classifier):
    first, second = classifier.predict(["INVOICE, charged!", "Crash: urgent"])

    assert best(first)["category"] == "billing"
    assert best(second) == {"category": "technical", "urgency": "high", "tone": "negative"}


def test_confidences_are_those_that_the_model_was_made_with(classifier):
    [prediction] = classifier.predict(["Crash: urgent"])

    # softmax(-7/3, -2/3, 9/3), the means of the weights of crash, urgent and </s>; the model does not know `:`.
    assert prediction.facets["urgency"].confidence == pytest.approx(0.9705, abs=1e-4)


def test_a_prediction_says_by_which_model_and_of_how_many_familiar_words_it_is(classifier):
    [prediction] = classifier.predict(["My invoice, 3 crash"])

    assert (prediction.model_version, prediction.familiarity) == ("test-1", Familiarity(2, 3))
    assert prediction.caution is None


def test_no_texts_have_no_predictions(classifier, host):
    asked = len(host.requests)

    assert classifier.predict([]) == []
    assert len(host.requests) == asked


@pytest.mark.parametrize("nothing", ["", " \n", "\0", "\ufe0f"])
def test_a_text_without_a_word_is_refused_before_anyone_is_asked(classifier, host, nothing):
    asked = len(host.requests)

    with pytest.raises(ValueError, match="text 2 of 2 has no word to classify"):
        classifier.predict(["invoice", nothing])

    assert len(host.requests) == asked


@pytest.mark.parametrize("text", ["__label__billing", "</s> crash", "a\0b\nc", "x" * 40_000, "invoice \ud800"])
def test_any_text_with_a_word_is_classified(classifier, text):
    [prediction] = classifier.predict([text])

    assert set(prediction.facets) == {"category", "urgency", "tone"}


def test_a_hundred_texts_take_one_call_at_most(classifier, host):
    asked = len(host.requests)

    predictions = classifier.predict(["the invoice was charged twice, urgent"] * 100)

    assert len(predictions) == 100
    assert len(host.requests) - asked <= 1


def test_every_classifier_explains_words(classifier):
    explanation = classifier.explain("Invoice crash", "category", "billing")

    assert [word.word for word in explanation.words] == ["invoice", "crash"]
    assert explanation.words[0].contribution > 0 > explanation.words[1].contribution


@pytest.fixture
def all_classifiers(host, model_folder):
    return [build(mode, model_folder, []) for mode in MODES]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(texts=TEXTS)
def test_all_give_the_same_predictions(all_classifiers, texts):
    first, *others = [classifier.predict(texts) for classifier in all_classifiers]

    for other in others:
        assert [confidences(prediction) for prediction in other] == [
            pytest.approx(confidences(prediction), abs=1e-9) for prediction in first
        ]


def confidences(prediction):
    return {
        f"{facet}={score.name}": score.confidence
        for facet, found in prediction.facets.items()
        for score in found.scores
    }


# --- Who serves -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "served_by"), [("endpoint", "endpoint"), ("embedded", "embedded"), ("endpoint-with-fallback", "endpoint")]
)
def test_a_prediction_names_its_server(host, model_folder, events, mode, served_by):
    [prediction] = build(mode, model_folder, events).predict(["invoice"])

    assert prediction.served_by == served_by
    assert events == []


def test_embedded_alone_needs_no_sagemaker_no_region_and_no_endpoint(model_folder, monkeypatch):
    monkeypatch.setattr("boto3.client", lambda *names, **options: pytest.fail(f"{names} was asked for"))
    settings = read_classifier_settings({"CLASSIFIER": "embedded", "MODEL_MANIFEST": str(model_folder / "m.json")})

    [prediction] = build_service(settings, [].append).current(30).predict(["invoice"])

    assert (prediction.served_by, prediction.caution) == ("embedded", None)


def test_while_the_endpoint_fails_the_model_in_this_process_answers_and_says_so(host, model_folder, events):
    classifier = build("endpoint-with-fallback", model_folder, events)
    host.fail(Fault("model-500", times=1))

    served_by = [classifier.predict(["invoice", "crash"])[0].served_by for _ in range(3)]

    assert served_by == ["embedded", "endpoint", "endpoint"]
    assert events == [
        EndpointFailed("the endpoint failed (ModelError, status 500)"),
        SwitchedOver("embedded", "the endpoint failed (ModelError, status 500)"),
        FallbackServed(2),
        SwitchedOver("endpoint", "it answers"),
    ]


def test_a_switch_over_is_reported_once_not_for_each_message(host, model_folder, events):
    classifier = build("endpoint-with-fallback", model_folder, events)
    host.fail(Fault("model-500"))

    for _ in range(5):
        classifier.predict(["invoice"])

    assert [type(event) for event in events].count(SwitchedOver) == 1
    assert sum(event.texts for event in events if isinstance(event, FallbackServed)) == 5


def test_an_endpoint_that_is_down_is_not_waited_for_again_and_again(host, model_folder, events):
    classifier = build("endpoint-with-fallback", model_folder, events)
    asked = len(host.requests)
    host.fail(Fault("model-500"))

    for _ in range(20):
        classifier.predict(["invoice"])

    assert len(host.requests) - asked == FAILURES_TO_OPEN


# --- One bad text ---------------------------------------------------------------------------------------------


class Choosy:
    """A classifier that refuses batches with a text `poison`."""

    def __init__(self, failure=None):
        self.calls = []
        self.failure = failure

    def predict(self, texts):
        self.calls.append(list(texts))
        if self.failure:
            raise self.failure
        if "poison" in texts:
            raise ClassifierRejected("the endpoint refused the texts")
        return [text.upper() for text in texts]


def test_no_texts_need_no_call():
    classifier = Choosy()

    assert predict_each(classifier, []) == []
    assert classifier.calls == []


def test_a_refused_batch_is_halved_until_the_refused_text_is_alone():
    classifier = Choosy()

    answers = predict_each(classifier, ["a", "b", "c", "d", "e", "poison", "g", "h"])

    assert isinstance(answers.pop(5), ClassifierRejected)
    assert answers == ["A", "B", "C", "D", "E", "G", "H"]
    assert len(classifier.calls) == 7


@given(st.lists(st.sampled_from(["a", "poison"]), max_size=20))
def test_exactly_the_refused_texts_have_no_prediction(texts):
    answers = predict_each(Choosy(), texts)

    assert [isinstance(answer, ClassifierRejected) for answer in answers] == [text == "poison" for text in texts]


def test_an_unavailable_classifier_is_not_asked_text_by_text():
    classifier = Choosy(ClassifierUnavailable("…"))

    assert predict_each(classifier, ["a", "b"]) == [classifier.failure] * 2
    assert len(classifier.calls) == 1


def test_a_single_text_that_the_endpoint_refuses_is_answered_in_its_place(host, model_folder, events):
    classifier = build("endpoint-with-fallback", model_folder, events)
    host.fail(Fault("model-400"))

    with pytest.raises(ClassifierRejected):
        classifier.predict(["invoice", "crash"])
    answers = predict_each(classifier, ["invoice", "crash"])

    assert [answer.served_by for answer in answers] == ["embedded", "embedded"]
