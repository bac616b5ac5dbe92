"""The emoji names that Slack knows: the common part of them, one table for the server and the page."""

import json
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "page" / "static" / "emoji.json"

_SKIN_TONE = "::skin-tone-"


@cache
def characters() -> dict[str, str]:
    """Give name → character."""
    table: dict[str, str] = json.loads(TABLE.read_text("utf-8"))
    return table


@cache
def names() -> dict[str, str]:
    """Give character → name; of several names, the first in the table."""
    return {character: name for name, character in reversed(characters().items())}


def is_known(name: str) -> bool:
    """Tell whether a reaction of this name is possible."""
    return name.partition(_SKIN_TONE)[0] in characters()
