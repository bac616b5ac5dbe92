"""The texts that a model can judge. Shares are measured on held-out starter messages."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.confidence import MOST_FREQUENT, Vocabulary, find_doubt, is_enough
from classifier_infra.model.prediction import Familiarity, Prediction
from classifier_infra.model.text import clean, normalise
from training.starter import read_messages

FOLDS = 5

FOREIGN = {
    "German": [
        "Ich habe letzte Woche eine Rechnung bekommen, die doppelt abgebucht wurde.",
        "Die App stürzt ständig ab, bitte helfen Sie mir so schnell wie möglich.",
        "Wann haben Sie am Samstag geöffnet?",
        "Guten Tag, ich möchte mein Konto kündigen und das Geld zurück haben.",
        "Mein Passwort geht nicht mehr.",
    ],
    "French": [
        "Bonjour, j'ai été débité deux fois pour mon abonnement ce mois-ci.",
        "L'application plante à chaque fois que j'ouvre une facture.",
        "Quels sont vos horaires d'ouverture le samedi ?",
        "Merci beaucoup pour votre aide rapide !",
        "C'est urgent, notre site est en panne depuis ce matin.",
    ],
    "Spanish": [
        "Hola, me han cobrado dos veces la suscripción de este mes.",
        "La aplicación se cierra sola cuando intento exportar el informe.",
        "¿A qué hora abren los sábados?",
        "No puedo iniciar sesión, me dice que la contraseña es incorrecta.",
        "Es urgente: nadie en la oficina puede entrar en el sistema.",
    ],
    "Japanese": [
        "先月の請求書が二重に引き落とされています。",
        "アプリがすぐに落ちてしまいます。助けてください。",
        "土曜日の営業時間を教えてください。",
        "ありがとうございました。",
    ],
}


def by_frequency(texts):
    counts = Counter(word for text in texts for word in text.split())
    return [word for word, _ in counts.most_common()]


@pytest.fixture(scope="session")
def messages():
    texts = sorted(normalise(clean(message.text)) for message in read_messages())
    random.Random(0).shuffle(texts)
    return texts


@pytest.fixture(scope="session")
def vocabulary(messages):
    return Vocabulary(by_frequency(messages))


# --- Counting -------------------------------------------------------------------------------------------------


def test_words_of_the_model_are_familiar_and_tokens_without_a_letter_are_no_words():
    vocabulary = Vocabulary(["the", ",", "invoice", "00000", "</s>"])

    assert vocabulary.measure("the invoice , 00000 12 überfällig !") == Familiarity(familiar=2, words=3)


def test_a_word_counts_as_often_as_it_stands_there():
    assert Vocabulary(["the"]).measure("the the what the") == Familiarity(familiar=3, words=4)


def test_of_a_large_vocabulary_only_the_most_frequent_words_count():
    vocabulary = Vocabulary(f"word{number}" for number in range(MOST_FREQUENT + 1))

    assert vocabulary.measure(f"word0 word{MOST_FREQUENT - 1} word{MOST_FREQUENT}") == Familiarity(2, 3)


@pytest.mark.parametrize(("familiar", "words", "expected"), [(1, 2, True), (2, 5, False), (9, 9, True), (0, 1, False)])
def test_half_of_the_words_are_enough(familiar, words, expected):
    assert is_enough(Familiarity(familiar, words)) is expected


@pytest.mark.parametrize("text", ["", "👍 !", "4711 00000"])
def test_a_text_without_a_word_is_never_enough(vocabulary, text):
    assert not is_enough(vocabulary.measure(text))


# --- Which texts fall short -----------------------------------------------------------------------------------


def test_of_messages_like_the_models_own_fewer_than_one_in_a_hundred_fall_short(messages):
    short = []
    for fold in range(FOLDS):
        vocabulary = Vocabulary(by_frequency(text for i, text in enumerate(messages) if i % FOLDS != fold))
        short += [text for text in messages[fold::FOLDS] if not is_enough(vocabulary.measure(text))]

    # The most coverage that is lost: rejected messages may have been below their threshold anyway.
    assert len(short) / len(messages) < 0.01


@pytest.mark.parametrize("text", [text for texts in FOREIGN.values() for text in texts])
def test_foreign_sentences_fall_short(vocabulary, text):
    assert not is_enough(vocabulary.measure(normalise(text)))


@given(st.randoms(use_true_random=False), st.integers(1, 15))
def test_gibberish_falls_short(vocabulary, chance, words):
    letters = "abcdefghijklmnopqrstuvwxyz"
    text = " ".join("".join(chance.choices(letters, k=chance.randint(5, 12))) for _ in range(words))

    assert not is_enough(vocabulary.measure(text))


# --- Doubts ---------------------------------------------------------------------------------------------------


def make_prediction(familiarity, caution=None):
    return Prediction({}, "1", "endpoint", familiarity, caution)


def test_a_familiar_text_and_a_sound_classifier_raise_no_doubt():
    assert find_doubt(make_prediction(Familiarity(5, 5))) is None


def test_words_that_were_not_counted_raise_no_doubt():
    assert find_doubt(make_prediction(None)) is None


@pytest.mark.parametrize("familiarity", [Familiarity(0, 0), Familiarity(2, 9)])
def test_a_text_of_unfamiliar_words_is_doubted(familiarity):
    assert find_doubt(make_prediction(familiarity)) == "unfamiliar"


@pytest.mark.parametrize("caution", ["canaries-moved", "words-unchecked"])
def test_a_classifier_with_a_caution_is_doubted(caution):
    assert find_doubt(make_prediction(Familiarity(5, 5), caution)) == caution


def test_an_unfamiliar_text_comes_first_because_its_author_can_change_it():
    assert find_doubt(make_prediction(Familiarity(0, 5), "canaries-moved")) == "unfamiliar"
