"""The answers of `PUT /blazingtext`."""

import base64
import math

import pytest

from classifier_infra.model.text import MAX_CHARACTERS

JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
ORIGINAL = '{"body": "Michael Jackson was the greatest singer and dancer in the world"}'


def test_the_original_request_is_answered_facet_by_facet(put):
    status, body, _ = put(ORIGINAL)

    assert status == 200
    assert list(body) == ["category", "urgency", "tone", "decision", "model"]


def test_a_facet_has_its_best_label_and_the_others_most_likely_first(put):
    _, body, _ = put({"text": "charged"})

    # softmax of half the weights of `charged`, since </s> is the second word and weighs nothing.
    weights = [math.exp(value / 2) for value in (7, -2, -5)]
    shares = [round(weight / sum(weights), 3) for weight in weights]
    category = body["category"]
    found = [category, *category["alternatives"]]
    assert [score["label"] for score in found] == ["__label__billing", "__label__general", "__label__technical"]
    assert [score["name"] for score in found] == ["Billing", "General", "Technical"]
    assert [round(score["confidence"], 3) for score in found] == shares
    assert body["urgency"]["label"].startswith("__label__urgency=")


def test_a_sure_answer_is_automatic_and_says_why(put):
    _, body, _ = put({"body": "invoice"})

    assert body["decision"] == {
        "automatic": True,
        "threshold": 0.8,
        "reason": "Billing at 99.5 % reaches the threshold of 80 %.",
    }
    assert body["model"] == {"version": "test-1", "served_by": "embedded"}


def test_an_unsure_answer_is_not_automatic_and_says_why(put):
    _, body, _ = put({"body": "hours"})

    assert body["decision"] == {
        "automatic": False,
        "threshold": 0.8,
        "reason": "General at 69.1 % is below the threshold of 80 %.",
    }


def test_several_texts_give_as_many_results_in_order(put):
    _, body, _ = put({"texts": ["invoice", "crash", "invoice"]})

    assert list(body) == ["results"]
    assert [result["category"]["name"] for result in body["results"]] == ["Billing", "Technical", "Billing"]


def test_a_list_of_one_text_is_still_answered_by_a_list(put):
    _, body, _ = put({"texts": ["invoice"]})

    assert len(body["results"]) == 1


def test_plain_text_is_taken_as_it_is(put):
    status, body, _ = put('{"invoice"', PLAIN)

    assert (status, body["category"]["name"]) == (200, "Billing")


def test_without_a_content_type_the_body_is_json(put):
    status, _, _ = put(ORIGINAL, {})

    assert status == 200


def test_a_client_that_accepts_plain_text_gets_one_sentence(put):
    _, body, headers = put({"text": "invoice urgent"}, {**JSON, "Accept": "text/plain"})

    assert body == (
        "Category Billing (96.4 %), urgency High (89 %), tone Negative (44.8 %): "
        "Billing at 96.4 % reaches the threshold of 80 %."
    )
    assert headers["Content-Type"] == "text/plain; charset=utf-8"


def test_each_of_several_texts_gets_a_sentence_on_its_own_line(put):
    _, body, _ = put({"texts": ["invoice", "crash"]}, {**JSON, "Accept": "text/plain"})

    assert [line.split()[1] for line in body.split("\n")] == ["Billing", "Technical"]


@pytest.mark.parametrize("accept", ["*/*", "application/json, text/plain, */*", "text/html"])
def test_every_other_client_gets_json(put, accept):
    _, _, headers = put({"text": "invoice"}, {**JSON, "Accept": accept})

    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("headers", [JSON, PLAIN])
def test_a_base64_body_is_decoded(put, headers):
    body = '{"body": "invoice €"}'

    status, answer, _ = put(base64.b64encode(body.encode()).decode(), headers, is_base64=True)

    assert (status, answer["category"]["name"]) == (200, "Billing")


@pytest.mark.parametrize(
    "text",
    ["invoice\0", "\ninvoice\r\n\n", "__label__billing", "</s> 1", "invoice \ud83d", "x" * MAX_CHARACTERS, "1️⃣ 🎉"],
)
def test_strange_texts_are_classified(put, text):
    status, body, _ = put({"body": text})

    assert (status, list(body)[:1]) == (200, ["category"])


def test_a_label_written_in_a_message_decides_nothing(put):
    _, body, _ = put({"body": "__label__technical invoice"})

    assert body["category"]["name"] == "Billing"


def test_the_classifier_gets_clean_text(put, classifier):
    put({"body": "<@U1|ann> mail jo@example.com"})

    assert classifier.texts == ["@ann mail [email]"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("my bill was wrong, urgent", "The model is familiar with only 1 of its 5 words, so a person should decide."),
        ("qwrt plmk", "The model is familiar with none of its words, so a person should decide."),
        ("4711 0815", "There is no word in it to judge by, so a person should decide."),
    ],
)
def test_a_text_the_model_cannot_judge_is_never_automatic(put, text, reason):
    _, body, _ = put({"text": text})

    assert body["decision"] == {"automatic": False, "threshold": 0.8, "reason": reason}


@pytest.mark.parametrize(
    ("caution", "reason"),
    [
        ("canaries-moved", "The model no longer answers as it did when it was measured, so it only suggests."),
        ("words-unchecked", "The model's words are not at hand to check the text by, so it only suggests."),
    ],
)
def test_a_classifier_that_is_not_to_be_relied_upon_only_suggests(put, classifier, caution, reason):
    classifier.caution = caution

    _, body, _ = put({"text": "invoice"})

    assert body["category"]["confidence"] > 0.99
    assert body["decision"] == {"automatic": False, "threshold": 0.8, "reason": reason}


def test_an_answer_says_why_when_it_is_asked_to(put):
    _, body, _ = put({"text": "Invoice crash", "explain": True})

    explanation = body["category"]["explanation"]
    total = explanation["baseline"] + sum(word["contribution"] for word in explanation["words"])
    assert [(word["word"], word["known"]) for word in explanation["words"]] == [("invoice", True), ("crash", True)]
    assert total == pytest.approx(explanation["log_odds"], abs=1e-5)
    assert "explanation" in body["tone"]


def test_an_answer_does_not_say_why_unless_asked(put):
    _, body, _ = put({"text": "Invoice crash"})

    assert "explanation" not in body["category"]


def test_of_several_texts_only_the_refused_ones_have_an_error_in_their_place(put):
    status, body, _ = put({"texts": ["invoice", "poison", "crash"]})

    first, second, third = body["results"]
    assert status == 200
    assert (first["category"]["name"], third["category"]["name"]) == ("Billing", "Technical")
    assert second == {"error": {"code": "classifier_rejected", "message": "The classifier refused the text."}}


def test_a_refused_text_has_a_sentence_too(put):
    _, body, _ = put({"texts": ["invoice", "poison"]}, {**JSON, "Accept": "text/plain"})

    assert body.split("\n")[1] == "The classifier refused the text."
