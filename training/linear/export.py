"""Export of a linear model as a fastText `model.bin`: supervised, softmax loss, one dimension per label.

fastText predicts softmax(O · mean of the input rows of a text's features). With the identity matrix as O and a head's
weights as input rows, that is the head. classifier_infra/model/decoding.py separates the heads of several facets again
and has the formulas.
"""

import io
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifier_infra.model.manifest import Method
from training.linear.features import Dictionary
from training.linear.heads import Weights

_MAGIC = 793712314
_VERSION = 12
_SOFTMAX = 3
_SUPERVISED = 3
_WORD, _LABEL = 0, 1
_NOT_PRUNED = -1
# With several facets, every logit is scaled to within ±2 of its facet's mean, so that no label's score is lost in the
# constant that fastText adds to all of them. A text's logits are a mean of rows, so bounding the rows bounds the texts.
_LARGEST_LOGIT = 2.0


@dataclass(frozen=True, slots=True)
class InputRows:
    """fastText's input matrix (features × labels of all facets) and the parameters of its decoding.

    `calibrations` has each facet's factor that the decoder applies.
    """

    rows: NDArray[np.float32]
    method: Method
    tau: float
    calibrations: tuple[float, ...]


def flatten_heads(heads: Sequence[Weights], calibrations: Sequence[float]) -> InputRows:
    """Place heads side by side under one softmax, in a form that the decoder can separate.

    A single head is exported with its calibration applied, so that its raw scores are probabilities.
    """
    centred = [head - head.mean(axis=1, keepdims=True) for head in heads]
    if len(heads) == 1:
        return InputRows((centred[0] * calibrations[0]).astype(np.float32), "direct", 1.0, (1.0,))
    stacked = np.hstack(centred)
    tau = float(np.abs(stacked).max() / _LARGEST_LOGIT)
    return InputRows((stacked / tau).astype(np.float32), "heads", tau, tuple(calibrations))


def to_fasttext(dictionary: Dictionary, rows: NDArray[np.float32], labels: Iterable[tuple[str, int]]) -> bytes:
    """Return the bytes of `model.bin`; `labels` are raw labels with their numbers of rows, in column order."""
    counted = list(labels)
    file = io.BytesIO()
    file.write(_arguments(dictionary, len(counted)))
    _write_dictionary(file, dictionary, counted)
    _write_matrix(file, rows)
    _write_matrix(file, np.eye(len(counted), dtype=np.float32))
    return file.getvalue()


def _arguments(dictionary: Dictionary, dimensions: int) -> bytes:
    settings = dictionary.settings
    # These are used only in training; fastText's defaults.
    window, epochs, negatives, updates, sampling = 5, 5, 5, 100, 1e-4
    return struct.pack(
        "<14id",
        *(_MAGIC, _VERSION),
        *(dimensions, window, epochs, settings.min_count, negatives, settings.word_ngrams, _SOFTMAX, _SUPERVISED),
        *(dictionary.buckets, settings.minn, settings.maxn, updates, sampling),
    )


def _write_dictionary(file: io.BytesIO, dictionary: Dictionary, labels: Sequence[tuple[str, int]]) -> None:
    words = list(zip(dictionary.words, dictionary.counts, strict=True))
    tokens = sum(count for _, count in (*words, *labels))
    file.write(struct.pack("<3i2q", len(words) + len(labels), len(words), len(labels), tokens, _NOT_PRUNED))
    for kind, entries in ((_WORD, words), (_LABEL, labels)):
        for entry, count in entries:
            file.write(entry.encode() + b"\0" + struct.pack("<qb", count, kind))


def _write_matrix(file: io.BytesIO, matrix: NDArray[np.float32]) -> None:
    quantised = False
    file.write(struct.pack("<?2q", quantised, *matrix.shape))
    file.write(matrix.astype("<f4").tobytes())
