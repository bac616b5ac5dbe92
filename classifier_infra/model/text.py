"""From a message as it arrives to the words the classifier sees: the same path for training and serving.

`clean` is applied where a text enters (before it is queued, stored, logged or sent on): Slack mark-up becomes
words, and what identifies a person or opens a door is replaced. `normalise` is applied by the classifier client
and by the trainer, and nowhere else; it is idempotent. `clean` cannot be (`&amp;lt;` is how Slack sends a typed
`&lt;`), but leaves its own marks alone, so an exported text can be read in again. Both use the standard library
only, and are versioned together: a model names the VERSION it was trained with.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

VERSION = "1"

# Longer texts are refused by the API and cut by the bot. Slack itself allows 40,000 characters; a support
# request that has not come to its point after 20,000 will not.
MAX_CHARACTERS = 20_000


def clean(text: str) -> str:
    """Give the text as people read it, without mark-up and without personal data or secrets."""
    return redact(plain(text))


def is_readable(text: str) -> bool:
    """Tell whether there is a letter or digit to classify: emoji and punctuation alone are not a request."""
    # Asked of the words, because some letters (Arabic ligatures of marks) normalise to nothing.
    return any(character.isalnum() for character in normalise(text))


# --- Slack mark-up ------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"<([@#!]|https?://|mailto:|tel:)([^<>|]*)(?:\|([^<>]*))?>")
_SHORTCODE = re.compile(r":([a-z0-9_+'-]*[a-z_+-][a-z0-9_+'-]*):(?::skin-tone-[2-6]:)?")
_SPACES = re.compile(r"[^\S\n]+")

# Slack sends emoji as names; a CSV file and a browser send the character. The ones customers use most meet in
# the character, the others become the words of their name.
_EMOJI = {
    "+1": "👍", "thumbsup": "👍", "-1": "👎", "thumbsdown": "👎", "pray": "🙏", "heart": "❤", "tada": "🎉",
    "clap": "👏", "fire": "🔥", "100": "💯", "ok_hand": "👌", "wave": "👋", "raised_hands": "🙌",
    "muscle": "💪", "star": "⭐", "sob": "😭", "cry": "😢", "rage": "😡", "angry": "😠", "disappointed": "😞",
    "confused": "😕", "joy": "😂", "smile": "😄", "smiley": "😃", "grin": "😁", "blush": "😊",
    "slightly_smiling_face": "🙂", "heart_eyes": "😍", "wink": "😉", "sweat_smile": "😅", "unamused": "😒",
    "face_with_rolling_eyes": "🙄", "thinking_face": "🤔", "facepalm": "🤦", "shrug": "🤷", "eyes": "👀",
    "warning": "⚠", "rotating_light": "🚨", "exclamation": "❗", "question": "❓", "white_check_mark": "✅",
    "x": "❌", "hourglass": "⌛", "moneybag": "💰", "credit_card": "💳", "bug": "🐛", "rocket": "🚀",
}  # fmt: skip


def plain(text: str) -> str:
    """Turn Slack mark-up into what a reader sees; text without mark-up stays as it is.

    Slack escapes exactly three characters, and references must be read before they are unescaped.
    """
    if "<" in text:
        text = _REFERENCE.sub(_read_reference, text)
    if "&" in text:
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _SHORTCODE.sub(_read_shortcode, text) if ":" in text else text


def _read_reference(match: re.Match[str]) -> str:
    kind, target, label = match.groups()
    if kind == "@":
        return "@" + (label or "someone")
    if kind == "#":
        return "#" + (label or "channel")
    if kind == "!":
        return label or "@" + target.partition("^")[0]
    return label or (target if kind in ("mailto:", "tel:") else kind + target)


def _read_shortcode(match: re.Match[str]) -> str:
    name = match[1]
    return _EMOJI.get(name) or f" {name.replace('_', ' ')} "


# --- Redaction ----------------------------------------------------------------------------------------------

_URL = re.compile(r"https?://(?:[^\s/@]*@)?([^\s/?#:@]+)[^\s]*", re.IGNORECASE)
# The look-behind (and the limit in _PASSWORD) keeps the time linear: without it every character of a long run starts
# a search of its own to the end of the run.
_EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+")
_SECRET = re.compile(
    r"\b(?:xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}|(?:AKIA|ASIA)[A-Z0-9]{16}|gh[pousr]_\w{20,}|sk[-_][\w-]{16,}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)"
)
_PASSWORD = re.compile(
    r"\b(password|passwd|pwd|passcode|pin)(\s*(?:is\s+|[:=]\s*))(?!\[)(?=\S{0,64}[\d!@#$%^&*])\S+", re.IGNORECASE
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
# With a plus in front, groups of any length; without, short groups, which order numbers seldom have.
_PHONE = re.compile(
    r"\+\d(?:[ ()./-]{0,2}\d){7,14}(?!\d)"
    r"|(?<![\w.])(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ .-]\d{2,5}){1,4}(?![\w.]?\d)"
)


# What each search needs to find anything, told at a tenth of its price: most texts have none of it.
# The search takes ſ for s, and ı and İ for i. In bytes, because those become lower case in a tenth of a text's time.
_PASSWORD_START = re.compile("p(?:ass|asſ|aſ|wd|in|ın|İn)".encode())
_FIRST_DIGIT_OF_OTHERS = "٠".encode()  # before it are the letters of Latin, Greek, Cyrillic and Hebrew
_AS_ZEROS = bytes(range(ord("0"), ord("9") + 1)) + bytes(range(_FIRST_DIGIT_OF_OTHERS[0], 0x100))
_UPPER_CASE = bytes(range(ord("A"), ord("Z") + 1))
_LATER_BYTES = bytes(range(0x80, 0xC0))
_SHAPES = bytes.maketrans(_AS_ZEROS + _UPPER_CASE, b"0" * len(_AS_ZEROS) + b"A" * len(_UPPER_CASE))
_SEPARATORS = b" ()./-"
_LEAST_DIGITS = 8  # of a telephone number with a plus; without, it has nine, and a card has thirteen


def redact(text: str) -> str:
    """Replace links' paths, e-mail addresses, secrets, IBANs, card and phone numbers by what they are."""
    if "://" in text:
        text = _URL.sub(r"\1", text)
    if "@" in text:
        text = _EMAIL.sub("[email]", text)
    if _may_have_secret(text):
        text = _SECRET.sub("[secret]", text)
    if _may_have_password(text):
        text = _PASSWORD.sub(r"\1\2[secret]", text)
    shape = _shape(text)
    if b"AA00" in shape:
        text = _IBAN.sub("[iban]", text)
    if shape.count(b"0") < _LEAST_DIGITS:
        return text
    digits = shape.translate(None, _SEPARATORS)
    if b"0" * 13 in digits:
        text = _CARD.sub(_redact_card, text)
    if b"0" * 9 in digits or ("+" in text and b"0" * _LEAST_DIGITS in digits):
        text = _PHONE.sub(_redact_phone, text)
    return text


def _may_have_secret(text: str) -> bool:
    if "_" in text or "AKIA" in text or "ASIA" in text or "eyJ" in text:
        return True
    return "-" in text and ("sk-" in text or "xox" in text or "xapp-" in text)


def _may_have_password(text: str) -> bool:
    return _PASSWORD_START.search(text.encode(errors="surrogatepass").lower()) is not None


def _shape(text: str) -> bytes:
    """Give a byte a character: A for upper case, 0 for digits and for all of scripts that may have their own."""
    # Where there is nothing to leave out, bytes are translated four times as fast.
    later_bytes = b"" if text.isascii() else _LATER_BYTES
    return text.encode(errors="surrogatepass").translate(_SHAPES, later_bytes)


def _redact_card(match: re.Match[str]) -> str:
    return "[card]" if _passes_luhn(match[0]) else match[0]


def _passes_luhn(number: str) -> bool:
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    return sum(digits[0::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _redact_phone(match: re.Match[str]) -> str:
    # Dates, versions and amounts are shorter than telephone numbers, or are written with other signs.
    digits = sum(character.isdigit() for character in match[0])
    return "[phone]" if digits >= 9 or match[0][0] == "+" else match[0]


# --- Words --------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
_OUTER_APOSTROPHE = re.compile(r"'(?:(?![^\W_])|(?<![^\W_]'))")
_LONG_NUMBER = re.compile(r"\d{5,}")
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"))
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789' "
# Setting signs apart one by one takes time that grows with their number: no text of one language has as many.
_MOST_SIGNS = 48


def normalise(text: str) -> str:
    """Give lower-case tokens separated by single spaces; "" where nothing is left.

    A token is a run of letters and digits (with inner apostrophes) or one other visible character, so no text can
    yield a fastText label (`__label__…`), the end-of-line token `</s>` or one of fastText's separators. Numbers
    of five and more digits (orders, invoices, accounts) become one token.
    """
    text = text.lower() if text.isascii() else _fold(text)
    others = _others(text)
    if not all(map(_is_visible, others)):
        text = _leave_out_invisible(text, others)
        others = _others(text)
    words = _separate(text, others)
    return _LONG_NUMBER.sub("00000", words) if b"00000" in _shape(words) else words


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return unicodedata.normalize("NFKC", text)  # lower-casing can leave a composable pair behind (J̌)


def _others(text: str) -> set[str]:
    """Give the characters that are not plain: most are, and are not worth a look each."""
    return set(text.encode(errors="surrogatepass").translate(None, _PLAIN).decode(errors="surrogatepass"))


def _leave_out_invisible(text: str, others: Iterable[str]) -> str:
    invisible = {ord(character): None for character in others if not _is_visible(character)}
    # Taking out what stood between two can leave a composable pair behind as well (jamo).
    return unicodedata.normalize("NFKC", text.translate(invisible))


def _separate(text: str, others: Collection[str]) -> str:
    """Give what `" ".join(_TOKEN.findall(text))` gives, in a third of the time for texts as people write them."""
    if len(others) > _MOST_SIGNS:
        return " ".join(_TOKEN.findall(text))
    for character in others:
        if character == "_" or character.isspace():
            text = text.replace(character, " ")
        elif not character.isalnum():
            text = text.replace(character, f" {character} ")
    if "'" in text:
        text = _OUTER_APOSTROPHE.sub(" ' ", text)
    while "  " in text:
        text = text.replace("  ", " ")
    return text.strip(" ")


@lru_cache(maxsize=4096)  # what is not ASCII comes again: each language has few such characters
def _is_visible(character: str) -> bool:
    # Out go controls, format characters, surrogates, private use, marks that did not compose (variation selectors
    # among them) and the skin tones of emoji: each would split a word. In Indic scripts and Thai vowel signs go
    # with them, which makes words coarser there, but alike in training and serving.
    return character.isspace() or not (
        unicodedata.category(character) in _INVISIBLE or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
