"""The classifier of a Lambda function's instance, kept current between invocations.

Each invocation uses one model from beginning to end. When a minute has passed since the last renewal, an invocation
starts the next one and waits for it briefly. A renewal that takes longer, because it loads another model, continues in
its thread, and the first invocation after it is complete takes the new model over.

For one invocation at a time, as in Lambda. Objects that the two threads share are replaced, never changed.
"""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from classifier_infra.inference.classifier import ClassifierUnavailable, NotExplainable
from classifier_infra.inference.deadline import Deadline, within
from classifier_infra.inference.events import ModelChanged, ModelNotChanged
from classifier_infra.inference.fallback import EmbeddedClassifier, Predictor
from classifier_infra.inference.loader import ActiveModel, ModelLoader
from classifier_infra.inference.model_store import StoreError
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.model.explanation import Explanation
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model import Model
from classifier_infra.model.prediction import Prediction

log = logging.getLogger(__name__)

RENEWAL_SECONDS = 60.0
_MOST_WAIT = 1.0  # seconds
_RESERVED = 0.25  # seconds of an invocation for the work after the classification


@dataclass(frozen=True, slots=True)
class CurrentClassifier:
    """The Classifier of one invocation."""

    model: Model
    predictor: Predictor
    embedded: EmbeddedClassifier | None
    deadline: Deadline

    @property
    def manifest(self) -> Manifest:
        return self.model.manifest

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return self.predictor.predict(texts, self.deadline)

    def explain(self, text: str, facet: str, label: str) -> Explanation:
        if self.model.explainer is None:
            raise NotExplainable("the model is too large to be explained here")
        return self.model.explainer.explain(text, facet, label)

    def without_endpoint(self) -> "CurrentClassifier | None":
        """Return a classifier of the same model in this process, or None if the model is not in memory."""
        return replace(self, predictor=self.embedded) if self.embedded else None


class ClassifierService:
    """Provides each invocation with its classifier; renewals are `renewal_seconds` apart."""

    def __init__(self, loader: ModelLoader, renewal_seconds: float) -> None:
        self._loader = loader
        self._renewal_seconds = renewal_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="renewal")
        self._active: ActiveModel | None = None
        self._renewal: Future[ActiveModel] | None = None
        self._due = 0.0

    def current(self, seconds: float) -> CurrentClassifier:
        """Return the classifier for an invocation with that many seconds left.

        Raises ClassifierUnavailable if no model could be loaded yet.
        """
        deadline = within(seconds - _RESERVED)
        self._active = active = self._keep_current(self._active, deadline) if self._active else self._load()
        return CurrentClassifier(active.model, active.predictor, active.embedded, deadline)

    def _load(self) -> ActiveModel:
        try:
            active = self._loader.load()
        except (StoreError, ArtefactError) as error:
            raise ClassifierUnavailable(f"there is no model: {error}") from error
        self._schedule_renewal(active)
        return active

    def _schedule_renewal(self, active: ActiveModel) -> None:
        # The next invocation tries an unchecked endpoint again; the circuit breaker limits how often.
        self._due = time.monotonic() + (0.0 if active.unchecked else self._renewal_seconds)

    def _keep_current(self, active: ActiveModel, deadline: Deadline) -> ActiveModel:
        if self._renewal is None:
            if time.monotonic() < self._due:
                return active
            self._renewal = self._thread.submit(self._loader.renew, active)
            wait([self._renewal], timeout=min(_MOST_WAIT, deadline.left() / 4))
        if not self._renewal.done():
            return active
        renewal, self._renewal = self._renewal, None
        active = self._take_over(active, renewal)
        self._schedule_renewal(active)
        return active

    def _take_over(self, before: ActiveModel, renewal: Future[ActiveModel]) -> ActiveModel:
        report = self._loader.report
        try:
            after = renewal.result()
        except (StoreError, ArtefactError) as error:
            report(ModelNotChanged(str(error)))
            return before
        except Exception:
            # Whatever is wrong with the next model, this one serves.
            log.exception("renewal failed")
            report(ModelNotChanged("see the exception"))
            return before
        if before.model.manifest.version != after.model.manifest.version:
            report(ModelChanged(before.model.manifest.version, after.model.manifest.version))
        return after
