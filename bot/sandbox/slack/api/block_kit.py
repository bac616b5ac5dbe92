"""Check Block Kit JSON against Slack's limits; Slack refuses the whole call when one is exceeded.

Problems read as in Slack: `no more than 50 items allowed [json-pointer:/blocks]`. The limits are those that Slack
documents or its SDK enforces. Fields that this module does not know are not checked.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

Surface: TypeAlias = Literal["message", "view"]
Problems: TypeAlias = Iterator[str]
Check: TypeAlias = Callable[[Any, str], Problems]
"""Yields the problems of a value at a place, which is a JSON pointer."""

MAX_BLOCKS: dict[Surface, int] = {"message": 50, "view": 100}
# Not documented by Slack; `msg_blocks_too_long` was observed slightly above this number of characters.
MAX_BLOCK_TEXT = 13_200

_PLAIN = ("plain_text",)
_ANY_TEXT = ("plain_text", "mrkdwn")


def problems(blocks: Any, surface: Surface = "message") -> list[str]:
    """Return the problems for which Slack would refuse these blocks; an empty list if there are none."""
    return list(_blocks(surface)(blocks, "/blocks"))


def view_problems(view: Any) -> list[str]:
    """Return the problems for which Slack would refuse a modal or Home view."""
    found = list(_view(view, "/view"))
    return found + problems(view.get("blocks"), "view") if isinstance(view, Mapping) else found


def text_length(blocks: Any) -> int:
    """Count the characters of all texts in the blocks, which Slack limits per message."""
    if isinstance(blocks, Mapping):
        own = blocks.get("text")
        nested = sum(text_length(value) for value in blocks.values())
        return nested + (len(own) if isinstance(own, str) else 0)
    return sum(text_length(item) for item in blocks) if isinstance(blocks, (list, tuple)) else 0


def with_ids(blocks: Sequence[Any]) -> tuple[dict[str, Any], ...]:
    """Fill in missing block_ids and action_ids, as Slack does."""
    return tuple(_with_ids(dict(block)) for block in blocks)


def _with_ids(block: dict[str, Any]) -> dict[str, Any]:
    block.setdefault("block_id", secrets.token_urlsafe(4))
    if block["type"] == "actions":
        block["elements"] = [_with_action_id(element) for element in block["elements"]]
    for name in ("accessory", "element"):
        if name in block:
            block[name] = _with_action_id(block[name])
    return block


def _with_action_id(element: Mapping[str, Any]) -> dict[str, Any]:
    return {"action_id": secrets.token_urlsafe(4), **element}


# --- Building checks ----------------------------------------------------------------------------------------


def _string(least: int, most: int) -> Check:
    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, str):
            yield _problem("must be a string", at)
        elif len(value) < least:
            yield _problem(f"must be more than {least - 1} characters", at)
        elif len(value) > most:
            yield _problem(f"must be less than {most + 1} characters", at)

    return check


def _text(most: int, kinds: Sequence[str] = _ANY_TEXT) -> Check:
    """Check a text object."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, Mapping):
            yield _problem("must be a text object", at)
        elif value.get("type") not in kinds:
            yield _problem(f"must be {' or '.join(kinds)}", f"{at}/type")
        else:
            yield from _string(1, most)(value.get("text"), f"{at}/text")

    return check


def _one_of(*allowed: str) -> Check:
    def check(value: Any, at: str) -> Problems:
        if value not in allowed:
            yield _problem(f"must be {' or '.join(allowed)}", at)

    return check


def _count(least: int, most: int) -> Check:
    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, int) or not least <= value <= most:
            yield _problem(f"must be between {least} and {most}", at)

    return check


def _array(most: int, item: Check, least: int = 1, unique: str | None = None) -> Check:
    """Check an array of `least` to `most` items; `unique` names an id that its items must not share."""

    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, Sequence) or isinstance(value, str):
            yield _problem("must be an array", at)
            return
        if len(value) < least:
            yield _problem(f"no fewer than {least} items allowed", at)
        if len(value) > most:
            yield _problem(f"no more than {most} items allowed", at)
        for index, each in enumerate(value):
            yield from item(each, f"{at}/{index}")
        # Ids that are no strings are reported as such.
        ids = [each.get(unique) for each in value if isinstance(each, Mapping)] if unique else []
        for repeated in sorted({each for each in ids if isinstance(each, str) and each and ids.count(each) > 1}):
            yield _problem(f"`{unique}` {repeated} is not unique", at)

    return check


def _object(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def check(value: Any, at: str) -> Problems:
        if not isinstance(value, Mapping):
            yield _problem("must be an object", at)
            return
        for name, field in required.items():
            yield from field(value.get(name), f"{at}/{name}")
        for name, field in (optional or {}).items():
            if name in value:
                yield from field(value[name], f"{at}/{name}")

    return check


def _typed(kinds: Mapping[str, Check], common: Mapping[str, Check]) -> Check:
    """Check an object by its `type`, and the optional fields that all types have."""

    def check(value: Any, at: str) -> Problems:
        kind = value.get("type") if isinstance(value, Mapping) else None
        if isinstance(value, Mapping) and not (isinstance(kind, str) and kind in kinds):
            yield _problem(f"unsupported type: {kind}", f"{at}/type")
            return
        yield from _object({}, common)(value, at)
        if isinstance(kind, str):
            yield from kinds[kind](value, at)

    return check


def _problem(sentence: str, at: str) -> str:
    return f"{sentence} [json-pointer:{at}]"


# --- Elements -----------------------------------------------------------------------------------------------

_ID = _string(0, 255)
_URL_LENGTH = 3_000
_ANY = _object({})

_OPTION = _object({"text": _text(75), "value": _string(1, 150)}, {"description": _text(75)})
_CONFIRM = _object(
    {"title": _text(100, _PLAIN), "text": _text(300), "confirm": _text(30, _PLAIN), "deny": _text(30, _PLAIN)}
)
_COMMON_FIELDS = {"action_id": _ID, "placeholder": _text(150, _PLAIN), "confirm": _CONFIRM}


def _select(element: Any, at: str) -> Problems:
    options = {"options": _array(100, _OPTION)}
    groups = {"option_groups": _array(100, _object({"label": _text(75, _PLAIN), **options}))}
    return _object(groups if "option_groups" in element else options)(element, at)


def _image(image: Any, at: str) -> Problems:
    url = {} if "slack_file" in image else {"image_url": _string(1, _URL_LENGTH)}
    return _object({**url, "alt_text": _string(1, 2_000)}, {"title": _text(2_000, _PLAIN)})(image, at)


_BUTTON = _object(
    {"text": _text(75, _PLAIN)},
    {"value": _string(0, 2_000), "url": _string(0, _URL_LENGTH), "style": _one_of("primary", "danger")},
)
_CHOOSERS: dict[str, Check] = {
    "static_select": _select,
    "multi_static_select": _select,
    "radio_buttons": _object({"options": _array(10, _OPTION)}),
    "checkboxes": _object({"options": _array(10, _OPTION)}),
} | dict.fromkeys(
    ("users_select", "channels_select", "conversations_select", "multi_users_select", "multi_channels_select",
     "multi_conversations_select", "external_select", "multi_external_select", "datepicker", "timepicker",
     "datetimepicker"),
    _ANY,
)  # fmt: skip
_INTERACTIVE = _CHOOSERS | {"button": _BUTTON, "overflow": _object({"options": _array(5, _OPTION)})}
_INPUTS = _CHOOSERS | dict.fromkeys(
    ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"), _ANY
)
_INPUTS["file_input"] = _object({}, {"max_files": _count(1, 10), "filetypes": _array(100, _string(1, 20))})

# --- Blocks and views ---------------------------------------------------------------------------------------


def _section(block: Any, at: str) -> Problems:
    if "text" not in block and not block.get("fields"):
        yield _problem("missing required field: text or fields", at)
    accessory = _typed(_INTERACTIVE | {"image": _image}, _COMMON_FIELDS)
    yield from _object({}, {"text": _text(3_000), "fields": _array(10, _text(2_000)), "accessory": accessory})(
        block, at
    )


def _context_element(element: Any, at: str) -> Problems:
    is_image = isinstance(element, Mapping) and element.get("type") == "image"
    return (_image if is_image else _text(3_000))(element, at)


_BLOCK = _typed(
    {
        "section": _section,
        "header": _object({"text": _text(150, _PLAIN)}),
        "context": _object({"elements": _array(10, _context_element)}),
        "actions": _object({"elements": _array(25, _typed(_INTERACTIVE, _COMMON_FIELDS), unique="action_id")}),
        "input": _object(
            {"label": _text(2_000, _PLAIN), "element": _typed(_INPUTS, _COMMON_FIELDS)}, {"hint": _text(2_000, _PLAIN)}
        ),
        "image": _image,
        "markdown": _object({"text": _string(1, 12_000)}),
        "divider": _ANY,
        "rich_text": _ANY,
    },
    {"block_id": _ID},
)


def _blocks(surface: Surface) -> Check:
    return _array(MAX_BLOCKS[surface], _BLOCK, least=0, unique="block_id")


def _view(view: Any, at: str) -> Problems:
    title = {"title": _text(24, _PLAIN)} if isinstance(view, Mapping) and view.get("type") == "modal" else {}
    optional = {
        "submit": _text(24, _PLAIN),
        "close": _text(24, _PLAIN),
        "private_metadata": _string(0, 3_000),
        "callback_id": _ID,
    }
    return _object({"type": _one_of("modal", "home"), **title}, optional)(view, at)
