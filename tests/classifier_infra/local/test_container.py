"""The container answers any payload, in the form of its request."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.local.container import JSON, JSON_LINES, Answer, answer_invocation, read_predictions

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["instances", "configuration", "k", "source"]), inner)
    ),
    max_leaves=8,
)
TEXTS = st.lists(st.text(st.characters(exclude_categories=["Cs"])))


class Model:
    def scores(self, text, k):
        text.encode()
        return [(0.5, "__label__a"), (0.25, "__label__b")][:k]


def invoke(content_type, body):
    return answer_invocation(Model(), content_type, body)


@given(
    st.sampled_from([JSON, JSON_LINES, "text/csv", ""]),
    st.binary() | VALUES.map(lambda value: json.dumps(value).encode()),
)
def test_any_body_is_answered_or_refused(content_type, body):
    answer = invoke(content_type, body)

    assert answer.status in ({200, 400} if content_type in (JSON, JSON_LINES) else {415})


@given(TEXTS, st.integers(1, 10**30))
def test_every_text_has_one_prediction(texts, k):
    body = json.dumps({"instances": texts, "configuration": {"k": k}}).encode()

    predictions = read_predictions(invoke(JSON, body))

    assert [len(prediction["label"]) for prediction in predictions] == [min(k, 2)] * len(texts)


@given(TEXTS)
def test_json_lines_and_json_have_the_same_predictions(texts):
    lines = "\n".join(json.dumps({"source": text}) for text in texts)

    from_lines = read_predictions(invoke(JSON_LINES, lines.encode()))

    assert from_lines == read_predictions(invoke(JSON, json.dumps({"instances": texts}).encode()))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_other_encodings_than_utf_8_are_refused(encoding):
    assert invoke(JSON, '{"instances": []}'.encode(encoding)).status == 400


def test_a_type_may_have_parameters_and_capitals():
    assert invoke("Application/JSON; charset=utf-8", b'{"instances": []}') == Answer(200, b"[]", JSON)
