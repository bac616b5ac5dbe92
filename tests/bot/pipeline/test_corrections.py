import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from bot.pipeline.corrections import CorrectionHandler, NotAllowed, NothingToCorrect, correct
from bot.policy.policy import Policy
from bot.queue.messages import CorrectionRecord, MessageKey, RevisionRecord
from bot.queue.sender import QueueUnavailable
from bot.triage.case import Case, Correction, Decision

NOW = int(time.time())


@pytest.fixture
def decision(facet_results) -> Decision:
    return Decision("automatic", "sure", facet_results, "model-1")


@pytest.fixture
def dependencies(ledger, queue, settings_of) -> CorrectionHandler:
    return CorrectionHandler(ledger, queue, settings_of(Policy()), lambda: NOW)


@pytest.fixture
def key(ledger, decision) -> MessageKey:
    """A message that was decided about."""
    key = MessageKey("T0", f"C{uuid.uuid4().hex.upper()}", "1700000000.000100")
    ledger.record_decision(key, decision, NOW)
    return key


def test_a_correction_keeps_who_when_from_to_and_which_model(decision):
    correction = correct(Case(decision), "category", "technical", "U0ANNA", NOW, NOW)

    assert correction == Correction(1, "category", "billing", "technical", "U0ANNA", NOW, "model-1", NOW)


def test_a_confirmation_is_a_correction_from_a_label_to_itself(decision):
    correction = correct(Case(decision), "category", "billing", "U0ANNA", NOW, NOW)

    assert correction is not None
    assert (correction.before, correction.after) == ("billing", "billing")


def test_what_a_person_has_said_already_need_not_be_said_again(decision):
    said = Correction(1, "category", "billing", "technical", "U0ANNA", NOW, "model-1")

    assert correct(Case(decision, (said,)), "category", "technical", "U0JONAS", NOW, NOW) is None


def test_what_was_said_earlier_does_not_outweigh_what_was_said_later(decision):
    later = Correction(1, "category", "billing", "technical", "U0ANNA", NOW, "model-1", said_at=NOW)

    assert correct(Case(decision, (later,)), "category", "general", "U0JONAS", NOW + 9, said_at=NOW - 1) is None


def test_a_reaction_that_is_delivered_late_leaves_the_later_word_standing(dependencies, ledger, key):
    dependencies.take(key, "category", "technical", "U0ANNA", said_at=NOW - 10)
    dependencies.take(key, "category", "general", "U0JONAS", said_at=NOW - 60)

    assert ledger.load(key, NOW).labels["category"] == "technical"


@pytest.mark.parametrize(
    ("facet", "label"), [("category", "weather"), ("mood", "billing"), ("", ""), ("urgency", "billing")]
)
def test_only_labels_of_the_decisions_facets_can_be_chosen(decision, facet, label):
    with pytest.raises(NothingToCorrect):
        correct(Case(decision), facet, label, "U0ANNA", NOW, NOW)


def test_a_message_that_is_forgotten_cannot_be_corrected():
    with pytest.raises(NothingToCorrect):
        correct(Case(), "category", "billing", "U0ANNA", NOW, NOW)


def test_a_correction_is_written_and_then_queued_to_be_shown(dependencies, ledger, queue, key):
    dependencies.take(key, "category", "technical", "U0ANNA")

    assert ledger.load(key, NOW).labels["category"] == "technical"
    assert queue.records == [CorrectionRecord("T0", key.channel, key.ts, NOW)]


def test_pressing_twice_corrects_once_and_shows_it_twice(dependencies, ledger, queue, key):
    dependencies.take(key, "category", "technical", "U0ANNA")
    dependencies.take(key, "category", "technical", "U0ANNA")

    assert len(ledger.load(key, NOW).corrections) == 1
    assert len(queue.records) == 2


def test_where_the_policy_names_who_may_correct_nobody_else_does(dependencies, ledger, key, settings_of):
    dependencies = replace(dependencies, settings=settings_of(Policy(correctors=frozenset({"U0ANNA"}))))

    with pytest.raises(NotAllowed):
        dependencies.take(key, "category", "technical", "U0MAYA")
    dependencies.take(key, "category", "technical", "U0ANNA")

    assert [correction.user for correction in ledger.load(key, NOW).corrections] == ["U0ANNA"]


def test_people_who_press_at_the_same_moment_are_all_heard(dependencies, ledger, key):
    presses = [("category", "technical"), ("urgency", "low"), ("tone", "neutral")]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda press: dependencies.take(key, *press, "U0ANNA"), presses))

    case = ledger.load(key, NOW)
    assert case.labels == {"category": "technical", "urgency": "low", "tone": "neutral"}
    assert [correction.version for correction in case.corrections] == [1, 2, 3]


def test_a_correction_that_could_not_be_queued_is_queued_when_pressed_again(dependencies, queue, key, broken_queue):
    with pytest.raises(QueueUnavailable):
        replace(dependencies, queue=broken_queue).take(key, "category", "technical", "U0ANNA")

    dependencies.take(key, "category", "technical", "U0ANNA")

    assert len(queue.records) == 1


# --- Splitting ----------------------------------------------------------------------------------------------


def test_splitting_has_each_message_looked_at_for_itself(dependencies, ledger, queue, key):
    parts = ["1700000005.000100", "1700000009.000100"]
    for ts in parts:
        ledger.add_part(key, ts, NOW)

    dependencies.split(key, "U0ANNA")
    dependencies.split(key, "U0ANNA")

    assert ledger.load(key, NOW).parts == ()
    revisions = [RevisionRecord(key.team, key.channel, ts, NOW) for ts in (*parts, key.ts)]
    assert queue.records == [*revisions, *revisions]


def test_a_split_message_is_not_read_together_again_when_it_is_delivered_late(dependencies, ledger, key):
    ledger.add_part(key, "1700000005.000100", NOW)
    dependencies.split(key, "U0ANNA")

    ledger.add_part(key, "1700000005.000100", NOW)

    assert ledger.load(key, NOW).parts == ()


def test_who_may_not_correct_may_not_split(ledger, queue, key, settings_of):
    dependencies = CorrectionHandler(ledger, queue, settings_of(Policy(correctors=frozenset({"U0BOSS"}))), lambda: NOW)

    with pytest.raises(NotAllowed):
        dependencies.split(key, "U0ANNA")

    assert queue.records == []
