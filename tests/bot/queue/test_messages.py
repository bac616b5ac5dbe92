import json
from dataclasses import Field, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.queue.messages import (
    KINDS,
    CommandRecord,
    InvalidRecord,
    MessageRecord,
    NewerRecord,
    from_json,
    to_json,
)
from classifier_infra.model.text import MAX_CHARACTERS

ids = st.from_regex(r"[A-Z0-9]{1,20}", fullmatch=True)
timestamps = st.from_regex(r"[0-9]{10}\.[0-9]{6}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=["Cs"]))
seconds = st.integers(0, 2**40)
FIELDS = {
    **dict.fromkeys(("team", "channel", "author", "author_team", "user", "bot", "place", "target", "view"), ids),
    **dict.fromkeys(("ts", "replied_ts"), timestamps),
}
BY_TYPE = {
    "str": texts,
    "int": seconds,
    "bool": st.booleans(),
    "float": st.floats(0, 2**40),
    "None": st.none(),
}


def build_any(kind: type) -> st.SearchStrategy:
    """Build records of a kind, with any value of its type in each field."""
    return st.builds(kind, **{each.name: values_of(each) for each in fields(kind)})


def values_of(each: Field) -> st.SearchStrategy:
    if each.name == "said_at" and "str" in str(each.type):
        return st.none() | timestamps
    named = getattr(each.type, "__name__", str(each.type))
    if each.name in FIELDS and not isinstance(None, each.type):
        return FIELDS[each.name]
    if each.name in FIELDS:
        return st.none() | FIELDS[each.name]
    return st.one_of(*(BY_TYPE[part.strip()] for part in named.split("|")))


records = st.sampled_from(sorted(KINDS.values(), key=lambda kind: kind.__name__)).flatmap(build_any)

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
        ({"version": "1"}, "version from 1 on"),
        ({"version": 0}, "version from 1 on"),
        ({"kind": ["message"]}, "a kind"),
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


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@given(data=st.data())
@settings(max_examples=10)
def test_every_kind_of_record_comes_out_of_the_queue_as_it_went_in(kind, data):
    record = data.draw(build_any(kind))

    assert from_json(to_json(record)) == record


@pytest.mark.parametrize("change", [{"version": 2}, {"kind": "invoice"}])
def test_what_a_later_version_queued_is_left_to_a_worker_that_knows_it(change):
    with pytest.raises(NewerRecord):
        from_json(json.dumps(json.loads(to_json(MESSAGE)) | change))


def test_a_field_that_a_later_version_added_is_passed_over():
    assert from_json(json.dumps(json.loads(to_json(MESSAGE)) | {"mood": "good"})) == MESSAGE


def test_what_has_its_default_is_not_queued():
    assert "author_team" not in json.loads(to_json(MESSAGE))
    assert "author_team" in json.loads(to_json(replace(MESSAGE, author_team="T9")))


def test_a_record_without_one_of_its_fields_is_refused():
    document = json.loads(to_json(MESSAGE))
    del document["author"]

    with pytest.raises(InvalidRecord, match="has the fields"):
        from_json(json.dumps(document))


def test_a_message_that_the_program_before_this_one_queued_is_read():
    document = json.loads(to_json(MESSAGE))
    for name in ("author_team", "channel_type", "files"):
        document.pop(name, None)

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
