import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store.message_groups import MOST_PARTS, MessageGroup, MessageGroups, join

FIRST = "1700000000.000100"


def ts(second: float) -> str:
    return f"{1_700_000_000 + second:.6f}"


def test_the_first_message_leads():
    assert join(None, FIRST, 60) == MessageGroup(FIRST)


def test_whoever_comes_within_the_window_of_the_last_belongs_to_it():
    burst = MessageGroup(FIRST, (ts(50),))

    assert join(burst, ts(100), 60) == MessageGroup(FIRST, (ts(50), ts(100)))
    assert join(burst, ts(20), 60) == MessageGroup(FIRST, (ts(50), ts(20)))


def test_whoever_comes_later_begins_anew():
    assert join(MessageGroup(FIRST, (ts(50),)), ts(111), 60) == MessageGroup(ts(111))


def test_a_message_that_is_handled_again_keeps_its_place():
    burst = MessageGroup(FIRST, (ts(50),))

    assert join(burst, FIRST, 60) == join(burst, ts(50), 60) == burst


def test_a_message_from_before_the_burst_stays_on_its_own():
    assert join(MessageGroup(ts(10)), FIRST, 60) is None


def test_a_burst_does_not_grow_for_ever():
    parts = tuple(ts(second) for second in range(1, MOST_PARTS + 1))

    assert join(MessageGroup(ts(0), parts), ts(30), 60) == MessageGroup(ts(30))


@given(st.lists(st.integers(0, 300), unique=True, max_size=40), st.integers(1, 60))
def test_in_order_no_two_messages_within_the_window_are_kept_apart_but_by_size(seconds, window):
    leaders, burst = {}, None
    for second in sorted(seconds):
        burst = join(burst, ts(second), window)
        leaders[second] = burst.leader
    sizes = {leader: list(leaders.values()).count(leader) for leader in leaders.values()}

    for before, after in zip(sorted(seconds), sorted(seconds)[1:], strict=False):
        if after - before > window:
            assert leaders[before] != leaders[after]
        elif leaders[before] != leaders[after]:
            assert sizes[leaders[before]] == MOST_PARTS + 1


@pytest.fixture
def message_groups(dynamodb, ledger_table) -> MessageGroups:
    return MessageGroups(dynamodb, ledger_table)


def test_of_messages_that_are_handled_at_the_same_moment_one_leads(message_groups, build_record):
    author = f"U{uuid.uuid4().hex.upper()}"
    records = [build_record(author=author, ts=ts(number)) for number in range(6)]

    with ThreadPoolExecutor(6) as pool:
        leaders = list(pool.map(lambda record: message_groups.find_root(record, 60, time.time()), records))

    # Whatever was handled first leads all that came after it; what is older stays on its own.
    assert {leader for leader, record in zip(leaders, records, strict=True) if leader != record.ts} <= set(leaders)
    assert leaders == [message_groups.find_root(record, 60, time.time()) for record in records]


def test_authors_and_channels_do_not_mix(message_groups, build_record):
    author = f"U{uuid.uuid4().hex.upper()}"
    here, there = build_record(author=author, ts=ts(0)), build_record(author=author, ts=ts(1), channel="C0ELSEWHERE")

    assert message_groups.find_root(here, 60, time.time()) == here.ts
    assert message_groups.find_root(there, 60, time.time()) == there.ts
