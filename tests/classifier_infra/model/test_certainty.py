import pytest

from classifier_infra.model.confidence import find_doubt
from classifier_infra.model.prediction import Familiarity, Prediction


def predict(familiarity, caution=None):
    return Prediction({}, "1", "endpoint", familiarity, caution)


def test_a_familiar_text_and_a_sound_classifier_raise_no_doubt():
    assert find_doubt(predict(Familiarity(5, 5))) is None


def test_words_that_were_not_counted_raise_no_doubt():
    assert find_doubt(predict(None)) is None


@pytest.mark.parametrize("familiarity", [Familiarity(0, 0), Familiarity(2, 9)])
def test_a_text_of_unfamiliar_words_is_doubted(familiarity):
    assert find_doubt(predict(familiarity)) == "unfamiliar"


@pytest.mark.parametrize("caution", ["canaries-moved", "words-unchecked"])
def test_a_classifier_that_is_not_to_be_relied_upon_is_doubted(caution):
    assert find_doubt(predict(Familiarity(5, 5), caution)) == caution


def test_that_the_text_is_strange_is_said_first_because_its_author_can_do_something_about_it():
    assert find_doubt(predict(Familiarity(0, 5), "canaries-moved")) == "unfamiliar"
