"""Limit the texts that the endpoint classifies a day (UTC); beyond that, use the same model in this process."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.store.errors import dynamodb_errors
from classifier_infra.inference.classifier import Classifier
from classifier_infra.model.explanation import Explanation
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

_KEPT_SECONDS = 3 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Budget:
    """A daily counter of texts, shared by all instances of the function."""

    client: "DynamoDBClient"
    table: str
    most: int

    def spend(self, count: int, now: float) -> bool:
        """Count texts, and report whether the day's budget covers them. Raises LedgerUnavailable."""
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        with dynamodb_errors():
            answer = self.client.update_item(
                TableName=self.table,
                Key={"pk": {"S": f"budget#{day}"}, "sk": {"S": "endpoint"}},
                UpdateExpression="SET expires_at = :expires ADD spent :count",
                ExpressionAttributeValues={
                    ":count": {"N": str(count)},
                    ":expires": {"N": str(int(now) + _KEPT_SECONDS)},
                },
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["spent"]["N"]) <= self.most


@dataclass(frozen=True, slots=True)
class BudgetedClassifier:
    """Use the endpoint within the budget, then `fallback`; without one, still the endpoint, with a warning."""

    endpoint: Classifier
    fallback: Classifier | None
    budget: Budget
    now: Callable[[], float]

    @property
    def manifest(self) -> Manifest:
        return self.endpoint.manifest

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """See Classifier. Raises LedgerUnavailable, too."""
        if self.budget.spend(len(texts), self.now()):
            return self.endpoint.predict(texts)
        log.warning("the day's budget is spent", extra={"texts": len(texts), "has_fallback": self.fallback is not None})
        return (self.fallback or self.endpoint).predict(texts)

    def explain(self, text: str, facet: str, label: str) -> Explanation:
        """See Classifier. The endpoint is not called."""
        return self.endpoint.explain(text, facet, label)
