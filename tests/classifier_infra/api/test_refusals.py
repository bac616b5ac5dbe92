"""The requests that `PUT /blazingtext` refuses, and its answers when the classifier fails."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.inference.classifier import ClassifierRejected, ClassifierUnavailable

JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
ORIGINAL = '{"body": "Michael Jackson was the greatest singer and dancer in the world"}'


# --- Refused requests -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (None, "There is no body."),
        ("", "There is no body."),
        ("{", "The body is not JSON."),
        ("invoice", "The body is not JSON."),
        ("[" * 100_000, "The body is not JSON."),
        ("1" * 5000, "The body is not JSON."),
        ('"invoice"', 'The JSON is not an object such as {"body": "your text"}.'),
        ('["invoice"]', 'The JSON is not an object such as {"body": "your text"}.'),
        ("{}", 'The JSON object needs one of "body", "text" and "texts".'),
        ({"message": "invoice"}, 'The JSON object needs one of "body", "text" and "texts".'),
        ({"body": "a", "texts": ["b"]}, 'The JSON object needs one of "body", "text" and "texts".'),
        ({"body": None}, "The text is not a string."),
        ({"text": 7}, "The text is not a string."),
        ({"texts": "invoice"}, '"texts" is not a list of texts.'),
        ({"texts": []}, '"texts" is not a list of texts.'),
        ({"texts": ["invoice", {}]}, "Text 2 is not a string."),
        ({"text": "invoice", "explain": 1}, '"explain" is neither true nor false.'),
    ],
)
def test_what_is_not_json_with_a_text_is_a_bad_request(put, body, message):
    status, answer, _ = put(body)

    assert (status, answer) == (400, {"error": {"code": "malformed_request", "message": message}})


@pytest.mark.parametrize("body", ["not base64!", base64.b64encode(b"\xff\xfe").decode()])
@pytest.mark.parametrize("headers", [JSON, PLAIN])
def test_a_binary_body_that_is_no_utf_8_is_a_bad_request(put, body, headers):
    status, answer, _ = put(body, headers, is_base64=True)

    assert (status, answer["error"]["message"]) == (400, "The body is not UTF-8.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"body": "x" * 40_000}, "The text has 40000 characters; at most 20000 are read."),
        ({"texts": ["invoice", "x" * 20_001]}, "Text 2 has 20001 characters; at most 20000 are read."),
        ({"texts": ["invoice"] * 101}, "There are 101 texts; at most 100 are classified at once."),
    ],
)
def test_too_much_is_refused_with_what_is_taken(put, body, message):
    status, answer, _ = put(body)

    assert (status, answer) == (413, {"error": {"code": "too_long", "message": message}})


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "text/html", "application/octet-stream", "json"]
)
def test_another_content_type_is_not_supported(put, content_type):
    status, answer, _ = put(ORIGINAL, {"content-type": content_type})

    assert status == 415
    assert answer == {"error": {"code": "unsupported_content_type", "message": "Send application/json or text/plain."}}


@pytest.mark.parametrize("text", ["", " \n ", "😀🎉", "?!…", "\0\0", ":smile:", "___", "\ud800"])
def test_a_text_without_letters_and_digits_is_not_processable(put, classifier, text):
    status, answer, _ = put({"body": text})

    assert status == 422
    assert answer["error"] == {"code": "nothing_readable", "message": "The text has neither a letter nor a digit."}
    assert classifier.texts == []


def test_an_empty_plain_text_is_not_processable(put):
    assert put("", PLAIN)[0] == 422


def test_the_unreadable_one_of_several_texts_is_named(put):
    status, answer, _ = put({"texts": ["invoice", "😀"]})

    assert (status, answer["error"]["message"]) == (422, "Text 2 has neither a letter nor a digit.")


@given(
    body=st.text()
    | st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["body", "text", "texts"]), inner),
    ).map(json.dumps)
)
def test_no_body_makes_it_fail(body, new_call):
    call = new_call()

    for method, path in (("PUT", "/blazingtext"), ("POST", "/explain")):
        status, _, _ = call(method, path, body, JSON)

        assert status in (200, 400, 413, 422)


# --- Failures of the classifier -------------------------------------------------------------------------------


def test_an_unavailable_classifier_is_a_503_with_when_to_come_back(put, classifier):
    classifier.failure = ClassifierUnavailable("the endpoint failed (ThrottlingException, status 400)")

    status, body, headers = put(ORIGINAL)

    assert status == 503
    assert body["error"]["code"] == "classifier_unavailable"
    assert headers["Retry-After"] == "5"


def test_a_text_the_classifier_refuses_is_a_502(put, classifier):
    classifier.failure = ClassifierRejected("the endpoint refused the texts (ModelError, status 400)")

    status, body, _ = put(ORIGINAL)

    assert (status, body["error"]["code"]) == (502, "classifier_rejected")


def test_an_unexpected_error_is_a_500_without_details(put, classifier, log):
    classifier.failure = RuntimeError("SECRET in Michael Jackson")

    status, body, _ = put(ORIGINAL)

    assert status == 500
    assert body == {"error": {"code": "internal_error", "message": "Something went wrong on our side."}}
    assert '"kind":"RuntimeError"' in log.getvalue()
    assert "in predict" in log.getvalue()


@pytest.fixture
def debugging(monkeypatch):
    monkeypatch.setenv("POWERTOOLS_DEV", "true")


@pytest.mark.usefixtures("debugging")
@pytest.mark.filterwarnings("ignore:POWERTOOLS_DEV")
@pytest.mark.parametrize("failure", [None, RuntimeError("Michael Jackson"), ClassifierUnavailable("…")])
@pytest.mark.parametrize("body", [ORIGINAL, '{"Michael Jackson"', '{"body": ["Michael Jackson"]}'])
def test_no_text_is_logged(put, classifier, log, capsys, failure, body):
    classifier.failure = failure

    put(body)

    assert log.getvalue()
    assert "Michael" not in log.getvalue() + "".join(capsys.readouterr())


def test_every_answer_has_the_id_that_api_gateway_gave_the_request(put, call):
    answers = [put(ORIGINAL), put("{"), call("GET", "/nowhere"), call("POST", "/labels")]

    assert [headers["X-Request-Id"] for _, _, headers in answers] == ["1"] * 4
