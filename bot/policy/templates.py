"""Reply templates in a team's own words: text with placeholders in braces. Nothing in it is ever executed.

    {author}         the person who wrote
    {destination}    the channel the message was sent to
    {assignee}       the person it was assigned to
    {label:FACET}    the message's label, such as {label:category}

Anything else in braces, and any single brace, is refused when the policy is parsed. Mark-up such as *bold* is kept; the
three characters that could mention people or hide a link (&, < and >) are escaped when the reply is rendered.
"""

import re
from collections.abc import Iterator

AUTHOR, DESTINATION, ASSIGNEE = "author", "destination", "assignee"
LABEL = "label:"

MOST_CHARACTERS = 1_000

_PLACEHOLDERS = (AUTHOR, DESTINATION, ASSIGNEE)
_PARTS = re.compile(r"\{([^{}]*)\}")
_FACET = re.compile(r"[\w-]{1,60}")


def find_fault(template: str) -> str | None:
    """Return a sentence on what is wrong with a template and what would be right, or None."""
    if not template.strip():
        return "a reply needs some text"
    if len(template) > MOST_CHARACTERS:
        return f"a reply has at most {MOST_CHARACTERS} characters"
    for name in _PARTS.findall(template):
        if name not in _PLACEHOLDERS and not _is_label(name):
            return f"`{{{name}}}` is unknown; it can be {{author}}, {{destination}}, {{assignee}} or {{label:FACET}}"
    if re.search(r"[{}]", _PARTS.sub("", template)):
        return "a brace stands alone; placeholders look like {author}"
    return None


def facets_of(template: str) -> Iterator[str]:
    """Yield the facets whose labels a template shows."""
    return (name.removeprefix(LABEL) for name in _PARTS.findall(template) if _is_label(name))


def split(template: str) -> list[str]:
    """Split a template into literal text and names of placeholders, alternating, with text first and last."""
    return _PARTS.split(template)


def _is_label(name: str) -> bool:
    return name.startswith(LABEL) and _FACET.fullmatch(name.removeprefix(LABEL)) is not None
