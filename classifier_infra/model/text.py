"""Clean and normalise a message's text, identically for training and serving.

`clean` is applied where a text enters (before it is queued, stored, logged or sent on): Slack mark-up becomes words,
and personal data and secrets are replaced. `normalise` is applied only by the classifiers and the trainers; it is
idempotent. `clean` cannot be (Slack sends a typed `&lt;` as `&amp;lt;`), but leaves its own placeholders alone, so an
exported text can be imported again. Both use the standard library only and are versioned together: a model names the
VERSION that it was trained with.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

VERSION = "1"

# Longer texts are refused by the API and truncated by the bot; Slack allows 40,000 characters.
MAX_CHARACTERS = 20_000


def clean(text: str) -> str:
    """Return the text as people read it, without mark-up, personal data and secrets."""
    return redact(plain(text))


def is_readable(text: str) -> bool:
    """Report whether a text has a letter or digit to classify; emoji and punctuation alone are not a request."""
    # Normalised first, because some letters (Arabic ligatures of marks) normalise to nothing.
    return any(character.isalnum() for character in normalise(text))


# --- Slack mark-up ------------------------------------------------------------------------------------------

_REFERENCE = re.compile(r"<([@#!]|https?://|mailto:|tel:)([^<>|]*)(?:\|([^<>]*))?>")
_SHORTCODE = re.compile(r":([a-z0-9_+'-]*[a-z_+-][a-z0-9_+'-]*):(?::skin-tone-[2-6]:)?")

# Slack sends emoji as names; CSV files and browsers contain the character. The names that customers use most become
# that character, and the others the words of their name.
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

    Slack escapes exactly three characters, and they must be unescaped after references have been read.
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
# The look-behind (and the limit in _PASSWORD) keeps the time linear: without it, every character of a long run starts
# another search to the end of the run.
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
# Groups of any length after a plus, else short groups, which order numbers seldom have.
_PHONE = re.compile(
    r"\+\d(?:[ ()./-]{0,2}\d){7,14}(?!\d)"
    r"|(?<![\w.])(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ .-]\d{2,5}){1,4}(?![\w.]?\d)"
)

# Cheap checks whether a search can match at all, at a tenth of its time: most texts have none of these.
# IGNORECASE matches ſ as s, and ı and İ as i. In bytes, because lower() takes a tenth of the time on them.
_PASSWORD_START = re.compile("p(?:ass|asſ|aſ|wd|in|ın|İn)".encode())
_FIRST_OTHER_DIGIT = "٠".encode()  # after the letters of Latin, Greek, Cyrillic and Hebrew
_AS_ZEROS = bytes(range(ord("0"), ord("9") + 1)) + bytes(range(_FIRST_OTHER_DIGIT[0], 0x100))
_UPPER_CASE = bytes(range(ord("A"), ord("Z") + 1))
_LATER_BYTES = bytes(range(0x80, 0xC0))
_SHAPES = bytes.maketrans(_AS_ZEROS + _UPPER_CASE, b"0" * len(_AS_ZEROS) + b"A" * len(_UPPER_CASE))
_SEPARATORS = b" ()./-"
_LEAST_DIGITS = 8  # of a phone number with a plus; without a plus it has 9, and a card number has 13


def redact(text: str) -> str:
    """Remove links' paths; replace e-mail addresses, secrets, IBANs, card and phone numbers with placeholders."""
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
    """Return a byte for each character: A for upper case, 0 for digits and for scripts with digits of their own."""
    # Without bytes to delete, translate() is four times as fast.
    later_bytes = b"" if text.isascii() else _LATER_BYTES
    return text.encode(errors="surrogatepass").translate(_SHAPES, later_bytes)


def _redact_card(match: re.Match[str]) -> str:
    return "[card]" if _passes_luhn(match[0]) else match[0]


def _passes_luhn(number: str) -> bool:
    digits = [int(character) for character in reversed(number) if character.isdigit()]
    return sum(digits[0::2] + [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]) % 10 == 0


def _redact_phone(match: re.Match[str]) -> str:
    # Dates, versions and amounts have fewer digits or other separators than phone numbers.
    digits = sum(character.isdigit() for character in match[0])
    return "[phone]" if digits >= 9 or match[0][0] == "+" else match[0]


# --- Words --------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]")
_OUTER_APOSTROPHE = re.compile(r"'(?:(?![^\W_])|(?<![^\W_]'))")
_LONG_NUMBER = re.compile(r"\d{5,}")
_INVISIBLE = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"))
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789' "
_MOST_SIGNS = 48  # distinct characters beyond which the regular expression is faster; texts of one language have fewer


def normalise(text: str) -> str:
    """Return a text's tokens in lower case, separated by single spaces, or "" if it has none.

    A token is a run of letters and digits (with inner apostrophes) or one other visible character, so no text can
    yield a fastText label (`__label__…`), the end-of-line token `</s>` or one of fastText's separators. All numbers of
    five and more digits (orders, invoices, accounts) become the same token.
    """
    text = text.lower() if text.isascii() else _fold(text)
    others = _others(text)
    if not all(map(_is_visible, others)):
        text = _remove_invisible(text, others)
        others = _others(text)
    words = _separate(text, others)
    return _LONG_NUMBER.sub("00000", words) if b"00000" in _shape(words) else words


def _fold(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).replace("’", "'").lower()
    return unicodedata.normalize("NFKC", text)  # again: lower-casing can leave a composable pair (J̌)


def _others(text: str) -> set[str]:
    """Return the distinct characters other than ASCII letters, digits, apostrophe and space."""
    return set(text.encode(errors="surrogatepass").translate(None, _PLAIN).decode(errors="surrogatepass"))


def _remove_invisible(text: str, others: Iterable[str]) -> str:
    invisible = {ord(character): None for character in others if not _is_visible(character)}
    # Removing a character can leave a composable pair as well (jamo).
    return unicodedata.normalize("NFKC", text.translate(invisible))


def _separate(text: str, others: Collection[str]) -> str:
    """Return `" ".join(_TOKEN.findall(text))`, computed in a third of the time for texts that people write."""
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


@lru_cache(maxsize=4096)  # a language has few characters beyond ASCII
def _is_visible(character: str) -> bool:
    # Controls, format characters, surrogates, private use, marks that did not compose (such as variation selectors)
    # and the skin tones of emoji are removed: each would split a word. Vowel signs of Indic scripts and Thai go with
    # them, which makes words coarser there, but equally in training and serving.
    return character.isspace() or not (
        unicodedata.category(character) in _INVISIBLE or "\U0001f3fb" <= character <= "\U0001f3ff"
    )
