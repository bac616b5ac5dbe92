"""Thanks, greetings and the like: messages that ask for nothing. Pure."""

from collections.abc import Collection, Sequence

from classifier_infra.model.text import normalise

# What opens nothing unless the policy says otherwise. Whole messages of these are meant, not messages with one of
# them in it; to answer "yes" to a question can be a request.
PHRASES = (
    *("thanks", "thank you", "thx", "ty", "tysm", "cheers", "much appreciated", "appreciate it", "appreciated"),
    *("for your help", "for the help", "for all your help", "for helping", "that helped"),
    *("hi", "hello", "hey", "hi there", "hey there", "hiya", "howdy", "welcome", "you're welcome", "no worries"),
    *("good morning", "good afternoon", "good evening", "good night", "morning", "happy friday", "happy monday"),
    *("bye", "goodbye", "see you", "see you tomorrow", "have a nice day", "have a good one", "have a great weekend"),
    *("got it", "great", "perfect", "awesome", "nice", "cool", "lovely", "brilliant", "excellent", "sounds good"),
    *("ok", "okay", "lol", "haha", "congrats", "congratulations", "well done", "happy birthday"),
)

_AT = "@"

# What people put beside it without saying more.
_FILLERS = frozenset({
    *("a", "again", "all", "and", "be", "both", "day", "everybody", "everyone", "folks", "for", "friend", "friends"),
    *("guys", "is", "it", "lot", "lots", "many", "me", "much", "my", "now", "of", "really", "so", "super", "team"),
    *("that", "that's", "the", "there", "this", "to", "too", "u", "very", "we", "works", "y'all", "you", "your"),
})  # fmt: skip


def is_small_talk(text: str, phrases: Collection[str]) -> bool:
    """Tell whether a text (see text.clean) is one or more of the phrases, with names and fillers, and no more."""
    words = _words(text)
    known = {tuple(_words(phrase)) for phrase in phrases} - {()}
    left = _take_away(words, known)
    return len(left) < len(words) and all(word in _FILLERS for word in left)


def _words(text: str) -> list[str]:
    """Give the words; somebody who is addressed (`@ leo`) is one filler, signs and emoji are none."""
    tokens = normalise(text).split()
    names = {place + 1 for place, token in enumerate(tokens) if token == _AT}
    return [token for place, token in enumerate(tokens) if token[0].isalnum() and place not in names]


def _take_away(words: Sequence[str], known: Collection[tuple[str, ...]]) -> list[str]:
    longest = max(map(len, known), default=0)
    left: list[str] = []
    place = 0
    while place < len(words):
        sizes = range(longest, 0, -1)
        taken = next((size for size in sizes if tuple(words[place : place + size]) in known), 0)
        if not taken:
            left.append(words[place])
        place += taken or 1
    return left
