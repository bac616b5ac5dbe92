"""Recognise small talk: messages of thanks, greetings and the like, which ask for nothing. Pure."""

from collections.abc import Collection, Sequence

from classifier_infra.model.text import normalise

# The default phrases. A message is small talk only if it has nothing else in it. "yes" is left out: as the answer to a
# question it can be a request.
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

# Words that people add without saying more.
_FILLERS = frozenset({
    *("a", "again", "all", "and", "be", "both", "day", "everybody", "everyone", "folks", "for", "friend", "friends"),
    *("guys", "is", "it", "lot", "lots", "many", "me", "much", "my", "now", "of", "really", "so", "super", "team"),
    *("that", "that's", "the", "there", "this", "to", "too", "u", "very", "we", "works", "y'all", "you", "your"),
})  # fmt: skip


def is_small_talk(text: str, phrases: Collection[str]) -> bool:
    """Report whether a text (see text.clean) consists of one or more of the phrases, names and fillers only."""
    words = _words(text)
    known = {tuple(_words(phrase)) for phrase in phrases} - {()}
    rest = _remove_phrases(words, known)
    return len(rest) < len(words) and all(word in _FILLERS for word in rest)


def _words(text: str) -> list[str]:
    """Return the words of a text, without the names of people addressed (`@ leo`), punctuation and emoji."""
    tokens = normalise(text).split()
    names = {place + 1 for place, token in enumerate(tokens) if token == _AT}
    return [token for place, token in enumerate(tokens) if token[0].isalnum() and place not in names]


def _remove_phrases(words: Sequence[str], known: Collection[tuple[str, ...]]) -> list[str]:
    longest = max(map(len, known), default=0)
    rest: list[str] = []
    place = 0
    while place < len(words):
        sizes = range(longest, 0, -1)
        taken = next((size for size in sizes if tuple(words[place : place + size]) in known), 0)
        if not taken:
            rest.append(words[place])
        place += taken or 1
    return rest
