"""Bring a model into service: load it, build the classifiers of the mode, hold them against their canaries."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from classifier_infra.inference.active_model import ActiveVersion, load_stored_model, read_in_use
from classifier_infra.inference.classifier import ClassifierError, ClassifierUnavailable
from classifier_infra.inference.deadline import Deadline, within
from classifier_infra.inference.endpoint import Endpoint, EndpointClassifier
from classifier_infra.inference.events import CanariesHold, CanariesMoved, CanariesUnchecked, ModelLimited, Report
from classifier_infra.inference.fallback import EmbeddedClassifier, FallbackClassifier, Predictor, Switch
from classifier_infra.inference.model_store import ModelStore
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.model.canaries import Baseline, answers_of, expected_answers, find_moved
from classifier_infra.model.model import Model, load_model
from classifier_infra.model.prediction import Prediction
from classifier_infra.model.text import clean

_CANARY_SECONDS = 2.0
# What an endpoint answers can change without a word to us; what is in memory cannot.
_RECHECK_SECONDS = 600.0

C = TypeVar("C", EndpointClassifier, EmbeddedClassifier)


@dataclass(frozen=True, slots=True)
class UncheckedEndpoint:
    """Stands for an endpoint that nobody could hold against its canaries yet: it answers no more than one that is down.

    To answer and only suggest would be worse. What is decided about a message stays, and it would have been decided by
    the moment at which a process was started.
    """

    reason: str

    def predict(self, texts: Sequence[str], deadline: Deadline) -> list[Prediction]:
        """Raises ClassifierUnavailable."""
        raise ClassifierUnavailable(f"the endpoint's canaries could not be asked ({self.reason})")


@dataclass(frozen=True, slots=True)
class ActiveModel:
    """A model in service: by an endpoint, in this process, or by one while the other fails.

    `withheld` is why the endpoint does not answer yet, if so. `recheck_at`: when the endpoint's canaries are due
    again, in seconds of the monotonic clock.
    """

    in_use: ActiveVersion
    model: Model
    endpoint: EndpointClassifier | None
    embedded: EmbeddedClassifier | None
    switch: Switch
    withheld: str | None = None
    recheck_at: float = 0.0

    @property
    def predictor(self) -> Predictor:
        endpoint = UncheckedEndpoint(self.withheld) if self.withheld else self.endpoint
        if endpoint and self.embedded:
            return FallbackClassifier(endpoint, self.embedded, self.switch)
        predictor = endpoint or self.embedded
        assert predictor is not None
        return predictor


@dataclass(frozen=True, slots=True)
class ModelLoader:
    """What it takes to bring a model into service, and to notice that another one should be.

    `packaged` is the folder of the model that serves until the store names another; without `endpoint` the model
    answers in this process, and with `fallback` it does so in the endpoint's place.
    """

    packaged: Path
    store: ModelStore | None
    endpoint: Endpoint | None
    fallback: bool
    switch: Switch
    report: Report

    def open(self) -> ActiveModel:
        """Bring the model that is in use into service. Raises StoreError and ArtefactError."""
        in_use = read_in_use(self.store, ActiveVersion()) if self.store else ActiveVersion()
        return self._serve(in_use)

    def renew(self, serving: ActiveModel) -> ActiveModel:
        """Give what should serve now: the same, newly checked, or another model. Raises StoreError, ArtefactError."""
        in_use = read_in_use(self.store, serving.in_use) if self.store else serving.in_use
        if in_use.version != serving.in_use.version:
            after = self._serve(in_use)
            # What answers goes on until what comes after it can be compared.
            return serving if after.withheld and not serving.withheld else after
        accepted = in_use.baselines != serving.in_use.baselines
        if accepted or time.monotonic() >= serving.recheck_at:
            return self._checked(replace(serving, in_use=in_use))
        return replace(serving, in_use=in_use)

    def _serve(self, in_use: ActiveVersion) -> ActiveModel:
        model = self._load(in_use.version)
        endpoint = EndpointClassifier(self.endpoint, model) if self.endpoint else None
        embedded = EmbeddedClassifier(model) if model.artefact else None
        withheld = "nobody has tried" if endpoint else None
        return self._checked(ActiveModel(in_use, model, endpoint, embedded, self.switch, withheld))

    def _load(self, version: str | None) -> Model:
        in_memory = self.fallback or self.endpoint is None
        if version is None or self.store is None:
            model = load_model(self.packaged, in_memory)
        else:
            model = load_stored_model(self.store, version, in_memory)
        self._admit_limits(model, in_memory)
        return model

    def _admit_limits(self, model: Model, in_memory: bool) -> None:
        version = model.manifest.version
        if self.endpoint is None and model.artefact is None:
            raise ArtefactError(f"{version} is too large to answer in this process; it needs CLASSIFIER=endpoint")
        if in_memory and model.artefact is None:
            self.report(ModelLimited(version, "there is no fallback"))
        if model.vocabulary is None:
            self.report(ModelLimited(version, "its words are not at hand: it only suggests, and explains nothing"))

    # --- Canaries -------------------------------------------------------------------------------------------

    def _checked(self, serving: ActiveModel) -> ActiveModel:
        baselines = serving.in_use.baselines
        embedded = serving.embedded and self._compared(serving.embedded, "embedded", baselines)
        serving = replace(serving, embedded=embedded, recheck_at=time.monotonic() + _RECHECK_SECONDS)
        if serving.endpoint is None:
            return serving
        try:
            return replace(serving, endpoint=self._compared(serving.endpoint, "endpoint", baselines), withheld=None)
        except ClassifierError as error:
            self.report(CanariesUnchecked(serving.model.manifest.version, "endpoint", str(error)))
            # An earlier verdict stands: whatever answers next is most likely what answered before.
            return replace(serving, withheld=str(error), recheck_at=0.0) if serving.withheld else serving

    def _compared(self, classifier: C, served_by: str, baselines: Sequence[Baseline]) -> C:
        """Ask a model its canaries. Raises ClassifierError."""
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
    """Have a model's canaries classified. Raises ClassifierError."""
    texts = [clean(canary.text) for canary in classifier.model.manifest.canaries]
    return classifier.predict(texts, within(_CANARY_SECONDS))
