import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.queue.messages import (
    CommandRecord,
    CorrectionRecord,
    GiveOutRecord,
    InvalidRecord,
    MessageRecord,
    ReplyRecord,
    RevisionRecord,
    SummaryRecord,
    TidyRecord,
    from_json,
    to_json,
)
from classifier_infra.model.text import MAX_CHARACTERS

ids = st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True)
timestamps = st.from_regex(r"[0-9]{10}\.[0-9]{6}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]))
seconds = st.integers(0, 2**40)
records = st.one_of(
    st.builds(
        MessageRecord,
        *(ids, ids, timestamps, ids, texts, st.booleans(), st.none() | ids, seconds),
        *(st.none() | ids, texts, st.booleans()),
    ),
    st.builds(RevisionRecord, ids, ids, timestamps, seconds),
    st.builds(ReplyRecord, ids, ids, timestamps, ids, timestamps, seconds, st.none() | ids),
    st.builds(CommandRecord, ids, ids, ids, texts, st.booleans(), texts, seconds),
    st.builds(CorrectionRecord, ids, ids, timestamps, seconds),
    st.builds(SummaryRecord, ids, ids, seconds, seconds),
    st.builds(TidyRecord, ids, ids, timestamps, texts, ids, seconds),
    st.builds(GiveOutRecord, ids, ids, timestamps, texts, seconds),
)

MESSAGE = MessageRecord("T0", "C0", "1700000000.000100", "U0", "my card was charged", False, None, 1_700_000_000)


@given(records)
def test_what_goes_into_the_queue_comes_out_the_same(record):
    assert from_json(to_json(record)) == record


@given(records)
def test_sqs_takes_every_record(record):
    assert to_json(record).isascii()


def test_the_longest_text_fits_into_a_message_of_sqs():
    record = replace(MESSAGE, text="\U0001f525" * MAX_CHARACTERS)

    assert len(to_json(record)) < 256 * 1024


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_whatever_else_is_in_the_queue_is_refused(body):
    with pytest.raises(InvalidRecord):
        from_json(body)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"version": 2}, "version 1"),
        ({"version": "1"}, "version 1"),
        ({"kind": "invoice"}, "kind"),
        ({"kind": ["message"]}, "kind"),
        ({"mood": "good"}, "no others"),
        ({"ts": "yesterday"}, r"MessageRecord\.ts"),
        ({"channel": "C0#C1"}, r"MessageRecord\.channel"),
        ({"team": None}, r"MessageRecord\.team"),
        ({"received_at": True}, r"MessageRecord\.received_at"),
        ({"text": 5}, r"MessageRecord\.text"),
    ],
)
def test_a_faulty_record_is_refused_with_its_fault(change, fault):
    body = json.dumps(json.loads(to_json(MESSAGE)) | change)

    with pytest.raises(InvalidRecord, match=fault):
        from_json(body)


def test_a_record_without_one_of_its_fields_is_refused():
    document = json.loads(to_json(MESSAGE))
    del document["author"]

    with pytest.raises(InvalidRecord, match="has the fields"):
        from_json(json.dumps(document))


def test_a_message_that_the_program_before_this_one_queued_is_read():
    document = json.loads(to_json(MESSAGE))
    for name in ("author_team", "channel_type", "files"):
        del document[name]

    assert from_json(json.dumps(document)) == MESSAGE


def test_neither_text_nor_response_url_gets_into_a_log_with_the_record():
    command = CommandRecord("T0", "C0", "U0", "my secret", False, "https://hooks.slack.com/commands/T0/1/abc", 1)

    assert "secret" not in repr(command)
    assert "hooks" not in repr(command)
    assert "charged" not in repr(MESSAGE)


def test_the_fault_of_a_record_does_not_quote_it():
    body = json.dumps(json.loads(to_json(MESSAGE)) | {"author": "my secret"})

    with pytest.raises(InvalidRecord) as raised:
        from_json(body)

    assert "secret" not in str(raised.value)
