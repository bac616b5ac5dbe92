"""Fitting of linear heads."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import LinearSVC

from training.data.dataset import Example
from training.linear import FeatureSettings, Hyperparameters
from training.linear.features import END_OF_LINE, build_dictionary, featurise
from training.linear.heads import choose_buckets, cross_fit, fit_head, fit_model

WORDS_ALONE = FeatureSettings(word_ngrams=1, maxn=0)


def examples(**texts):
    return [Example(text, text, i) for i, group in enumerate(texts.values()) for text in group]


THREE = examples(
    billing=["refund please", "charged twice", "refund my card"],
    technical=["it crashes", "login fails", "crashes on login"],
    general=["thank you", "opening hours please", "you are great"],
)
TWO = [example for example in THREE if example.label < 2]


@pytest.mark.parametrize("rows", [TWO, THREE], ids=["two classes", "three classes"])
def test_a_head_learns_its_examples(rows):
    labels = len({example.label for example in rows})

    model = fit_model([rows], [labels], Hyperparameters())

    logits = model.logits([example.words for example in rows], 0)
    assert logits.shape == (len(rows), labels)
    assert logits.argmax(axis=1).tolist() == [example.label for example in rows]


def test_logits_are_scikit_learns_margins_on_idf_weighted_means_intercept_and_all():
    texts, labels = [example.words for example in THREE], [example.label for example in THREE]
    shares = featurise(texts, build_dictionary(texts, WORDS_ALONE, 1))
    features = TfidfTransformer(norm=None).fit_transform(shares)
    features /= np.sqrt(features.multiply(features).sum(axis=1)).mean()
    machine = LinearSVC(C=2.0, dual=True, random_state=0, max_iter=10_000).fit(features, labels)

    logits = shares @ fit_head(shares, labels, Hyperparameters(features=WORDS_ALONE))

    np.testing.assert_allclose(logits, machine.decision_function(features), atol=1e-9)


def test_naive_bayes_adds_its_log_odds_to_the_margins():
    texts, labels = [example.words for example in TWO], [example.label for example in TWO]
    shares = featurise(texts, build_dictionary(texts, WORDS_ALONE, 1))
    once, twice = (fit_head(shares, labels, Hyperparameters(bayes=bayes)) for bayes in (1.0, 2.0))

    added = shares @ (twice - once)

    machine = MultinomialNB(alpha=3e-4, fit_prior=False).fit(shares, labels)
    odds = shares @ (machine.feature_log_prob_[1] - machine.feature_log_prob_[0])
    np.testing.assert_allclose(added[:, 1] - added[:, 0], 2 * odds / np.sqrt((odds**2).mean()), atol=1e-9)


def test_margins_and_log_odds_have_the_given_weights():
    texts, labels = [example.words for example in THREE], [example.label for example in THREE]
    shares = featurise(texts, build_dictionary(texts, WORDS_ALONE, 1))
    alone, once, twice = (shares @ fit_head(shares, labels, Hyperparameters(bayes=bayes)) for bayes in (0.0, 1.0, 2.0))

    odds = twice - once
    margins = once - odds

    assert odds.std() == pytest.approx(1)
    centred = alone - alone.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(margins, centred / centred.std(), atol=1e-9)


def test_classes_of_the_same_texts_are_no_evidence():
    rows = examples(one=["same words"], two=["same words"])

    model = fit_model([rows], [2], Hyperparameters(bayes=1.0))

    np.testing.assert_allclose(model.logits(["same words"], 0), 0, atol=1e-3)


def test_facets_share_a_dictionary_but_no_example():
    other = examples(low=["thanks", "no hurry"], high=["everything is down"])

    together = fit_model([THREE, other], [3, 2], Hyperparameters(features=WORDS_ALONE, buckets=1))

    assert {"refund", "hurry", END_OF_LINE} <= set(together.dictionary.words)
    hurry = together.dictionary.words.index("hurry")
    unseen = together.dictionary.words.index("everything")
    np.testing.assert_array_equal(together.heads[0][hurry], together.heads[0][unseen])


def test_a_text_that_facets_share_counts_once():
    model = fit_model([TWO, TWO], [2, 2], Hyperparameters(buckets=1))

    assert model.dictionary.counts[model.dictionary.words.index("refund")] == 2


def test_the_same_examples_and_seed_give_the_same_weights():
    first, second = (fit_model([THREE], [3], Hyperparameters(seed=7)) for _ in range(2))

    np.testing.assert_array_equal(first.heads[0], second.heads[0])


def test_balanced_classes_give_a_rare_class_more_weight():
    rows = examples(often=["same words"] * 20, rarely=["same words", "other words"])

    plain, balanced = (
        fit_model([rows], [2], Hyperparameters(balanced=balanced)).logits(["same words"], 0)
        for balanced in (False, True)
    )

    assert balanced[0, 1] - balanced[0, 0] > plain[0, 1] - plain[0, 0]


def test_every_fit_is_reported():
    fits = []

    fit_model([THREE, TWO], [3, 2], Hyperparameters(), lambda: fits.append(1))

    assert len(fits) == 2


@pytest.mark.parametrize(
    ("characters", "labels", "buckets"),
    [
        (100, 3, 256),  # never fewer
        (160_000, 9, 32_768),  # as many as the texts ask for
        (5_000_000, 14, 131_072),  # as many as 8 MiB hold
        (5_000_000, 77, 16_384),
    ],
)
def test_buckets_grow_with_the_texts_up_to_the_files_limit(characters, labels, buckets):
    assert choose_buckets(characters, labels) == buckets


def test_every_row_is_scored_by_a_head_fitted_to_the_other_folds():
    # Without min_count there are words that one row alone has: to the other folds' head they are unknown.
    settings = Hyperparameters(features=FeatureSettings(word_ngrams=2, maxn=0), buckets=50)
    texts, labels = [example.words for example in THREE], [example.label for example in THREE]
    folds = np.array([0, 1, -1] * 3)
    dictionary = build_dictionary(texts, settings.features, 50)

    logits = cross_fit(featurise(texts, dictionary), labels, folds, len(dictionary.words), settings)

    for fold in (0, 1):
        others = [example for example, of in zip(THREE, folds, strict=True) if of != fold]
        held = [example.words for example, of in zip(THREE, folds, strict=True) if of == fold]
        expected = fit_model([others], [3], settings).logits(held, 0)
        np.testing.assert_allclose(logits[folds == fold], expected, atol=1e-2)
    assert np.isnan(logits[folds == -1]).all()
