"""The classifier of one instance of a Lambda function, kept current between its invocations.

Each invocation works with one model from its beginning to its end. When a minute has passed since the last look, an
invocation waits a moment for the next one; what takes longer (another model to load) goes on beside the invocations
and is taken over by the first one after it is complete.

For one invocation at a time, as Lambda has it. The look has a thread; what the two share is replaced, never changed.
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

LOOK_SECONDS = 60.0
_MOST_WAIT = 1.0  # seconds
_TO_ANSWER = 0.25  # seconds an invocation keeps back for what comes after the classifier


@dataclass(frozen=True, slots=True)
class CurrentClassifier:
    """A client.Classifier for one invocation."""

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
        """Give the same model answering in this process, or None where it is not in memory."""
        return replace(self, predictor=self.embedded) if self.embedded else None


class ClassifierService:
    """See the module. `look_seconds` is the time between two looks at what is in use."""

    def __init__(self, workshop: ModelLoader, look_seconds: float) -> None:
        self._workshop = workshop
        self._look_seconds = look_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="renewal")
        self._serving: ActiveModel | None = None
        self._renewal: Future[ActiveModel] | None = None
        self._due = 0.0

    def current(self, seconds: float) -> CurrentClassifier:
        """Give the classifier for an invocation that has so many seconds left.

        Raises ClassifierUnavailable where there is no model to begin with.
        """
        deadline = within(seconds - _TO_ANSWER)
        serving = self._keep_current(self._serving, deadline) if self._serving else self._open()
        self._serving = serving
        return CurrentClassifier(serving.model, serving.predictor, serving.embedded, deadline)

    def _open(self) -> ActiveModel:
        try:
            serving = self._workshop.open()
        except (StoreError, ArtefactError) as error:
            raise ClassifierUnavailable(f"there is no model: {error}") from error
        self._due = self._next_look(serving)
        return serving

    def _next_look(self, serving: ActiveModel) -> float:
        # What does not answer yet is asked by the next invocation; if it keeps failing, its breaker spares it the most.
        return time.monotonic() + (0.0 if serving.withheld else self._look_seconds)

    def _keep_current(self, serving: ActiveModel, deadline: Deadline) -> ActiveModel:
        if self._renewal is None:
            if time.monotonic() < self._due:
                return serving
            self._renewal = self._thread.submit(self._workshop.renew, serving)
            wait([self._renewal], timeout=min(_MOST_WAIT, deadline.left() / 4))
        if not self._renewal.done():
            return serving
        renewal, self._renewal = self._renewal, None
        serving = self._take_over(serving, renewal)
        self._due = self._next_look(serving)
        return serving

    def _take_over(self, serving: ActiveModel, renewal: Future[ActiveModel]) -> ActiveModel:
        report = self._workshop.report
        try:
            renewed = renewal.result()
        except (StoreError, ArtefactError) as error:
            report(ModelNotChanged(str(error)))
            return serving
        except Exception:
            # Whatever is wrong with the next model, this one serves.
            log.exception("renewal failed")
            report(ModelNotChanged("see the exception"))
            return serving
        before, after = serving.model.manifest.version, renewed.model.manifest.version
        if before != after:
            report(ModelChanged(before, after))
        return renewed
