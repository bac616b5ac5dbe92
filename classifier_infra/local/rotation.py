"""Turns dealt in proportion to weights, evenly and without chance, so that a share of a few requests is exact too."""

from collections.abc import Sequence


class Rotation:
    """With weights 3 and 1, the turns are 0 0 1 0, again and again."""

    def __init__(self, weights: Sequence[float]) -> None:
        """Take weights of 0 and more, at least one of them more."""
        self._weights = weights
        self._total = sum(weights)
        self._credits = [0.0] * len(weights)

    def next(self) -> int:
        """Give the position of the weight whose turn it is."""
        if len(self._weights) == 1:
            return 0
        self._credits = [credit + weight for credit, weight in zip(self._credits, self._weights, strict=True)]
        turn = self._credits.index(max(self._credits))
        self._credits[turn] -= self._total
        return turn
