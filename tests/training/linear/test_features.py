"""Features of texts, compared with models trained by the original fastText."""

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.text import normalise
from training.linear import FeatureSettings
from training.linear.features import Dictionary, build_dictionary, feature_ids, featurise

BUCKETS = 1000
SETTINGS = (
    FeatureSettings(word_ngrams=2, minn=3, maxn=4, min_count=1),
    FeatureSettings(word_ngrams=3, minn=1, maxn=5, min_count=2),
    FeatureSettings(word_ngrams=2, minn=0, maxn=0, min_count=1),
    FeatureSettings(word_ngrams=1, minn=2, maxn=3, min_count=3),
    FeatureSettings(word_ngrams=5, minn=2, maxn=2, min_count=1),
)
TEXTS = tuple(
    normalise(text)
    for text in (
        "The app crashes when I open it", "the app crashes again, AGAIN!", "größe und Übergröße falsch",
        "日本語の請求書をください 日本語", "don't charge me twice 👍👍", "naïve café refund refund refund",
        "a b c a b c", "where is my refund", "the the the the",
    )
)  # fmt: skip
UNSEEN = tuple(
    normalise(text) for text in ("", "refunds crashing", "ж я 中 ü", "x", "the refund 💥 wird größer", "a b " * 400)
)


@dataclass(frozen=True)
class Trained:
    """A model of the original fastText, and our features over its dictionary."""

    answer: dict[str, Any]
    ours: Dictionary
    over_its_words: Dictionary


@pytest.fixture(scope="module")
def all_trained(ask_fasttext) -> dict[FeatureSettings, Trained]:
    arguments = [
        dict(zip(("wordNgrams", "minn", "maxn", "minCount"), astuple(settings), strict=True)) | {"bucket": BUCKETS}
        for settings in SETTINGS
    ]
    words = sorted({word for text in TEXTS + UNSEEN for word in text.split()})
    answers = ask_fasttext(
        {"what": "train", "texts": TEXTS, "asked": TEXTS + UNSEEN, "words": words, "arguments": arguments}
    )
    return {
        settings: Trained(
            answer,
            build_dictionary(TEXTS, settings, BUCKETS),
            # fastText orders words of equal count arbitrarily, so ids are compared over its own dictionary.
            Dictionary(tuple(answer["words"]), tuple(answer["counts"]), BUCKETS, settings),
        )
        for settings, answer in zip(SETTINGS, answers, strict=True)
    }


@pytest.fixture(params=SETTINGS, ids=str)
def trained(request, all_trained) -> Trained:
    return all_trained[request.param]


def test_known_words_and_counts_match_fasttext(trained):
    theirs = dict(zip(trained.answer["words"], trained.answer["counts"], strict=True))

    ours = dict(zip(trained.ours.words, trained.ours.counts, strict=True))

    assert ours == theirs


def test_the_mean_of_a_texts_features_is_fasttexts_vector(trained):
    rows = np.array(trained.answer["rows"])

    means = featurise(TEXTS + UNSEEN, trained.over_its_words) @ rows

    np.testing.assert_allclose(means, trained.answer["vectors"], atol=1e-6)


def test_word_and_sub_word_ids_match_fasttext(trained):
    words_alone = FeatureSettings(1, *astuple(trained.ours.settings)[1:])
    dictionary = Dictionary(trained.over_its_words.words, trained.over_its_words.counts, BUCKETS, words_alone)
    end_of_line = dictionary.words.index("</s>")

    for word, ids in trained.answer["subwords"].items():
        assert feature_ids(word, dictionary) == sorted([*ids, end_of_line])


def test_more_frequent_words_have_lower_ids_and_ties_are_settled_by_name():
    dictionary = build_dictionary(["b a b", "c a"], FeatureSettings(), BUCKETS)

    assert dictionary.words == ("</s>", "a", "b", "c")
    assert dictionary.counts == (2, 2, 2, 1)


def test_the_end_of_line_is_known_however_rare_it_is():
    dictionary = build_dictionary(["a a a"], FeatureSettings(min_count=2), BUCKETS)

    assert dictionary.words == ("a", "</s>")


def test_an_unknown_word_counts_through_its_sub_words_and_n_grams():
    settings = FeatureSettings(word_ngrams=2, minn=3, maxn=3, min_count=2)
    dictionary = build_dictionary(["known known"], settings, BUCKETS)

    ids = feature_ids("abc", dictionary)

    hashed = [i for i in ids if i >= len(dictionary.words)]
    assert len(ids) - len(hashed) == 1  # </s>
    assert len(hashed) == 4  # <ab, abc, bc>, and the pair of the word with </s>


def test_an_empty_text_has_the_end_of_line_for_its_only_feature():
    dictionary = build_dictionary(TEXTS, FeatureSettings(), BUCKETS)

    assert feature_ids("", dictionary) == [dictionary.words.index("</s>")]


def test_no_texts_give_no_rows():
    dictionary = build_dictionary(TEXTS, FeatureSettings(), BUCKETS)

    assert featurise([], dictionary).shape == (0, dictionary.size)


@given(st.lists(st.text().map(normalise), max_size=8))
def test_every_text_gives_one_row_that_sums_to_one(texts):
    dictionary = build_dictionary(TEXTS, FeatureSettings(), BUCKETS)

    shares = featurise(texts, dictionary)

    assert shares.shape == (len(texts), dictionary.size)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


@given(st.lists(st.text().map(normalise), min_size=1, max_size=8))
def test_a_texts_row_does_not_depend_on_the_texts_beside_it(texts):
    dictionary = build_dictionary(TEXTS, FeatureSettings(), BUCKETS)

    together = featurise(texts, dictionary)

    for i, text in enumerate(texts):
        assert (together[[i]] != featurise([text], dictionary)).nnz == 0
