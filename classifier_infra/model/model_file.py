"""Read the dictionary and single rows of a memory-mapped `model.bin`, and find the features of a text.

Opening a model reads its dictionary, and explaining a text a few hundred rows, whatever the model's size. fastText's
scores are softmax(O · mean of the input rows of a text's features), and a mean, unlike a score, can be split by word.
"""

import mmap
import os
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
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
# fastText sign-extends each byte before hashing it, for compatibility with its first versions.
_WIDENED = tuple(byte if byte < 0x80 else byte | 0xFFFFFF00 for byte in range(0x100))


class ModelFileError(ValueError):
    """The file is missing, damaged, or not an unquantised supervised fastText model with softmax loss."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of fastText that decide the features of a text."""

    dim: int
    word_ngrams: int
    bucket: int
    minn: int
    maxn: int


@dataclass(frozen=True, slots=True)
class Matrix:
    """A matrix of float32 in a file."""

    content: mmap.mmap
    offset: int
    rows: int
    layout: struct.Struct

    def row(self, index: int) -> tuple[float, ...]:
        values: tuple[float, ...] = self.layout.unpack_from(self.content, self.offset + index * self.layout.size)
        return values


class Token(NamedTuple):
    """A token of a line, with its hash and the ids of its own features: its word's, if `known`, and its sub-words'."""

    text: str
    known: bool
    ids: tuple[int, ...]
    hash: int


class Ngram(NamedTuple):
    """The feature of `length` consecutive tokens from position `first`."""

    id: int
    first: int
    length: int


@dataclass(frozen=True, slots=True)
class ModelFile:
    """An open `model.bin`, unmapped when the object is deleted.

    Words are bytes, because fastText guarantees no encoding. `input` has a row for each feature, words first, then
    `bucket` rows that n-grams and sub-words share by their hash; `output` has a row for each label.
    """

    arguments: Arguments
    word_ids: Mapping[bytes, int]
    labels: tuple[str, ...]
    input: Matrix
    output: Matrix

    def token(self, word: str) -> Token:
        encoded = word.encode()
        id = self.word_ids.get(encoded)
        own = () if id is None else (id,)
        subwords = () if word == END_OF_LINE else self._subwords(word)
        return Token(word, id is not None, (*own, *subwords), _to_signed(_fnv1a(encoded)))

    def ngrams(self, tokens: Sequence[Token]) -> list[Ngram]:
        """Return the n-grams of two and more tokens; the last token is the end of the line."""
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
    if os.fstat(file.fileno()).st_size == 0:  # an empty file cannot be mapped
        raise _damaged()
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


class _Reader:
    """Reads the parts of a file in sequence."""

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
    if pruned != _NOT_PRUNED:  # only quantisation prunes
        raise _quantised()
    word_ids = {name: id for id, name in enumerate(reader.names(words))}
    if len(word_ids) != words:
        raise _damaged()
    return ModelFile(
        arguments,
        word_ids,
        # A label that is not UTF-8 matches none of the manifest's, so it is refused later.
        tuple(name.decode(errors="replace") for name in reader.names(labels)),
        input=reader.matrix(words + arguments.bucket, arguments.dim),
        output=reader.matrix(labels, arguments.dim),
    )


def _read_arguments(reader: _Reader) -> Arguments:
    magic, version = reader.unpack(_SIGNATURE)
    check_signature(magic, version, _VERSIONS)
    dim, _, _, _, _, word_ngrams, loss, model, bucket, minn, maxn, _, _ = reader.unpack(_ARGUMENTS)
    check_kind(loss, model)
    if version == 11:
        maxn = 0  # supervised models of version 11 have no sub-words, whatever their arguments say
    if dim < 1 or bucket < 0 or (bucket == 0 and (word_ngrams > 1 or maxn > 0)):
        raise _damaged()
    return Arguments(dim, word_ngrams, bucket, minn, maxn)


def check_signature(magic: int, version: int, versions: Collection[int]) -> None:
    """Raise ModelFileError if a file is not a fastText model of one of the `versions`."""
    if magic != _MAGIC:
        raise ModelFileError("not a fastText model")
    if version not in versions:
        raise ModelFileError(f"fastText format version {version}; 12 is needed")


def check_kind(loss: int, model: int) -> None:
    """Raise ModelFileError if a fastText model is not a supervised one with softmax loss."""
    if (loss, model) != (_SOFTMAX, _SUPERVISED):
        raise ModelFileError("not a supervised fastText model with softmax loss")


def _damaged() -> ModelFileError:
    return ModelFileError("damaged or cut short; copy it again, or train again")


def _quantised() -> ModelFileError:
    return ModelFileError("a quantised model has no rows to read; use the model.bin it was made from")
