"""Load the active model, build its classifiers, and check them against the model's canaries."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from classifier_infra.inference.classifier import ClassifierError, ClassifierUnavailable
from classifier_infra.inference.deadline import Deadline, within
from classifier_infra.inference.endpoint import Endpoint, EndpointClassifier
from classifier_infra.inference.events import CanariesHold, CanariesMoved, CanariesUnchecked, ModelLimited, Report
from classifier_infra.inference.fallback import EmbeddedClassifier, FallbackClassifier, Predictor, Switch
from classifier_infra.inference.model_store import ActiveVersion, ModelStore, read_active_version
from classifier_infra.model.artefact import ARCHIVE, MANIFEST, ArtefactError
from classifier_infra.model.canaries import Baseline, answers_of, expected_answers, find_moved
from classifier_infra.model.model import Model, load_model
from classifier_infra.model.prediction import Prediction
from classifier_infra.model.text import clean

_CANARY_SECONDS = 2.0
# An endpoint's answers can change without notice; those of a model in memory cannot.
_RECHECK_SECONDS = 600.0

C = TypeVar("C", EndpointClassifier, EmbeddedClassifier)


@dataclass(frozen=True, slots=True)
class UncheckedEndpoint:
    """Placeholder until the endpoint's canaries are checked; behaves as unavailable.

    It does not answer and only suggest instead, because a decision about a message is final: it would depend on the
    moment at which a process started.
    """

    reason: str

    def predict(self, texts: Sequence[str], deadline: Deadline) -> list[Prediction]:
        """Raise ClassifierUnavailable."""
        raise ClassifierUnavailable(f"the endpoint's canaries could not be asked ({self.reason})")


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """A model in service: at an endpoint, in this process, or both.

    `unchecked` is why the endpoint's canaries are not checked yet, None once they are; they are due again at
    `recheck_at`, in seconds of the monotonic clock.
    """

    active: ActiveVersion
    model: Model
    endpoint: EndpointClassifier | None
    embedded: EmbeddedClassifier | None
    switch: Switch
    unchecked: str | None = None
    recheck_at: float = 0.0

    @property
    def predictor(self) -> Predictor:
        endpoint = UncheckedEndpoint(self.unchecked) if self.unchecked else self.endpoint
        if endpoint and self.embedded:
            return FallbackClassifier(endpoint, self.embedded, self.switch)
        predictor = endpoint or self.embedded
        assert predictor is not None
        return predictor


@dataclass(frozen=True, slots=True)
class ModelLoader:
    """Loads the active model, and reloads it when another becomes active.

    `packaged` is the folder of the model that serves until the store names another. Without `endpoint` the model
    answers in this process; with `fallback` it also does so while the endpoint fails.
    """

    packaged: Path
    store: ModelStore | None
    endpoint: Endpoint | None
    fallback: bool
    switch: Switch
    report: Report

    def load(self) -> ActiveModel:
        """Load the active model. Raises StoreError and ArtefactError."""
        return self._bring_up(read_active_version(self.store, ActiveVersion()) if self.store else ActiveVersion())

    def renew(self, before: ActiveModel) -> ActiveModel:
        """Return the model to serve from now on: the same, perhaps checked again, or another.

        Raises StoreError and ArtefactError.
        """
        active = read_active_version(self.store, before.active) if self.store else before.active
        if active.version != before.active.version:
            after = self._bring_up(active)
            # A checked model is only replaced by one that is checked, too.
            return before if after.unchecked and not before.unchecked else after
        is_due = active.baselines != before.active.baselines or time.monotonic() >= before.recheck_at
        before = replace(before, active=active)
        return self._check(before) if is_due else before

    def _bring_up(self, active: ActiveVersion) -> ActiveModel:
        model = self._load_version(active.version)
        endpoint = EndpointClassifier(self.endpoint, model) if self.endpoint else None
        embedded = EmbeddedClassifier(model) if model.artefact else None
        unchecked = "not tried yet" if endpoint else None
        return self._check(ActiveModel(active, model, endpoint, embedded, self.switch, unchecked))

    def _load_version(self, version: str | None) -> Model:
        in_memory = self.fallback or self.endpoint is None
        if version is None or self.store is None:
            model = load_model(self.packaged, in_memory)
        else:
            model = load_stored_model(self.store, version, in_memory)
        self._report_limits(model, in_memory)
        return model

    def _report_limits(self, model: Model, in_memory: bool) -> None:
        version = model.manifest.version
        if self.endpoint is None and model.artefact is None:
            raise ArtefactError(f"{version} is too large to answer in this process; it needs CLASSIFIER=endpoint")
        if in_memory and model.artefact is None:
            self.report(ModelLimited(version, "there is no fallback"))
        if model.vocabulary is None:
            self.report(ModelLimited(version, "without its vocabulary, it only suggests and explains nothing"))

    # --- Canaries -------------------------------------------------------------------------------------------

    def _check(self, current: ActiveModel) -> ActiveModel:
        baselines = current.active.baselines
        embedded = current.embedded and self._compare(current.embedded, "embedded", baselines)
        current = replace(current, embedded=embedded, recheck_at=time.monotonic() + _RECHECK_SECONDS)
        if current.endpoint is None:
            return current
        try:
            return replace(current, endpoint=self._compare(current.endpoint, "endpoint", baselines), unchecked=None)
        except ClassifierError as error:
            self.report(CanariesUnchecked(current.model.manifest.version, "endpoint", str(error)))
            # An earlier result stands: the endpoint most likely still serves the model that gave it.
            return replace(current, unchecked=str(error), recheck_at=0.0) if current.unchecked else current

    def _compare(self, classifier: C, served_by: str, baselines: Sequence[Baseline]) -> C:
        """Return the classifier with the caution that its canaries call for. Raises ClassifierError."""
        manifest = classifier.model.manifest
        seen = answers_of(ask_canaries(classifier))
        moved = find_moved(expected_answers(manifest, served_by, baselines), seen)
        if moved:
            self.report(CanariesMoved(manifest.version, served_by, moved))
            return replace(classifier, caution="canaries-moved")
        if classifier.caution == "canaries-moved":
            self.report(CanariesHold(manifest.version, served_by))
        return replace(classifier, caution=None)


def ask_canaries(classifier: EndpointClassifier | EmbeddedClassifier) -> list[Prediction]:
    """Return the predictions for a model's canaries, in the manifest's order. Raises ClassifierError."""
    texts = [clean(canary.text) for canary in classifier.model.manifest.canaries]
    return classifier.predict(texts, within(_CANARY_SECONDS))


def load_stored_model(store: ModelStore, version: str, in_memory: bool) -> Model:
    """Fetch a model from the store and load it. Raises StoreError and ArtefactError."""
    with tempfile.TemporaryDirectory(prefix="stored-model-") as name:
        folder = Path(name)
        for file in (MANIFEST, ARCHIVE):
            store.fetch(f"{version}/{file}", folder / file)
        model = load_model(folder, in_memory)
    if model.manifest.version != version:
        raise ArtefactError(f"the model stored as {version} calls itself {model.manifest.version}")
    return model
