import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.keywords import Keywords, read_words


def find(words: list[str], text: str) -> set[str]:
    return set(Keywords(map(read_words, words)).find(text))


def as_read(*words: str) -> set[str]:
    return {read_words(word) for word in words}


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        (["outage"], "Total OUTAGE, since 9!", ["outage"]),
        (["outage"], "outages", []),
        (["is down"], "Our site *is\n\t down* again", ["is down"]),
        (["is down"], "is it down", []),
        (["Straße"], "in der STRASSE", ["Straße"]),
        (["is", "is down", "is down now", "down now"], "It is down now.", ["is", "is down", "is down now", "down now"]),
        (["is", "is down now"], "it is down", ["is"]),
        (["a", "ab", "abc", "abcd", "abcde"], "abcd ab", ["ab", "abcd"]),
        (["refund"], "“refund”… please", ["refund"]),
        (["c_d"], "a c_d", ["c_d"]),
        (["größe"], "Die Größe–nicht", ["größe"]),
        (["x"], "", []),
        ([], "x", []),
    ],
)
def test_whole_words_are_found_in_any_case_with_any_punctuation_between(words, text, found):
    assert find(words, text) == as_read(*found)


@given(st.text())
def test_the_words_of_any_text_are_its_letters_digits_and_underscores(text):
    assert read_words(text).split(" ")[1:-1] == (re.findall(r"\w+", text.casefold()) or [""])


# Few letters, so that words begin alike, overlap and occur in each other.
LETTERS = st.text("ab_é", min_size=1, max_size=5)
PHRASES = st.lists(LETTERS, min_size=1, max_size=4).map(" ".join)
BETWEEN = st.sampled_from([" ", "  ", ", ", "\n", "–", "…\u00a0", "-", "*"])
TEXTS = st.lists(st.tuples(LETTERS, BETWEEN), max_size=30).map(lambda parts: "".join(map("".join, parts)))


def plainly(words: list[str], text: str) -> set[str]:
    """Search for each keyword separately."""
    return {word for word in map(read_words, words) if word in read_words(text)}


@given(st.lists(PHRASES, max_size=12), TEXTS)
def test_one_pass_finds_what_a_search_for_each_keyword_finds(words, text):
    assert find(words, text) == plainly(words, text)


@given(st.lists(st.text(min_size=1).filter(lambda text: read_words(text).strip()), max_size=5), st.text())
def test_one_pass_finds_any_keywords_in_any_text(words, text):
    assert find(words, text) == plainly(words, text)
    assert find(words, " ".join(words)) == plainly(words, " ".join(words))


@pytest.mark.once
@pytest.mark.parametrize(
    "words",
    [
        ["a" * length for length in range(1, 1_000)],
        [" ".join("a" * 5_000)],
        [f"word{number}" for number in range(9_000)],
    ],
    ids=["each longer than the last", "a very long one", "very many"],
)
def test_keywords_may_be_long_many_and_similar(words):
    assert find(words, f"x {words[-1]} y") >= as_read(words[-1])
