"""Read `model.bin` where it lies: which features a text has, and the rows they select.

The file is memory-mapped, so that opening costs its dictionary and explaining a text a few hundred rows, whatever the
size of the model. fastText's scores are softmax(O · mean of the input rows of a text's features): a mean can be taken
apart again, word by word, which no score can. Standard library only, for the Lambda functions.
"""

import mmap
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

END_OF_LINE = "</s>"

_MAGIC = 793712314
_VERSIONS = (11, 12)
_SOFTMAX = 3
_SUPERVISED = 3
_NOT_PRUNED = -1

_SIGNATURE = struct.Struct("<2i")  # magic, version
# dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn, lrUpdateRate, t
_ARGUMENTS = struct.Struct("<12id")
_DICTIONARY = struct.Struct("<3i2q")  # entries, words, labels, tokens, pruned entries
_ENTRY_TAIL_BYTES = 9  # a count (int64) and a type (int8) follow the name and its NUL
_FLAG = struct.Struct("<?")
_SHAPE = struct.Struct("<2q")

_FNV_OFFSET = 2166136261
_FNV_PRIME = 16777619
_NGRAM_FACTOR = 116049371
_MASK_32 = (1 << 32) - 1
_MASK_64 = (1 << 64) - 1
# fastText widens a byte with its sign before it hashes it, as its first versions happened to.
_WIDENED = tuple(byte if byte < 0x80 else byte | 0xFFFFFF00 for byte in range(0x100))


class ModelFileError(ValueError):
    """The file is missing, damaged, or not an unquantised supervised fastText model with softmax loss."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What decides the features of a text, under the names of fastText's own arguments."""

    dim: int
    word_ngrams: int
    bucket: int
    minn: int
    maxn: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of float32 in a file."""

    content: mmap.mmap
    offset: int
    rows: int
    layout: struct.Struct

    def row(self, index: int) -> tuple[float, ...]:
        values: tuple[float, ...] = self.layout.unpack_from(self.content, self.offset + index * self.layout.size)
        return values


class Token(NamedTuple):
    """A token of a line: the feature ids it has alone (its word's, if `known`, and its sub-words') and its hash."""

    text: str
    known: bool
    ids: tuple[int, ...]
    hash: int


class Ngram(NamedTuple):
    """The feature that `length` tokens from position `first` on have together."""

    id: int
    first: int
    length: int


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An open `model.bin`; the file is unmapped when nobody holds this any more.

    `word_ids` has the words as bytes, because fastText promises no encoding. `input` has a row for each feature,
    words first, then `bucket` rows that n-grams and sub-words share by their hash; `output` a row for each label.
    """

    arguments: Arguments
    word_ids: Mapping[bytes, int]
    labels: tuple[str, ...]
    input: Matrix
    output: Matrix

    def feature_ids(self, text: str) -> list[int]:
        """Give all feature ids of a normalised text, with multiplicity."""
        tokens = self.tokenise(text)
        return [*(id for token in tokens for id in token.ids), *(ngram.id for ngram in self.ngrams(tokens))]

    def tokenise(self, text: str) -> list[Token]:
        """Give the tokens of a normalised text; the last one is the end of the line."""
        return [self.token(word) for word in (*text.split(), END_OF_LINE)]

    def token(self, word: str) -> Token:
        encoded = word.encode()
        id = self.word_ids.get(encoded)
        own = () if id is None else (id,)
        subwords = () if word == END_OF_LINE else self._subwords(word)
        return Token(word, id is not None, (*own, *subwords), _to_signed(_fnv1a(encoded)))

    def ngrams(self, tokens: Sequence[Token]) -> list[Ngram]:
        """Give the n-grams of a line, of two tokens and more; the end of the line is a token like the others."""
        hashes = [token.hash for token in tokens]
        ngrams = []
        for first in range(len(hashes)):
            state = hashes[first]
            for last in range(first + 1, min(first + self.arguments.word_ngrams, len(hashes))):
                state = (state * _NGRAM_FACTOR + hashes[last]) & _MASK_64
                ngrams.append(Ngram(self._hashed_id(state), first, last - first + 1))
        return ngrams

    def _subwords(self, word: str) -> Iterator[int]:
        minn, maxn = self.arguments.minn, self.arguments.maxn
        characters = [character.encode() for character in f"<{word}>"]
        end = len(characters)
        for first in range(end):
            state = _FNV_OFFSET
            for last in range(first, min(first + maxn, end)):
                state = _fnv1a(characters[last], state)
                length = last - first + 1
                is_lone_bracket = length == 1 and (first == 0 or last == end - 1)
                if length >= minn and not is_lone_bracket:
                    yield self._hashed_id(state)

    def _hashed_id(self, state: int) -> int:
        return len(self.word_ids) + state % self.arguments.bucket


def _fnv1a(data: bytes, state: int = _FNV_OFFSET) -> int:
    for byte in data:
        state = (state ^ _WIDENED[byte]) * _FNV_PRIME & _MASK_32
    return state


def _to_signed(value: int) -> int:
    return value - (1 << 32) if value >> 31 else value


# --- Opening --------------------------------------------------------------------------------------------------


def open_model_file(path: Path) -> ModelFile:
    """Map a `model.bin` and read its dictionary. While it is open, the file may be deleted but not overwritten.

    Raises ModelFileError, naming the file and what is wrong with it.
    """
    try:
        with path.open("rb") as file:
            return _read(_Reader(_map(file)))
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error
    except OSError as error:
        raise ModelFileError(f"{path}: {error.strerror}") from error


def _map(file: BinaryIO) -> mmap.mmap:
    if os.fstat(file.fileno()).st_size == 0:  # which cannot be mapped
        raise _damaged()
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class _Reader:
    """Takes the parts of a file one after another."""

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._position = 0

    def unpack(self, layout: struct.Struct) -> tuple[Any, ...]:
        if self._position + layout.size > len(self._content):
            raise _damaged()
        values = layout.unpack_from(self._content, self._position)
        self._position += layout.size
        return values

    def names(self, count: int) -> list[bytes]:
        names = []
        for _ in range(count):
            end = self._content.find(b"\0", self._position)
            if end < 0:
                raise _damaged()
            names.append(self._content[self._position : end])
            self._position = end + 1 + _ENTRY_TAIL_BYTES
        return names

    def matrix(self, rows: int, columns: int) -> Matrix:
        """Take a matrix, which must have this shape."""
        (is_quantised,) = self.unpack(_FLAG)
        if is_quantised:
            raise _quantised()
        layout = struct.Struct(f"<{columns}f")
        if self.unpack(_SHAPE) != (rows, columns) or self._position + rows * layout.size > len(self._content):
            raise _damaged()
        matrix = Matrix(self._content, self._position, rows, layout)
        self._position += rows * layout.size
        return matrix


def _read(reader: _Reader) -> ModelFile:
    arguments = _read_arguments(reader)
    entries, words, labels, _, pruned = reader.unpack(_DICTIONARY)
    if words < 0 or labels < 1 or words + labels != entries:
        raise _damaged()
    if pruned != _NOT_PRUNED:  # which only quantising does
        raise _quantised()
    word_ids = {name: id for id, name in enumerate(reader.names(words))}
    if len(word_ids) != words:
        raise _damaged()
    return ModelFile(
        arguments,
        word_ids,
        # An unreadable label is one that no manifest names, and is refused there.
        tuple(name.decode(errors="replace") for name in reader.names(labels)),
        input=reader.matrix(words + arguments.bucket, arguments.dim),
        output=reader.matrix(labels, arguments.dim),
    )


def _read_arguments(reader: _Reader) -> Arguments:
    magic, version = reader.unpack(_SIGNATURE)
    if magic != _MAGIC:
        raise ModelFileError("not a fastText model")
    if version not in _VERSIONS:
        raise ModelFileError(f"fastText format version {version}; 12 is needed")
    dim, _, _, _, _, word_ngrams, loss, model, bucket, minn, maxn, _, _ = reader.unpack(_ARGUMENTS)
    if (loss, model) != (_SOFTMAX, _SUPERVISED):
        raise ModelFileError("not a supervised fastText model with softmax loss")
    if version == 11:
        maxn = 0  # version 11 wrote the arguments of sub-words, but had none in supervised models
    if dim < 1 or bucket < 0 or (bucket == 0 and (word_ngrams > 1 or maxn > 0)):
        raise _damaged()
    return Arguments(dim, word_ngrams, bucket, minn, maxn)


def _damaged() -> ModelFileError:
    return ModelFileError("damaged or cut short; copy it again, or train again")


def _quantised() -> ModelFileError:
    return ModelFileError("a quantised model has no rows to read; use the model.bin it was made from")
