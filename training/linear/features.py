"""fastText's features of texts, as a sparse matrix of feature shares.

A line's features are its words, `</s>` (the end of the line is a token), the sub-words of each word, and the n-grams
of its tokens. Words have ids of their own; n-grams and sub-words share `buckets` hashed ids after them. fastText
averages the rows of its input matrix over all of a line's ids, with multiplicity, and so does this matrix, which makes
a linear model over it a fastText model. The hashes are part of fastText's file format and cannot change.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from training.linear import FeatureSettings

END_OF_LINE = "</s>"

# Rows featurised at a time; bounds memory.
_BLOCK = 8192

_FNV_OFFSET = 2166136261
_FNV_PRIME = np.uint32(16777619)
_NGRAM_FACTOR = np.uint64(116049371)

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Known words (position = id) with their counts, and the number of hashed ids."""

    words: tuple[str, ...]
    counts: tuple[int, ...]
    buckets: int
    settings: FeatureSettings

    @property
    def size(self) -> int:
        """Number of feature ids, the rows of fastText's input matrix."""
        return len(self.words) + self.buckets


def build_dictionary(texts: Iterable[str], settings: FeatureSettings, buckets: int) -> Dictionary:
    """Count the words of normalised texts, most frequent first as in fastText."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(_tokens(text))
    known = [item for item in counts.items() if item[1] >= settings.min_count or item[0] == END_OF_LINE]
    known.sort(key=lambda item: (-item[1], item[0]))
    return Dictionary(tuple(word for word, _ in known), tuple(times for _, times in known), buckets, settings)


def featurise(texts: Sequence[str], dictionary: Dictionary) -> sparse.csr_matrix:
    """Return texts × feature ids: each id's share of a normalised text's ids, so that every row sums to 1."""
    words = _hash_distinct(dict.fromkeys(chain.from_iterable(map(_tokens, texts))), dictionary)
    blocks = [_featurise_block(texts[i : i + _BLOCK], words, dictionary) for i in range(0, len(texts), _BLOCK)]
    return sparse.vstack(blocks, format="csr") if blocks else sparse.csr_matrix((0, dictionary.size))


def feature_ids(text: str, dictionary: Dictionary) -> list[int]:
    """Return the feature ids of one normalised text, with multiplicity, in ascending order."""
    words = _hash_distinct(dict.fromkeys(_tokens(text)), dictionary)
    _, ids = _ids_of_lines([list(_tokens(text))], words, dictionary)
    return sorted(ids.tolist())


def _tokens(text: str) -> Iterator[str]:
    return chain(text.split(), (END_OF_LINE,))


def _featurise_block(texts: Sequence[str], words: "_Words", dictionary: Dictionary) -> sparse.csr_matrix:
    rows, ids = _ids_of_lines([list(_tokens(text)) for text in texts], words, dictionary)
    shares = 1 / np.bincount(rows, minlength=len(texts))
    return sparse.coo_matrix((shares[rows], (rows, ids)), (len(texts), dictionary.size)).tocsr()


def _ids_of_lines(lines: Sequence[Sequence[str]], words: "_Words", dictionary: Dictionary) -> tuple[Ids, Ids]:
    """Return the line numbers and feature ids of all lines, as parallel arrays."""
    tokens = np.array([words.position[token] for line in lines for token in line], dtype=np.int64)
    row_of_token = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    lengths = words.lengths[tokens]
    ngram_rows, ngram_ids = _hash_ngrams(words.hashes[tokens], row_of_token, dictionary)
    rows = np.concatenate([np.repeat(row_of_token, lengths), ngram_rows])
    ids = np.concatenate([words.ids[_ranges(words.starts[tokens], lengths)], ngram_ids])
    return rows, ids


def _hash_ngrams(hashes: NDArray[np.uint64], rows: Ids, dictionary: Dictionary) -> tuple[Ids, Ids]:
    """Return the rows and feature ids of all runs of 2 to `word_ngrams` tokens, as parallel arrays."""
    found_rows, found_ids = [rows[:0]], [rows[:0]]
    running = hashes
    for n in range(2, dictionary.settings.word_ngrams + 1):
        running = running[: len(hashes) - n + 1] * _NGRAM_FACTOR + hashes[n - 1 :]
        within = rows[: len(rows) - n + 1] == rows[n - 1 :]
        found_rows.append(rows[: len(within)][within])
        found_ids.append(_bucket_ids(running[within], dictionary))
    return np.concatenate(found_rows), np.concatenate(found_ids)


def _bucket_ids(hashes: NDArray[Any], dictionary: Dictionary) -> Ids:
    ids: Ids = (hashes % hashes.dtype.type(dictionary.buckets)).astype(np.int64)
    return ids + len(dictionary.words)


# --- Words ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Words:
    """Distinct words, hashed once; word i has the feature ids `ids[starts[i] : starts[i] + lengths[i]]`."""

    position: dict[str, int]
    hashes: NDArray[np.uint64]
    ids: Ids
    starts: Ids
    lengths: Ids


def _hash_distinct(words: Iterable[str], dictionary: Dictionary) -> _Words:
    position = {word: i for i, word in enumerate(words)}
    owners, ids = _subwords(list(position), dictionary)
    known = {word: i for i, word in enumerate(dictionary.words)}
    own_ids = np.array([known.get(word, -1) for word in position], dtype=np.int64)
    owners = np.concatenate([np.flatnonzero(own_ids >= 0), owners])
    ids = np.concatenate([own_ids[own_ids >= 0], ids])
    lengths = np.bincount(owners, minlength=len(position))
    return _Words(
        position=position,
        hashes=_hash_words(list(position)),
        ids=ids[np.argsort(owners, kind="stable")],
        starts=np.cumsum(lengths) - lengths,
        lengths=lengths,
    )


def _hash_words(words: Sequence[str]) -> NDArray[np.uint64]:
    encoded = [word.encode() for word in words]
    lengths = np.array([len(word) for word in encoded], dtype=np.int64)
    hashes = _fnv1a(np.frombuffer(b"".join(encoded), dtype=np.int8), np.cumsum(lengths) - lengths, lengths)
    # fastText sign-extends its 32-bit word hashes before it combines them to n-grams.
    return hashes.view(np.int32).astype(np.int64).view(np.uint64)


def _subwords(words: Sequence[str], dictionary: Dictionary) -> tuple[Ids, Ids]:
    """Return the word positions and feature ids of all sub-words, as parallel arrays."""
    settings = dictionary.settings
    encoded = [b"" if word == END_OF_LINE else f"<{word}>".encode() for word in words]
    data = np.frombuffer(b"".join(encoded), dtype=np.int8)
    # UTF-8 continuation bytes are below -64 as signed numbers.
    begins = np.append(np.flatnonzero(data >= -64), len(data))
    owners = np.repeat(np.arange(len(words)), [len(word) for word in encoded])[begins[:-1]]
    found_owners, found_ids = [owners[:0]], [begins[:0]]
    for n in range(max(settings.minn, 1), settings.maxn + 1):
        first = _first_characters(owners, n)
        hashes = _fnv1a(data, begins[first], begins[first + n] - begins[first])
        found_owners.append(owners[first])
        found_ids.append(_bucket_ids(hashes, dictionary))
    return np.concatenate(found_owners), np.concatenate(found_ids)


def _first_characters(owners: Ids, n: int) -> Ids:
    """Return the positions where n characters of one word start, except `<` and `>` alone."""
    first: Ids = np.arange(max(len(owners) - n + 1, 0))
    within = owners[first] == owners[first + n - 1]
    if n == 1:
        padded = np.concatenate([[-1], owners, [-1]])
        within &= (padded[:-2] == owners) & (padded[2:] == owners)
    found: Ids = first[within]
    return found


def _fnv1a(data: NDArray[np.int8], starts: Ids, lengths: Ids) -> NDArray[np.uint32]:
    """Hash many byte strings at once, with sign-extended bytes as in fastText's first versions."""
    signed = data.astype(np.int32).view(np.uint32)
    hashes = np.full(len(starts), _FNV_OFFSET, dtype=np.uint32)
    active = np.arange(len(starts))
    for step in count():
        active = active[lengths[active] > step]
        if not len(active):
            break
        hashes[active] = (hashes[active] ^ signed[starts[active] + step]) * _FNV_PRIME
    return hashes


def _ranges(starts: Ids, lengths: Ids) -> Ids:
    """Concatenate the ranges from starts[i] to starts[i] + lengths[i]."""
    offsets = np.cumsum(lengths) - lengths
    ranges: Ids = np.arange(int(lengths.sum())) + np.repeat(starts - offsets, lengths)
    return ranges
