"""Key words of a policy's rules: all of them found in one reading of a text, however many there are. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

# What is no letter, digit or `_`: outside ASCII by regular expression, inside it by a table, which is much faster.
_FOREIGN_SIGN = re.compile(r"[^\w\x00-\x7f]")
_ASCII_SPACED = bytes(
    code if chr(code).isalnum() or chr(code) == "_" or code > 127 else ord(" ") for code in range(256)
)

# So deep the pattern is a tree by characters; deeper it is a list. What is nested has an end, whatever the words are.
_DEPTH = 3


def read_words(text: str) -> str:
    """Give the words of a text in lower case, with a space before and after each, so that whole words are found."""
    return f" {' '.join(_space_out(text).split())} "


def _space_out(text: str) -> str:
    """Give a text in lower case with spaces, perhaps several, in place of all that is in no word."""
    folded = text.casefold()
    if not folded.isascii():
        folded = _FOREIGN_SIGN.sub(" ", folded)
    return folded.encode().translate(_ASCII_SPACED).decode()


class Keywords:
    """Looks for words and phrases, each given as `read_words` gives it."""

    __slots__ = ("_patterns", "_words")

    def __init__(self, words: Iterable[str] = ()) -> None:
        self._words = frozenset(word for word in words if word.strip())
        # Made when it is first needed: many a policy is read and never asked.
        self._patterns: _Patterns | None = None

    def find(self, text: str) -> frozenset[str]:
        """Give those that are in a text, as whole words in any case, whatever is between them."""
        if not text or not self._words:
            return _NONE
        if self._patterns is None:
            self._patterns = _compile(sorted(word.strip() for word in self._words))
        any_of_them, each_of_them = self._patterns
        words = f" {_space_out(text)} "
        first = any_of_them.search(words)
        if first is None:
            return _NONE
        longest = (match[1] for match in each_of_them.finditer(words, first.start()))
        return frozenset(word for phrase in longest for word in self._beginnings(phrase.split()))

    def _beginnings(self, words: Sequence[str]) -> Iterable[str]:
        """Give the phrases that begin with the first word of a phrase: the others there are all within the longest."""
        beginnings = (f" {' '.join(words[:count])} " for count in range(1, len(words) + 1))
        return (phrase for phrase in beginnings if phrase in self._words)


_NONE: frozenset[str] = frozenset()


# What tells whether there is any, which is quicker and mostly all there is to tell, and what finds each.
_Patterns: TypeAlias = tuple[re.Pattern[str], re.Pattern[str]]


def _compile(phrases: Sequence[str]) -> _Patterns:
    """Build what finds, after each space, the longest phrase that ends before another one. The second pattern consumes
    the first space alone, so that phrases which overlap are all found.
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
