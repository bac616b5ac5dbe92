"""An endpoint's history is kept, and determines where a rollback leads to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.endpoint.history import (
    BEGUN,
    DELETED,
    IN_SERVICE,
    ROLLED_BACK,
    Event,
    HistoryError,
    history_json,
    parse_history,
    version_to_go_back_to,
    with_event,
)

texts = st.text(max_size=20)
events = st.builds(
    Event, texts, texts, texts, texts, texts, st.sampled_from([BEGUN, IN_SERVICE, ROLLED_BACK, DELETED]), texts, texts,
    st.dictionaries(texts, st.floats(allow_nan=False) | texts, max_size=3),
)  # fmt: skip


def event(action, version, outcome=IN_SERVICE):
    return Event(action, version, f"config-{version}", "ann", "2026-11-22T00:00:00+00:00", outcome)


V1, V2 = event("deploy", "v1"), event("promote", "v2")


@given(history=st.lists(events, max_size=5))
def test_a_history_is_read_as_it_was_written(history):
    assert list(parse_history(history_json(history))) == history


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"format": 2, "events": []}', b'{"format": 1, "events": [{}]}']
)
def test_an_invalid_history_is_refused(content):
    with pytest.raises(HistoryError):
        parse_history(content)


@pytest.mark.parametrize(
    ("history", "serving", "leads_to"),
    [
        ([], "v1", None),
        ([V1], "v1", None),
        ([V1, V2], "v2", "v1"),
        ([V1, V2, event("rollback", "v1")], "v1", "v2"),
        ([V1, V2, event("promote", "v3", ROLLED_BACK)], "v2", "v1"),
        # A promotion that stopped half-way, before and after the endpoint had changed
        ([V1, event("promote", "v2", BEGUN)], "v1", "v1"),
        ([V1, event("promote", "v2", BEGUN)], "v2", "v1"),
        # A rollback that stopped half-way
        ([V1, V2, event("rollback", "v1", BEGUN)], "v2", "v1"),
        ([V1, V2, event("rollback", "v1", BEGUN)], "v1", "v1"),
    ],
)
def test_a_rollback_leads_to_the_version_before_or_continues_to_its_target(history, serving, leads_to):
    assert version_to_go_back_to(history, serving) == leads_to


def test_an_outcome_replaces_the_beginning_of_its_action():
    begun = event("promote", "v2", BEGUN)

    assert with_event([V1, begun], V2) == [V1, V2]
    assert with_event([V1, begun], event("promote", "v3")) == [V1, begun, event("promote", "v3")]
    assert with_event([], V1) == [V1]
