"""Hyperparameter search."""

from dataclasses import replace

from training.data.dataset import TEST, TRAIN, Example, Facet
from training.linear import FeatureSettings, Hyperparameters
from training.linear.search import list_candidates, search, vary_bayes

ORDER_MATTERS = [
    Example("", f"{word} {first} {second}", int((first, second) == ("not", "good")))
    for word in "abcdefghijklmnop"
    for first, second in (("not", "good"), ("good", "not"))
]
WORDS = Hyperparameters(features=FeatureSettings(word_ngrams=1, maxn=0), buckets=64)
PAIRS = replace(WORDS, features=FeatureSettings(word_ngrams=2, maxn=0))


def make_facet(message_labels, tmp_path, **splits):
    return Facet("category", tmp_path, message_labels[:2], {f"{name}.csv": rows for name, rows in splits.items()}, {})


def test_the_features_that_separate_the_classes_are_chosen(message_labels, tmp_path):
    facet = make_facet(message_labels, tmp_path, train=tuple(ORDER_MATTERS))

    best, worst = search([facet], [WORDS, PAIRS])

    assert best.hyperparameters == PAIRS
    assert best.macro_f1 > 0.9 > worst.macro_f1


def test_test_rows_have_no_influence(message_labels, tmp_path):
    contrary = tuple(replace(example, label=1 - example.label) for example in ORDER_MATTERS)
    alone = make_facet(message_labels, tmp_path, train=tuple(ORDER_MATTERS))
    tested = make_facet(message_labels, tmp_path, train=tuple(ORDER_MATTERS), test=contrary)

    assert TEST in tested.examples
    assert TRAIN in tested.examples
    assert search([tested], [WORDS, PAIRS]) == search([alone], [WORDS, PAIRS])


def test_candidates_keep_other_hyperparameters():
    candidates = list_candidates(Hyperparameters(balanced=True, seed=3))

    assert len(set(candidates)) == 24
    assert {(candidate.balanced, candidate.seed) for candidate in candidates} == {(True, 3)}


def test_weights_of_naive_bayes_are_tried_with_the_best_candidate():
    best = replace(PAIRS, cost=4.0, bayes=0.8)

    varied = vary_bayes(best)

    assert [mixture.bayes for mixture in varied] == [0.0, 0.4, 1.2]
    assert {replace(mixture, bayes=0.8) for mixture in varied} == {best}
