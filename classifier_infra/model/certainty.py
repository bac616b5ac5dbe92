"""Decide whether a prediction is to be acted on without a person: one rule for the API and the bot. Pure."""

from typing import Literal, TypeAlias

from classifier_infra.model.confidence import is_enough
from classifier_infra.model.prediction import Caution, Prediction

Doubt: TypeAlias = Literal[Caution, "unfamiliar"]
"""Why nothing of a prediction is to be acted on, whatever its confidences: for the model's sake, or the text's."""


def find_doubt(prediction: Prediction) -> Doubt | None:
    """Give the reason to let a person decide, or None where the confidences may speak for themselves."""
    if prediction.familiarity is not None and not is_enough(prediction.familiarity):
        return "unfamiliar"
    return prediction.caution
