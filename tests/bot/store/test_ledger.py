import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config

from bot.queue.messages import MessageKey
from bot.store.ledger import LEASE_SECONDS, LOCK_SECONDS, Ledger, LedgerUnavailable, StepTaken, VersionTaken
from bot.store.ledger_items import KEPT_SECONDS
from bot.triage.case import Case, Correction, Decision, FirstAnswer, PostReply, PostRoute, StepResult

NOW = time.time()


@pytest.fixture
def key() -> MessageKey:
    """A message that no other test knows."""
    return MessageKey("T0", f"C{uuid.uuid4().hex.upper()}", "1700000000.000100")


@pytest.fixture
def decision(facet_results) -> Decision:
    return Decision("automatic", "sure", facet_results, "model-1", "endpoint", (PostRoute("C0BILLING"), PostReply()))


def correct(version: int, after: str = "technical") -> Correction:
    return Correction(version, "category", "billing", after, "U0ANNA", int(NOW), "model-1")


def test_nothing_is_known_of_a_new_message(ledger, key):
    assert ledger.load(key, NOW) == Case()


def test_all_that_happened_to_a_message_is_remembered(ledger, key, decision):
    ledger.record_decision(key, decision, NOW)
    ledger.complete(ledger.claim(key, "reply", NOW), StepResult("1700000001.000100"))
    ledger.claim(key, "route:C0BILLING", NOW)
    ledger.record_correction(key, Case(decision), correct(1), NOW)

    case = ledger.load(key, NOW)

    assert case == Case(
        decision,
        (correct(1),),
        {"reply": StepResult("1700000001.000100")},
        uncertain=frozenset({"route:C0BILLING"}),
        facts=2,
    )


def test_each_fact_raises_the_counter_and_results_do_not(ledger, key, decision):
    ledger.record_decision(key, decision, NOW)
    ledger.record_decision(key, decision, NOW)
    ledger.complete(ledger.claim(key, "reply", NOW), StepResult("1.1"))
    ledger.record_answer(key, Case(decision), FirstAnswer("U0ANNA", NOW), NOW)
    ledger.record_deletion(key, NOW)
    ledger.record_deletion(key, NOW)
    ledger.note_change(key, NOW)

    assert ledger.load(key, NOW).facts == 4


def test_what_is_shown_is_noted_only_while_no_fact_has_come_in(ledger, key, decision):
    ledger.record_decision(key, decision, NOW)
    lock = ledger.lock(key, NOW)
    ledger.record_deletion(key, NOW)

    assert not ledger.finish(lock, facts=1)
    assert not ledger.load(key, NOW).is_shown
    assert ledger.finish(lock, facts=2)
    assert ledger.load(key, NOW).is_shown


def test_one_worker_at_a_time_acts_on_a_case(ledger, key):
    lock = ledger.lock(key, NOW)

    with pytest.raises(StepTaken) as taken:
        ledger.lock(key, NOW + 10)
    assert taken.value.after == pytest.approx(LOCK_SECONDS - 10 + 1, abs=0.01)
    ledger.unlock(lock)
    ledger.lock(key, NOW + 10)


def test_a_lock_that_has_ended_is_taken_over_and_its_holder_changes_nothing(ledger, key, decision):
    ledger.record_decision(key, decision, NOW)
    first = ledger.lock(key, NOW)
    second = ledger.lock(key, NOW + LOCK_SECONDS + 1)

    assert not ledger.finish(first, facts=1)
    ledger.unlock(first)
    with pytest.raises(StepTaken):
        ledger.lock(key, NOW + LOCK_SECONDS + 2)
    assert ledger.finish(second, facts=1)


def test_a_case_of_an_earlier_version_has_no_counter_and_can_be_shown(ledger, key):
    assert not ledger.load(key, NOW).is_shown

    assert ledger.finish(ledger.lock(key, NOW), facts=0)

    assert ledger.load(key, NOW).is_shown


def test_the_first_decision_stands(ledger, key, decision):
    ledger.record_decision(key, decision, NOW)

    standing = ledger.record_decision(key, replace(decision, outcome="ask"), NOW)

    assert standing == decision
    assert ledger.load(key, NOW).decision == decision


def test_no_row_has_the_messages_text_or_lives_for_ever(ledger, dynamodb, ledger_table, key, decision):
    ledger.record_decision(key, decision, NOW)
    ledger.claim(key, "reply", NOW)
    ledger.record_correction(key, Case(decision), correct(1), NOW)

    rows = dynamodb.query(
        TableName=ledger_table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": str(key)}}
    )["Items"]

    assert [int(row["expires_at"]["N"]) for row in rows] == [int(NOW) + KEPT_SECONDS] * 4
    assert not any("text" in row for row in rows)


def test_what_has_expired_is_forgotten_before_dynamodb_removes_it(ledger, key, decision):
    ledger.record_decision(key, decision, NOW)

    assert ledger.load(key, NOW + KEPT_SECONDS + 1) == Case()


# --- Claims -------------------------------------------------------------------------------------------------


def test_a_step_is_carried_out_by_whoever_claims_it_first(ledger, key):
    ledger.claim(key, "reply", NOW)

    with pytest.raises(StepTaken):
        ledger.claim(key, "reply", NOW + LEASE_SECONDS - 1)


def test_of_many_workers_one_gets_the_claim(ledger, key):
    def try_to_claim(_):
        try:
            return ledger.claim(key, "reply", NOW)
        except StepTaken:
            return None

    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(try_to_claim, range(24)))

    assert sum(claim is not None for claim in claims) == 1


def test_a_claim_whose_worker_died_is_free_when_its_lease_ends_and_says_that_it_is_not_the_first(ledger, key):
    first = ledger.claim(key, "reply", NOW)

    second = ledger.claim(key, "reply", NOW + LEASE_SECONDS + 1)

    assert (first.attempt, second.attempt) == (1, 2)


def test_a_step_that_is_done_stays_done(ledger, key):
    ledger.complete(ledger.claim(key, "reply", NOW), StepResult("1.1"))

    assert ledger.claim(key, "reply", NOW + LEASE_SECONDS + 1).result == StepResult("1.1")


def test_when_two_carried_a_step_out_the_first_result_stands(ledger, key):
    slow = ledger.claim(key, "reply", NOW)
    fast = ledger.claim(key, "reply", NOW + LEASE_SECONDS + 1)
    ledger.complete(fast, StepResult("2.2"))

    assert ledger.complete(slow, StepResult("1.1")) == StepResult("2.2")
    assert ledger.load(key, NOW).steps == {"reply": StepResult("2.2")}


def test_a_claim_given_back_is_free_at_once_and_counts_for_nothing(ledger, key):
    ledger.release(ledger.claim(key, "reply", NOW))

    assert ledger.claim(key, "reply", NOW + 1).attempt == 1


def test_giving_back_a_later_try_keeps_the_earlier_ones_in_mind(ledger, key):
    ledger.claim(key, "reply", NOW)
    ledger.release(ledger.claim(key, "reply", NOW + LEASE_SECONDS + 1))

    assert ledger.claim(key, "reply", NOW + LEASE_SECONDS + 2).attempt == 2


def test_a_claim_that_somebody_else_has_by_now_cannot_be_given_back(ledger, key):
    slow = ledger.claim(key, "reply", NOW)
    ledger.claim(key, "reply", NOW + LEASE_SECONDS + 1)

    ledger.release(slow)

    with pytest.raises(StepTaken):
        ledger.claim(key, "reply", NOW + LEASE_SECONDS + 2)


def test_steps_of_one_message_do_not_wait_for_each_other(ledger, key):
    ledger.claim(key, "reply", NOW)

    assert ledger.claim(key, "react:eyes", NOW).attempt == 1


# --- Corrections --------------------------------------------------------------------------------------------


def test_corrections_are_remembered_in_the_order_of_their_versions(ledger, key, decision):
    for version in range(1, 13):
        ledger.record_correction(key, Case(decision), correct(version), NOW)

    assert [each.version for each in ledger.load(key, NOW).corrections] == list(range(1, 13))


FIRST, SECOND = FirstAnswer("U0LEO", 1_700_000_060.0002, "T0ACME"), FirstAnswer("U0ANNA", 1_700_000_090.0003)


def test_an_answer_that_another_one_overtook_is_looked_at_again(ledger, key):
    ledger.record_answer(key, Case(), FIRST, NOW)
    ledger.record_answer(key, Case(), FIRST, NOW)  # the same one twice is once

    with pytest.raises(VersionTaken):
        ledger.record_answer(key, Case(), SECOND, NOW)

    assert ledger.load(key, NOW).first_answer == FIRST


def test_the_first_answer_takes_the_place_of_one_that_was_heard_of_before(ledger, key):
    ledger.record_answer(key, Case(), SECOND, NOW)

    ledger.record_answer(key, ledger.load(key, NOW), FIRST, NOW)

    assert ledger.load(key, NOW).first_answer == FIRST


def test_of_two_corrections_of_one_version_the_first_is_kept(ledger, key, decision):
    ledger.record_correction(key, Case(decision), correct(1, "technical"), NOW)

    with pytest.raises(VersionTaken):
        ledger.record_correction(key, Case(decision), correct(1, "general"), NOW)

    assert ledger.load(key, NOW).labels == {"category": "technical"}


# --- Failures -----------------------------------------------------------------------------------------------


def test_a_table_that_does_not_answer_is_named_as_such(key, decision):
    nowhere = boto3.client(
        "dynamodb",
        endpoint_url="http://127.0.0.1:9",
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(connect_timeout=1, retries={"total_max_attempts": 1}),
    )
    ledger = Ledger(nowhere, "ledger")

    for ask in (
        lambda: ledger.load(key, NOW),
        lambda: ledger.record_decision(key, decision, NOW),
        lambda: ledger.claim(key, "reply", NOW),
        lambda: ledger.record_correction(key, Case(decision), correct(1), NOW),
    ):
        with pytest.raises(LedgerUnavailable):
            ask()


def test_a_table_that_does_not_exist_is_a_failure_and_not_a_condition(dynamodb, key):
    with pytest.raises(LedgerUnavailable, match="ResourceNotFound"):
        Ledger(dynamodb, "no-such-table").claim(key, "reply", NOW)
