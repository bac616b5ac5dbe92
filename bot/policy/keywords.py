"""Find all keywords of a policy's rules in a text in one pass, however many there are. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

# Characters other than letters, digits and `_`: a table finds those of ASCII, much faster than a regular expression.
_FOREIGN_SIGN = re.compile(r"[^\w\x00-\x7f]")
_ASCII_SPACED = bytes(
    code if chr(code).isalnum() or chr(code) == "_" or code > 127 else ord(" ") for code in range(256)
)

# The pattern branches by this many first characters, then lists the rest: long words must not nest it without limit.
_DEPTH = 3


def read_words(text: str) -> str:
    """Return a text's words in lower case, with one space before and after each, so that whole words are found."""
    return f" {' '.join(_space_out(text).split())} "


def _space_out(text: str) -> str:
    """Return a text in lower case, with a space in place of every character that is not part of a word."""
    folded = text.casefold()
    if not folded.isascii():
        folded = _FOREIGN_SIGN.sub(" ", folded)
    return folded.encode().translate(_ASCII_SPACED).decode()


class Keywords:
    """Words and phrases to look for, each as returned by `read_words`."""

    __slots__ = ("_patterns", "_words")

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words = frozenset(word for word in words if word.strip())
        # Compiled on first use: many policies are loaded and never evaluated.
        self._patterns: _Patterns | None = None

    def find(self, text: str) -> frozenset[str]:
        """Return the keywords that a text contains as whole words, in any case and with any punctuation between."""
        if not text or not self._words:
            return _NONE
        if self._patterns is None:
            self._patterns = _compile(sorted(word.strip() for word in self._words))
        any_phrase, each_phrase = self._patterns
        words = f" {_space_out(text)} "
        first = any_phrase.search(words)
        if first is None:
            return _NONE
        longest = (match[1] for match in each_phrase.finditer(words, first.start()))
        return frozenset(word for phrase in longest for word in self._beginnings(phrase.split()))

    def _beginnings(self, words: Sequence[str]) -> Iterable[str]:
        """Return the keywords that a phrase begins with: all that start where it starts, as it is the longest."""
        beginnings = (f" {' '.join(words[:count])} " for count in range(1, len(words) + 1))
        return (phrase for phrase in beginnings if phrase in self._words)


_NONE: frozenset[str] = frozenset()


# The first finds out whether there is any keyword, which is faster and mostly enough; the second finds each.
_Patterns: TypeAlias = tuple[re.Pattern[str], re.Pattern[str]]


def _compile(phrases: Sequence[str]) -> _Patterns:
    """Compile patterns for the longest phrase between two spaces.

    The second consumes only the first space, so that it finds overlapping phrases.
    """
    pattern = _write(phrases, _DEPTH)
    return re.compile(f" (?:{pattern}) "), re.compile(f" (?=({pattern}) )")


def _write(phrases: Sequence[str], depth: int) -> str:
    if depth == 0 or len(phrases) == 1:
        longest_first = sorted(phrases, key=len, reverse=True)
        return "|".join("".join(map(_character, phrase)) for phrase in longest_first)
    branches: dict[str, list[str]] = {}
    for phrase in phrases:
        branches.setdefault(phrase[:1], []).append(phrase[1:])
    ends = [""] if branches.pop("", None) else []
    return "|".join([*(f"{_character(first)}(?:{_write(rest, depth - 1)})" for first, rest in branches.items()), *ends])


def _character(character: str) -> str:
    return " +" if character == " " else re.escape(character)
