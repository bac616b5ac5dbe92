"""Words written into YAML so that they are read as the same: plain where that can be, in quotes where not. Pure."""

import json
import re

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
# What YAML takes for something else than a word.
_NOT_PLAIN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quote(word: str) -> str:
    if _PLAIN.fullmatch(word) and word.lower() not in _NOT_PLAIN:
        return word
    # JSON's own escapes of what is beyond 16 bits are pairs, which YAML does not put together again.
    text = json.dumps(word, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)
