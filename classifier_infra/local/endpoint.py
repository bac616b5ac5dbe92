"""An endpoint: production variants, and which of them gets an invocation."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from classifier_infra.local.container import Scorer
from classifier_infra.local.counters import Counters
from classifier_infra.local.rotation import Rotation


@dataclass(frozen=True, slots=True)
class Variant:
    """A loaded model with its weight in the endpoint's traffic, and what was counted of it."""

    name: str
    model: Scorer
    weight: float = 1.0
    counters: Counters = field(default_factory=Counters)


class Endpoint:
    """A named endpoint over one or more variants."""

    def __init__(self, name: str, variants: Sequence[Variant]) -> None:
        self.name = name
        self.put(variants)

    def put(self, variants: Sequence[Variant]) -> None:
        """Have these variants from now on, with their weights; counters go on where they are."""
        self.variants = {variant.name: variant for variant in variants}
        self._in_order = tuple(variants)
        self._rotation = Rotation([variant.weight for variant in variants])

    def choose(self, target: str | None) -> Variant | None:
        """Give the variant that is named, or the one whose turn it is; None where there is none of that name."""
        if target is not None:
            return self.variants.get(target)
        return self._in_order[self._rotation.next()]
