import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.signature import Clock, SignatureVerifier

from bot.http.proxy import is_authentic, sign

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1_700_000_000


class StoppedClock(Clock):
    def now(self) -> float:
        return NOW


@given(st.text(), st.integers(NOW - 400, NOW + 400))
def test_slacks_own_sdk_and_we_agree_on_every_signed_request(body, timestamp):
    raw = body.encode("utf-8", "replace")
    signature = sign(SECRET, str(timestamp), raw)

    verdict = is_authentic(SECRET, str(timestamp), signature, raw, NOW)

    assert verdict == SignatureVerifier(SECRET, StoppedClock()).is_valid(raw, str(timestamp), signature)


@pytest.mark.parametrize(("age", "accepted"), [(300, True), (301, False), (-300, True), (-301, False)])
def test_a_request_is_good_for_five_minutes_in_both_directions(age, accepted):
    timestamp = str(NOW - age)

    assert is_authentic(SECRET, timestamp, sign(SECRET, timestamp, b"{}"), b"{}", NOW) is accepted


@pytest.mark.parametrize(
    "timestamp", ["", "now", "1700000000.0", "-1", " 1700000000", "１７００００００００", "9" * 40]
)
def test_a_timestamp_that_is_no_number_is_refused(timestamp):
    signature = sign(SECRET, str(NOW), b"{}")

    assert not is_authentic(SECRET, timestamp, signature, b"{}", NOW)


@pytest.mark.parametrize("signature", ["", "v0=", "v0=ü", "v1=" + "0" * 64, "\ud800"])
def test_a_signature_that_is_none_is_refused(signature):
    assert not is_authentic(SECRET, str(NOW), signature, b"{}", NOW)


def test_one_changed_byte_breaks_the_signature():
    signature = sign(SECRET, str(NOW), b'{"text": "pay 10"}')

    assert not is_authentic(SECRET, str(NOW), signature, b'{"text": "pay 99"}', NOW)


def test_another_apps_secret_signs_nothing_of_ours():
    assert not is_authentic(SECRET, str(NOW), sign("another secret", str(NOW), b"{}"), b"{}", NOW)
