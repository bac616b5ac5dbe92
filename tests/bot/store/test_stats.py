import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.core import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from bot.queue.messages import MessageKey
from bot.sandbox.resources import create_tables
from bot.store.ledger import Ledger, LedgerUnavailable
from bot.store.stats import DAYS, MOST_WAITING, StatsStore, Week
from bot.store.stats_items import WAITING_SECONDS
from bot.triage.case import Case, Correction, Decision, FirstAnswer

NOW = time.time()
DAY = 24 * 3600
AWS = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def stats(dynamodb, ledger_table) -> StatsStore:
    return StatsStore(dynamodb, ledger_table)


@pytest.fixture
def decision(facet_results) -> Decision:
    return Decision("suggest", "mode", facet_results, "model-1")


def write_key(team: str, at: float = NOW, channel: str = "C0SUPPORT") -> MessageKey:
    return MessageKey(team, channel, f"{at:.6f}")


def correct(ledger: Ledger, key: MessageKey, after: str) -> None:
    case = ledger.load(key, NOW)
    correction = Correction(case.version + 1, "category", case.labels["category"], after, "U0ANNA", int(NOW), "model-1")
    ledger.record_correction(key, case, correction, NOW)


def test_a_new_workspace_has_an_empty_board(stats, team):
    shown = stats.load(team, NOW)

    assert (shown.week.triaged, shown.review, shown.urgent) == (0, (), ())


def test_a_decision_is_counted_and_listed(stats, ledger, team, decision):
    key = write_key(team)
    ledger.record_decision(key, replace(decision, urgent=True), NOW)
    ledger.record_decision(write_key(team, NOW - 1), Decision("ignore", "bot"), NOW)

    shown = stats.load(team, NOW)

    assert (shown.week.triaged, shown.week.ignored) == (1, 1)
    assert (shown.week.volumes, shown.week.outcomes) == ({"billing": 1}, {"suggest": 1})
    assert [waiting.key for waiting in shown.review] == [waiting.key for waiting in shown.urgent] == [key]
    assert shown.review[0].guesses == decision.facet_results[0].scores


def test_an_answer_ends_the_wait_of_an_urgent_request_and_is_timed(stats, ledger, team, decision):
    for seconds in (50, 200, 5_000):
        key = write_key(team, NOW - seconds)
        ledger.record_decision(key, replace(decision, urgent=True), NOW)
        ledger.record_answer(key, Case(decision), FirstAnswer("U0LEO", NOW), NOW)

    shown = stats.load(team, NOW)

    assert shown.urgent == ()
    assert shown.week.answered_within == 300


# --- What is settled of this week's requests ----------------------------------------------------------------


def test_every_request_of_the_week_is_there_with_the_labels_that_the_bot_was_sure_of(stats, ledger, team, decision):
    keys = [write_key(team, NOW - number * DAY - 60) for number in range(9)]
    for key, outcome in zip(keys, ("automatic", "ask", "silent") * 3, strict=True):
        ledger.record_decision(key, replace(decision, outcome=outcome), NOW)
    ledger.record_decision(write_key(team, NOW - 5), Decision("ignore", "bot"), NOW)

    settled = stats.load_settled(team, NOW, 500)

    assert [each.key for each in settled] == keys[:DAYS]
    assert {each.main for each in settled} == {"category"}
    assert settled[0].labels == {"category": "billing", "urgency": "high"}


def test_a_persons_word_is_settled_and_outlives_a_later_reading(stats, ledger, team, decision, facet_results):
    key = write_key(team)
    ledger.record_decision(key, decision, NOW)
    correct(ledger, key, "technical")

    unsure = tuple(replace(facet_result, sure=False) for facet_result in facet_results)
    ledger.revise_decision(key, decision, replace(decision, facet_results=unsure, revision=1), NOW)

    [settled] = stats.load_settled(team, NOW, 500)
    assert settled.labels == {"category": "technical"}


def test_of_more_requests_than_are_wanted_the_newest_are_read_in_one_query(stats, ledger, team, decision, monkeypatch):
    keys = [write_key(team, NOW - number) for number in range(12)]
    for key in keys:
        ledger.record_decision(key, decision, NOW)
    asked = []
    query = stats.client.query
    monkeypatch.setattr(stats.client, "query", lambda **wish: asked.append(wish) or query(**wish))

    settled = stats.load_settled(team, NOW, 10)

    assert [each.key for each in settled] == keys[:10]
    assert [wish["Limit"] for wish in asked] == [10]


def test_a_message_that_is_gone_is_no_request_any_more(stats, ledger, team, decision):
    key = write_key(team)
    ledger.record_decision(key, decision, NOW)

    ledger.record_deletion(key, NOW)

    assert stats.load_settled(team, NOW, 500) == ()


def test_a_word_on_a_message_whose_row_is_gone_brings_none_back(stats, ledger, team, decision):
    key = write_key(team)
    ledger.record_decision(key, decision, NOW)
    ledger.record_deletion(key, NOW)

    correct(ledger, key, "technical")

    assert stats.load_settled(team, NOW, 500) == ()


def test_a_weeks_pace_is_reckoned_as_a_months():
    assert Week({"outcome#automatic": 6, "outcome#ask": 1}).a_month == pytest.approx(365 / 12)


def test_before_the_first_answer_nothing_is_known_of_how_long_they_take(stats, team):
    assert stats.load_week(team, NOW).answered_within is None


def test_a_message_that_is_delivered_twice_counts_once(stats, ledger, team, decision):
    key = write_key(team)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ledger.record_decision(key, decision, NOW), range(16)))

    assert stats.load_week(team, NOW).triaged == 1


def test_many_workers_at_the_same_counters_lose_no_count(stats, ledger, team, decision):
    keys = [write_key(team, NOW - number) for number in range(40)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: ledger.record_decision(key, decision, NOW), keys))

    assert stats.load_week(team, NOW).triaged == 40


def test_a_persons_word_is_counted_and_ends_the_wait(stats, ledger, team, decision):
    right, wrong, waiting = (write_key(team, NOW - number) for number in range(3))
    for key in (right, wrong, waiting):
        ledger.record_decision(key, decision, NOW)

    correct(ledger, right, "billing")
    correct(ledger, wrong, "technical")

    shown = stats.load(team, NOW)
    assert shown.week.verdicts("category") == (1, 1)
    assert shown.week.volumes == {"billing": 2, "technical": 1}
    assert [each.key for each in shown.review] == [waiting]


def test_an_urgent_request_waits_until_it_is_settled(stats, ledger, team, decision):
    key = write_key(team)
    ledger.record_decision(key, replace(decision, urgent=True), NOW)

    stats.settle("urgent", key)
    stats.settle("urgent", key)

    shown = stats.load(team, NOW)
    assert shown.urgent == ()
    assert [waiting.key for waiting in shown.review] == [key]


def test_the_newest_is_reviewed_first_and_who_waits_longest_is_urgent_first(stats, ledger, team, decision):
    older, newer = write_key(team, NOW - 60), write_key(team, NOW)
    for key in (newer, older):
        ledger.record_decision(key, replace(decision, urgent=True), NOW)

    shown = stats.load(team, NOW)

    assert [each.key for each in shown.review] == [newer, older]
    assert [each.key for each in shown.urgent] == [older, newer]


def test_a_week_ends_where_it_began(stats, ledger, team, decision):
    ledger.record_decision(write_key(team, NOW - (DAYS - 1) * DAY), decision, NOW)
    ledger.record_decision(write_key(team, NOW - (DAYS + 1) * DAY), decision, NOW)

    assert stats.load_week(team, NOW).triaged == 1


def test_what_has_waited_for_too_long_is_no_longer_asked_about(stats, ledger, team, decision):
    ledger.record_decision(write_key(team, NOW - WAITING_SECONDS - DAY), decision, NOW)

    assert stats.load(team, NOW).review == ()


def test_workspaces_do_not_see_each_other(stats, ledger, team, decision):
    ledger.record_decision(write_key(team), decision, NOW)

    assert stats.load(f"{team}X", NOW).week.triaged == 0


def test_a_table_that_does_not_answer_is_named_as_such(team):
    config = Config(connect_timeout=1, retries={"total_max_attempts": 1})
    nowhere = boto3.client(
        "dynamodb", endpoint_url="http://127.0.0.1:9", region_name="eu-central-1", aws_access_key_id="test",
        aws_secret_access_key="test", config=config,
    )  # fmt: skip
    stats = StatsStore(nowhere, "ledger")

    for ask in (lambda: stats.load(team, NOW), lambda: stats.settle("urgent", write_key(team))):
        with pytest.raises(LedgerUnavailable):
            ask()


# --- However much there is ----------------------------------------------------------------------------------


ROWS = 100_000


@pytest.fixture
def crowded() -> Iterator[StatsStore]:
    """The board of a workspace with ROWS messages that wait for a word."""
    with mock_aws():
        client = boto3.client("dynamodb", **AWS)
        name = create_tables(client, "crowded")["LedgerTable"]
        # Into the table itself: through the API it takes a quarter of a minute.
        table = dynamodb_backends[DEFAULT_ACCOUNT_ID][AWS["region_name"]].get_table(name)
        for number in range(ROWS):
            sk = f"review#{NOW - number / 10:.6f}#C0SUPPORT"
            table.put_item({"pk": {"S": "board#T0"}, "sk": {"S": sk}, "guesses": {"S": '[["billing", 0.9]]'}})
        yield StatsStore(client, name)


@pytest.mark.once
def test_a_board_of_a_hundred_thousand_messages_is_read_in_three_queries_by_key(crowded):
    asked = []

    def note(params, model, **_):
        asked.append((model.name, params["KeyConditionExpression"], params.get("Limit")))

    crowded.client.meta.events.register("provide-client-params.dynamodb", note)
    shown = crowded.load("T0", NOW)

    by_key = "pk = :pk AND sk BETWEEN :first AND :last"
    assert asked == [("Query", by_key, None), ("Query", by_key, MOST_WAITING), ("Query", by_key, MOST_WAITING)]
    assert len(shown.review) == MOST_WAITING
