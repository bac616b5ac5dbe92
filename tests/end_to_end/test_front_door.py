"""What is not from Slack, or not fit to be read, is refused at the door with the right status, over real HTTP."""

import time

import pytest

pytestmark = pytest.mark.stack

HELLO = b'{"type": "url_verification", "challenge": "abc"}'


def test_slack_is_answered_its_challenge(sandbox):
    answer = sandbox.deliver(HELLO)

    assert (answer.status_code, answer.json()) == (200, {"challenge": "abc"})


@pytest.mark.parametrize(
    ("headers", "what"),
    [
        ({"x-slack-signature": "v0=" + 64 * "0"}, "a forged signature"),
        ({"x-slack-request-timestamp": str(int(time.time()) - 400)}, "a stale timestamp"),
        ({"x-slack-request-timestamp": str(int(time.time()) + 400)}, "a timestamp from the future"),
        ({"x-slack-request-timestamp": "yesterday"}, "a timestamp that is no number"),
        ({"x-slack-request-timestamp": ""}, "no timestamp"),
    ],
)
def test_what_is_not_from_slack_is_refused_with_401(sandbox, headers, what):
    assert sandbox.deliver(HELLO, **headers).status_code == 401, what


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"not json", {}, 400),
        (b"", {}, 400),
        (b"[]", {}, 400),
        (b"\xff\xfe", {}, 400),
        (HELLO, {"content-type": "text/html"}, 415),
    ],
)
def test_what_slack_would_never_send_is_refused_even_if_signed(sandbox, body, headers, status):
    assert sandbox.deliver(body, **headers).status_code == status
