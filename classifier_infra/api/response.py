"""Build the API's answers from predictions, explanations and manifests, as JSON or as a sentence."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from classifier_infra.model.confidence import Doubt, find_doubt
from classifier_infra.model.explanation import Explanation
from classifier_infra.model.manifest import NEVER, Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Prediction

_REASONS: Mapping[Doubt, str] = {
    "canaries-moved": "The model no longer answers as it did when it was measured, so it only suggests.",
    "words-unchecked": "The model's words are not at hand to check the text by, so it only suggests.",
}


def answer_json(prediction: Prediction, manifest: Manifest, explanations: Sequence[Explanation] = ()) -> dict[str, Any]:
    """Return the facets by name (the main one first) with their explanations, then `decision` and `model`."""
    facets = {facet.name: _facet_json(prediction.facets[facet.name], facet, manifest) for facet in manifest.facets}
    for explanation in explanations:
        facets[explanation.facet]["explanation"] = _explanation_json(explanation)
    return {**facets, "decision": _decide(prediction, manifest), "model": _model_json(prediction)}


def answer_sentence(prediction: Prediction, manifest: Manifest) -> str:
    """Return one sentence: `Category Billing (97.1 %), urgency High (81 %): Billing at 97.1 % reaches …`."""
    facets = ", ".join(_facet_words(facet, prediction.facets[facet.name]) for facet in manifest.facets)
    return f"{facets[:1].upper()}{facets[1:]}: {_decide(prediction, manifest)['reason']}"


def explanations_json(
    explanations: Sequence[Explanation], prediction: Prediction, manifest: Manifest
) -> dict[str, Any]:
    """Return each explained label with its confidence and its words' contributions, and the model."""
    return {
        "explanations": [_explained_label_json(each, prediction, manifest) for each in explanations],
        "model": _model_json(prediction),
    }


def labels_json(manifest: Manifest) -> dict[str, Any]:
    """Return the facets (the main one first) with thresholds and labels, and the model's version."""
    return {
        "facets": [
            {
                "name": facet.name,
                "threshold": facet.threshold,
                "labels": [_label_json(label, facet, manifest) for label in facet.labels],
            }
            for facet in manifest.facets
        ],
        "model": {"version": manifest.version},
    }


# --- The decision -------------------------------------------------------------------------------------------


def _decide(prediction: Prediction, manifest: Manifest) -> dict[str, Any]:
    """Report whether the main facet's best label is sure enough to act on, and why in a sentence."""
    facet = manifest.facets[0]
    doubt = find_doubt(prediction)
    automatic = not doubt and facet.is_reached_by(prediction.facets[facet.name].confidence)
    reason = _explain_doubt(doubt, prediction) if doubt else _compare(facet, prediction.facets[facet.name])
    return {"automatic": automatic, "threshold": facet.threshold, "reason": reason}


def _compare(facet: Facet, prediction: FacetPrediction) -> str:
    if facet.threshold >= NEVER:
        return f"The model is never sure enough of its {facet.name} to act on it."
    verdict = "reaches" if facet.is_reached_by(prediction.confidence) else "is below"
    label, confidence = facet.display(prediction.name), _percent(prediction.confidence)
    return f"{label} at {confidence} {verdict} the threshold of {_percent(facet.threshold)}."


def _explain_doubt(doubt: Doubt, prediction: Prediction) -> str:
    familiarity = prediction.familiarity
    if doubt != "unfamiliar" or familiarity is None:
        return _REASONS[doubt]
    if not familiarity.words:
        return "There is no word in it to judge by, so a person should decide."
    known = f"only {familiarity.familiar} of its {familiarity.words}" if familiarity.familiar else "none of its"
    return f"The model is familiar with {known} words, so a person should decide."


# --- Parts of answers ---------------------------------------------------------------------------------------


def _facet_json(prediction: FacetPrediction, facet: Facet, manifest: Manifest) -> dict[str, Any]:
    labels = {label.name: label for label in facet.labels}
    best, *alternatives = [
        {**_label_json(labels[score.name], facet, manifest), "confidence": round(score.confidence, 6)}
        for score in prediction.scores
    ]
    return {**best, "alternatives": alternatives}


def _facet_words(facet: Facet, prediction: FacetPrediction) -> str:
    return f"{facet.name} {facet.display(prediction.name)} ({_percent(prediction.confidence)})"


def _label_json(label: Label, facet: Facet, manifest: Manifest) -> dict[str, str]:
    return {"label": manifest.raw_label(facet, label), "name": label.display}


def _model_json(prediction: Prediction) -> dict[str, str]:
    return {"version": prediction.model_version, "served_by": prediction.served_by}


def _explained_label_json(explanation: Explanation, prediction: Prediction, manifest: Manifest) -> dict[str, Any]:
    facet = next(facet for facet in manifest.facets if facet.name == explanation.facet)
    label = next(label for label in facet.labels if label.name == explanation.label)
    scores = prediction.facets[facet.name].scores
    confidence = next(score.confidence for score in scores if score.name == label.name)
    return {
        "facet": facet.name,
        **_label_json(label, facet, manifest),
        "confidence": round(confidence, 6),
        **_explanation_json(explanation),
    }


def _explanation_json(explanation: Explanation) -> dict[str, Any]:
    return {
        "log_odds": round(explanation.log_odds, 6),
        "baseline": round(explanation.baseline, 6),
        "words": [
            {"word": each.word, "contribution": round(each.contribution, 6), "known": each.known}
            for each in explanation.words
        ],
    }


def _percent(fraction: float) -> str:
    # Rounded down, so that a confidence below a threshold never reads as if it had reached it.
    return f"{math.floor(fraction * 1000 + 1e-9) / 10:g} %"
