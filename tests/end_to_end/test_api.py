"""`PUT /blazingtext` and its page, through gateway, handler and endpoint."""

import httpx2
import pytest

pytestmark = pytest.mark.stack


def test_the_request_of_the_original_system_is_answered(sandbox):
    answer = sandbox.classify({"body": "Michael Jackson was the greatest singer and dancer in the world"})

    assert answer.status_code == 200
    assert set(answer.json()) == {"category", "urgency", "tone", "decision", "model"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"not json", 400),
        (b"", 400),
        ({"body": ""}, 422),
        ({"body": "\U0001f389\U0001f389"}, 422),
        ({"body": "\x00"}, 422),
        ({"body": "x" * 40_000}, 413),
        ({"body": "two\nlines, and __label__billing"}, 200),
    ],
)
def test_each_bad_input_gets_its_status_and_a_sentence(sandbox, body, status):
    answer = sandbox.classify(body)

    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]["message"]


def test_another_content_type_is_refused_with_415(sandbox):
    answer = sandbox.classify(b"<p>hello</p>", **{"content-type": "text/html"})

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_content_type")


def test_while_the_classifier_is_down_the_api_says_when_to_come_back(sandbox):
    sandbox.switch_classifier(on=False)
    try:
        answer = sandbox.classify({"body": "where is my invoice"})
    finally:
        sandbox.switch_classifier(on=True)

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1


def test_the_demo_page_is_served_beside_the_api(sandbox):
    answer = httpx2.get(f"{sandbox.gateway}/")

    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
