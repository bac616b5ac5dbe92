import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.small_talk import PHRASES, is_small_talk


@pytest.mark.parametrize(
    "text",
    [
        "Thanks!",
        "thank you so much 🙏",
        "Thanks @someone, perfect :)",
        "Good morning everyone 👋",
        "ok, got it. Cheers!",
        "THANKS A LOT for your help",
        "hi",
        "Haha awesome, congrats @leo and @someone!!",
    ],
)
def test_thanks_and_greetings_are_small_talk(text):
    assert is_small_talk(text, PHRASES)


@pytest.mark.parametrize(
    "text",
    [
        "Hi, I was charged twice",
        "thanks, but the export still fails",
        "Good morning, any news?",
        "help",
        "hi, help me",
        "you",
        "yes",
        "no",
        "thanks for nothing",
        "🙏",
        "",
        "hey @someone 502",
    ],
)
def test_messages_that_say_more_are_not_small_talk(text):
    assert not is_small_talk(text, PHRASES)


def test_a_team_can_define_its_own_small_talk():
    assert is_small_talk("Moin zusammen!", ["moin", "zusammen"])
    assert not is_small_talk("thanks", ["moin"])
    assert not is_small_talk("thanks", [])


def test_a_phrase_without_a_word_matches_nothing():
    assert not is_small_talk("!", ["!", ""])


@given(st.lists(st.sampled_from(PHRASES), min_size=1, max_size=5))
def test_several_phrases_are_small_talk(phrases):
    assert is_small_talk(", ".join(phrases), PHRASES)


@given(st.lists(st.sampled_from([*PHRASES, "for", "you", "!"]), max_size=5), st.sampled_from(["refund", "x1", "error"]))
def test_any_other_word_makes_it_a_message(beside, word):
    assert not is_small_talk(" ".join([*beside, word]), PHRASES)
