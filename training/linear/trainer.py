"""The linear trainer: calibrate on held-out rows, fit to all rows but the test's, export, measure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version

import numpy as np

from classifier_infra.model.decoding import count_tokens
from classifier_infra.model.manifest import Facet as ManifestFacet
from classifier_infra.model.manifest import Manifest, raw_label
from training.artefact import Check, begin_manifest, check, complete_manifest
from training.calibrate import fit_calibration, fit_factor
from training.data.dataset import Example, Facet
from training.data.splits import ALWAYS_TRAINED, Rows, divide
from training.linear import Hyperparameters
from training.linear.export import flatten_heads, to_fasttext
from training.linear.features import Dictionary, featurise
from training.linear.heads import LinearModel, Weights, cross_fit, fit_dictionary, fit_head

_LIBRARIES = ("numpy", "scikit-learn", "scipy")


def train(
    name: str,
    facets: Sequence[Facet],
    hyperparameters: Hyperparameters,
    on_fit: Callable[[int], object] = lambda fits: None,
) -> tuple[bytes, Manifest]:
    """Return `model.bin` and its manifest, of version `name-…`; `on_fit` is called per fit with their total number.

    Calibrations and thresholds come from cross-validation. The exported heads are fitted to all rows, because a few
    hundred are too few to leave a tenth unused; with many rows, the validation rows stay held out. Raises DataError if
    no row can be held out.
    """
    parts = [divide(facet, hyperparameters.folds) for facet in facets]
    fits = sum(rows.is_refitted + int(rows.folds.max()) + 1 for rows in parts)
    fitted = [rows.fitted for rows in parts]
    dictionary = fit_dictionary(fitted, [len(facet.labels) for facet in facets], hyperparameters)
    checks, heads = [], []
    for facet, rows in zip(facets, parts, strict=True):
        fit = _fit_again if rows.is_refitted else _fit_once
        head, logits = fit(rows, dictionary, hyperparameters, lambda: on_fit(fits))
        heads.append(head)
        checks.append(_check(facet, rows, logits, is_alone=len(parts) == 1))
    model = LinearModel(dictionary, tuple(heads))
    content, manifest = _export(name, facets, fitted, checks, model)
    trainer = {
        "trainer": "linear",
        "hyperparameters": asdict(replace(hyperparameters, buckets=dictionary.buckets)),
        "libraries": {library: version(library) for library in _LIBRARIES},
    }
    return content, complete_manifest(content, manifest, facets, fitted, parts[0].validated, checks, trainer)


def _fit_again(
    rows: Rows, dictionary: Dictionary, hyperparameters: Hyperparameters, on_fit: Callable[[], object]
) -> tuple[Weights, Weights]:
    """Return the head fitted to all rows, and each validation row's logits from the other folds' head."""
    shares = featurise([example.words for example in rows.examples], dictionary)
    logits = cross_fit(shares, rows.labels, rows.folds, len(dictionary.words), hyperparameters, on_fit)
    head = fit_head(shares, rows.labels, hyperparameters)
    on_fit()
    return head, logits[rows.folds != ALWAYS_TRAINED]


def _fit_once(
    rows: Rows, dictionary: Dictionary, hyperparameters: Hyperparameters, on_fit: Callable[[], object]
) -> tuple[Weights, Weights]:
    """Return the head fitted to the rows outside validation, and its logits for each validation row."""
    shares = featurise([example.words for example in rows.fitted], dictionary)
    head = fit_head(shares, rows.labels[rows.folds == ALWAYS_TRAINED], hyperparameters)
    on_fit()
    logits: Weights = featurise([example.words for example in rows.validated], dictionary) @ head
    return head, logits


def _check(facet: Facet, rows: Rows, logits: Weights, is_alone: bool) -> Check:
    labels = rows.labels[rows.folds != ALWAYS_TRAINED]
    tokens = np.array([count_tokens(example.words) for example in rows.validated])
    # The raw scores of a single facet must be probabilities, and float32 is too coarse for the smallest of them to
    # apply an exponent later: a single rare word was off by up to 0.09.
    calibration = fit_factor(logits, labels) if is_alone else fit_calibration(logits, labels, tokens)
    return check(facet.labels, calibration, logits, labels, tokens, rows.is_refitted)


def _export(
    name: str,
    facets: Sequence[Facet],
    examples: Sequence[Sequence[Example]],
    checks: Sequence[Check],
    model: LinearModel,
) -> tuple[bytes, Manifest]:
    exported = flatten_heads(model.heads, [checked.calibration.factor for checked in checks])
    content = to_fasttext(model.dictionary, exported.rows, _count_labels(facets, examples))
    described = [
        ManifestFacet(
            facet.name,
            facet.labels,
            calibration=factor * checked.calibration.at_one_token,
            threshold=checked.threshold,
            length_exponent=checked.calibration.exponent,
        )
        for facet, checked, factor in zip(facets, checks, exported.calibrations, strict=True)
    ]
    return content, begin_manifest(name, content, described, exported.method, exported.tau)


def _count_labels(facets: Sequence[Facet], examples: Sequence[Sequence[Example]]) -> list[tuple[str, int]]:
    counted = []
    for facet, rows in zip(facets, examples, strict=True):
        counts = Counter(example.label for example in rows)
        prefix = None if facet is facets[0] else facet.name
        counted += [(raw_label(prefix, label.name), counts[i]) for i, label in enumerate(facet.labels)]
    return counted
