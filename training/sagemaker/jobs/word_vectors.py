"""Word vectors in word2vec's text format, and the search for similar messages.

A text's vector is the mean of its words' vectors, weighted by inverse document frequency over the messages; similarity
is the cosine.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.sagemaker import JobError

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class WordVectors:
    """A matrix with one row per word."""

    rows: Mapping[str, int]
    matrix: Matrix

    @property
    def dimensions(self) -> int:
        return int(self.matrix.shape[1])


def read_vectors(path: Path) -> WordVectors:
    """Read word2vec's text format: "words dimensions", then a word and its numbers per line.

    Raises JobError, OSError.
    """
    rows: dict[str, int] = {}
    with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        try:
            count, dimensions = map(int, file.readline().split())
            matrix = np.empty((count, dimensions), dtype=np.float32)
            for row in range(count):
                word, *numbers = file.readline().rstrip("\n ").split(" ")
                if len(numbers) != dimensions:
                    raise ValueError(f"line {row + 2} has {len(numbers)} numbers, not {dimensions}")
                matrix[row] = [float(number) for number in numbers]
                rows[word] = row
        except (ValueError, MemoryError) as error:
            raise JobError(f"{path}: not word vectors in word2vec's text format ({error})") from error
    return WordVectors(rows, matrix)


# --- Similar messages -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """A message's index, and the cosine (-1 to 1) between its vector and the text's."""

    message: int
    cosine: float


class Index:
    """A search index of normalised messages."""

    def __init__(self, vectors: WordVectors, messages: Sequence[str]) -> None:
        self._vectors = vectors
        self._weights = inverse_document_frequencies(messages)
        self._unseen = 1.0 + float(np.log(len(messages) + 1.0))
        self._matrix = np.vstack([self._embed(message) for message in messages])

    def nearest(self, words: str, count: int) -> list[Match]:
        """Return the messages nearest to a normalised text, nearest first; none if none of its words is known."""
        vector = self._embed(words)
        if not vector.any():
            return []
        cosines = self._matrix @ vector
        best = heapq.nlargest(count, range(len(cosines)), key=lambda message: float(cosines[message]))
        return [Match(message, float(cosines[message])) for message in best]

    def _embed(self, words: str) -> Matrix:
        """Return a text's vector, of length 1, or 0 if no word is known."""
        total = np.zeros(self._vectors.dimensions, dtype=np.float32)
        for word in words.split():
            row = self._vectors.rows.get(word)
            if row is not None:
                total += self._weights.get(word, self._unseen) * self._vectors.matrix[row]
        length = float(np.linalg.norm(total))
        return total / length if length else total


def inverse_document_frequencies(messages: Iterable[str]) -> dict[str, float]:
    """Return each word's inverse document frequency: 1 for a word in every message, more for rarer ones."""
    found: Counter[str] = Counter()
    count = 0
    for message in messages:
        found.update(set(message.split()))
        count += 1
    return {word: 1.0 + float(np.log((count + 1) / (seen + 1))) for word, seen in found.items()}
