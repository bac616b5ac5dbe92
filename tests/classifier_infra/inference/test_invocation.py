"""Payloads, answers and failures of an endpoint, without a network."""

import json
from itertools import pairwise

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ReadTimeoutError,
)
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.inference.classifier import ClassifierRejected, ClassifierUnavailable
from classifier_infra.inference.invocation import UnusableAnswer, judge, plan_payloads, read_scores

LABELS = ["__label__billing", "__label__general", "__label__urgency=high"]
TEXTS = st.lists(st.sampled_from(["invoice", "crash urgent", "3 hours", "помогите", "€ 1"]), max_size=9)


def plan(texts, limit=10_000):
    return list(plan_payloads(texts, LABELS, limit))


def longest_answer(texts):
    scores = {"label": LABELS, "prob": [2.2250738585072014e-308] * len(LABELS)}
    return len(json.dumps([scores] * len(texts)))


# --- What is sent ---------------------------------------------------------------------------------------------


def test_a_batch_is_one_payload_of_json_that_asks_for_all_labels():
    [payload] = plan(["my invoice !", "don't"])

    assert payload.count == 2
    assert json.loads(payload.body) == {"instances": ["my invoice !", "don't"], "configuration": {"k": 3}}


def test_no_texts_are_no_payload():
    assert plan([]) == []


@given(texts=TEXTS, limit=st.integers(60, 800))
def test_a_batch_is_divided_only_where_one_invocation_could_not_carry_it_or_its_answer(texts, limit):
    batches = [json.loads(payload.body)["instances"] for payload in plan(texts, limit)]

    assert [text for batch in batches for text in batch] == texts
    for payload, batch in zip(plan(texts, limit), batches, strict=True):
        assert payload.count == len(batch)
        assert max(len(payload.body), longest_answer(batch)) <= limit or len(batch) == 1
    for batch, following in pairwise(batches):
        [together] = plan([*batch, following[0]])
        # The planned size of an answer is a few characters more than its maximum.
        assert max(len(together.body), longest_answer([*batch, following[0]]) + 8 * (len(batch) + 1)) > limit


# --- What came back -------------------------------------------------------------------------------------------


def test_scores_are_given_by_label_whatever_the_order_of_the_keys():
    assert read_scores(b'[{"prob": [0.7, 0.3], "label": ["a", "b"]}]', 1) == [{"a": 0.7, "b": 0.3}]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"<html>",
        b"\xff",
        b"null",
        b"7",
        b"{}",
        b"[]",
        b"[[]]",
        b"[null]",
        b'["text"]',
        b'{"predictions": []}',
        b"[" * 100_000,
        b'[{"label": null, "prob": [1]}]',
        b'[{"label": ["a", "b"], "prob": [1]}]',
        b'[{"label": [["nested"]], "prob": [1]}]',
        b'[{"label": ["a"]}]',
        b'[{"label": ["a"], "prob": [1]}, {"label": ["a"], "prob": [1]}]',
    ],
)
def test_what_is_not_one_prediction_for_each_text_is_no_answer(answer):
    with pytest.raises(UnusableAnswer):
        read_scores(answer, 1)


# --- What a failure means -------------------------------------------------------------------------------------


def client_error(status, code, **more):
    response = {"Error": {"Code": code, "Message": "SECRET"}, "ResponseMetadata": {"HTTPStatusCode": status}, **more}
    return ClientError(response, "InvokeEndpoint")


@pytest.mark.parametrize(
    "error",
    [
        client_error(424, "ModelError", OriginalStatusCode=400, OriginalMessage="SECRET"),
        client_error(424, "ModelError", OriginalStatusCode=415),
        client_error(413, "413"),
    ],
)
def test_a_refused_batch_can_be_split_and_is_not_sent_again(error):
    failure = judge(error)

    assert isinstance(failure.error, ClassifierRejected)
    assert failure.pause is None
    assert "SECRET" not in str(failure.error)


@pytest.mark.parametrize(
    "error",
    [
        client_error(400, "ThrottlingException"),
        client_error(500, "InternalFailure"),
        client_error(503, "ServiceUnavailable"),
        client_error(502, "502"),
        EndpointConnectionError(endpoint_url="http://SECRET"),
        ConnectTimeoutError(endpoint_url="http://SECRET"),
        ConnectionClosedError(endpoint_url="http://SECRET"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_what_passes_by_itself_is_tried_again_soon(error):
    failure = judge(error)

    assert isinstance(failure.error, ClassifierUnavailable)
    assert failure.pause < 0.5
    assert "SECRET" not in str(failure.error)


def test_a_starting_endpoint_is_given_more_time():
    assert judge(client_error(429, "ModelNotReadyException")).pause >= 1


@pytest.mark.parametrize(
    "error",
    [
        client_error(424, "ModelError", OriginalStatusCode=500),
        client_error(424, "ModelError", OriginalStatusCode=0),
        client_error(424, "ModelError"),
        client_error(400, "ValidationError"),
        client_error(403, "AccessDeniedException"),
        client_error(530, "InternalDependencyException"),
        ReadTimeoutError(endpoint_url="http://SECRET"),
        NoCredentialsError(),
    ],
)
def test_what_another_try_would_not_cure_is_unavailable_at_once(error):
    failure = judge(error)

    assert isinstance(failure.error, ClassifierUnavailable)
    assert failure.pause is None
    assert "SECRET" not in str(failure.error)
