"""Check Block Kit JSON against Slack's limits; Slack refuses the whole call when one is exceeded.

Problems read as in Slack: `no more than 50 items allowed [json-pointer:/blocks]`. The limits are those that Slack
documents or its SDK enforces. Fields that this module does not know are not checked.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

Surface: TypeAlias = Literal["message", "view"]
Problems: TypeAlias = Iterator[str]

MAX_BLOCKS: dict[Surface, int] = {"message": 50, "view": 100}
# Not documented by Slack; `msg_blocks_too_long` was observed slightly above this number of characters.
MAX_BLOCK_TEXT = 13_200

_IDENTIFIER = 255
_URL = 3_000
_PLAIN = ("plain_text",)
_ANY_TEXT = ("plain_text", "mrkdwn")


def problems(blocks: Any, surface: Surface = "message") -> list[str]:
    """Return the problems for which Slack would refuse these blocks; an empty list if there are none."""
    return list(_blocks(blocks, surface))


def view_problems(view: Any) -> list[str]:
    """Return the problems for which Slack would refuse a modal or Home view."""
    return list(_view(view))


def text_length(blocks: Any) -> int:
    """Count the characters of all texts in the blocks, which Slack limits per message."""
    if isinstance(blocks, Mapping):
        own = blocks.get("text")
        nested = sum(text_length(value) for value in blocks.values())
        return nested + (len(own) if isinstance(own, str) else 0)
    return sum(text_length(item) for item in blocks) if isinstance(blocks, (list, tuple)) else 0


# --- Blocks -------------------------------------------------------------------------------------------------


def _blocks(blocks: Any, surface: Surface) -> Problems:
    if not isinstance(blocks, Sequence) or isinstance(blocks, str):
        yield _problem("must be an array", "/blocks")
        return
    yield from _count(blocks, "/blocks", 0, MAX_BLOCKS[surface])
    for index, block in enumerate(blocks):
        yield from _block(block, f"/blocks/{index}")
    yield from _unique(_all_of("block_id", blocks), "block_id", "/blocks")


def _block(block: Any, at: str) -> Problems:
    if not isinstance(block, Mapping):
        yield _problem("must be an object", at)
        return
    yield from _length(block.get("block_id", ""), f"{at}/block_id", 0, _IDENTIFIER)
    check = _find_check(block.get("type"), _BLOCKS)
    if check is None:
        yield _problem(f"unsupported type: {block.get('type')}", f"{at}/type")
        return
    yield from check(block, at)


def _section(block: Mapping[str, Any], at: str) -> Problems:
    if "text" not in block and not block.get("fields"):
        yield _problem("missing required field: text or fields", at)
    if "text" in block:
        yield from _text(block["text"], f"{at}/text", 3_000, _ANY_TEXT)
    if "fields" in block:
        yield from _each(block["fields"], f"{at}/fields", 10, lambda each, where: _text(each, where, 2_000, _ANY_TEXT))
    if "accessory" in block:
        yield from _element(block["accessory"], f"{at}/accessory", _ACCESSORIES)


def _header(block: Mapping[str, Any], at: str) -> Problems:
    yield from _text(block.get("text"), f"{at}/text", 150, _PLAIN)


def _context(block: Mapping[str, Any], at: str) -> Problems:
    yield from _each(block.get("elements"), f"{at}/elements", 10, _context_element)


def _context_element(element: Any, at: str) -> Problems:
    if isinstance(element, Mapping) and element.get("type") == "image":
        yield from _image(element, at)
    else:
        yield from _text(element, at, 3_000, _ANY_TEXT)


def _actions(block: Mapping[str, Any], at: str) -> Problems:
    elements = block.get("elements")
    yield from _each(elements, f"{at}/elements", 25, lambda each, where: _element(each, where, _INTERACTIVE))
    if isinstance(elements, Sequence):
        yield from _unique(_all_of("action_id", elements), "action_id", f"{at}/elements")


def _input(block: Mapping[str, Any], at: str) -> Problems:
    yield from _text(block.get("label"), f"{at}/label", 2_000, _PLAIN)
    if "hint" in block:
        yield from _text(block["hint"], f"{at}/hint", 2_000, _PLAIN)
    yield from _element(block.get("element"), f"{at}/element", _INPUTS)


def _image(block: Mapping[str, Any], at: str) -> Problems:
    if "slack_file" not in block:
        yield from _length(block.get("image_url"), f"{at}/image_url", 1, _URL)
    yield from _length(block.get("alt_text"), f"{at}/alt_text", 1, 2_000)
    if "title" in block:
        yield from _text(block["title"], f"{at}/title", 2_000, _PLAIN)


def _markdown(block: Mapping[str, Any], at: str) -> Problems:
    yield from _length(block.get("text"), f"{at}/text", 1, 12_000)


def _nothing_more(_block: Mapping[str, Any], _at: str) -> Problems:
    return iter(())


_Check: TypeAlias = Callable[[Mapping[str, Any], str], Problems]

_BLOCKS: dict[str, _Check] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "markdown": _markdown,
    "divider": _nothing_more,
    "rich_text": _nothing_more,
}


# --- Elements -----------------------------------------------------------------------------------------------


def _element(element: Any, at: str, allowed: Mapping[str, _Check]) -> Problems:
    if not isinstance(element, Mapping):
        yield _problem("must be an object", at)
        return
    check = _find_check(element.get("type"), allowed)
    if check is None:
        yield _problem(f"unsupported type: {element.get('type')}", f"{at}/type")
        return
    yield from _length(element.get("action_id", ""), f"{at}/action_id", 0, _IDENTIFIER)
    if "placeholder" in element:
        yield from _text(element["placeholder"], f"{at}/placeholder", 150, _PLAIN)
    if "confirm" in element:
        yield from _confirm(element["confirm"], f"{at}/confirm")
    yield from check(element, at)


def _button(element: Mapping[str, Any], at: str) -> Problems:
    yield from _text(element.get("text"), f"{at}/text", 75, _PLAIN)
    yield from _length(element.get("value", ""), f"{at}/value", 0, 2_000)
    yield from _length(element.get("url", ""), f"{at}/url", 0, _URL)
    if element.get("style", "primary") not in ("primary", "danger"):
        yield _problem("must be primary or danger", f"{at}/style")


def _select(element: Mapping[str, Any], at: str) -> Problems:
    if "option_groups" in element:
        yield from _each(element["option_groups"], f"{at}/option_groups", 100, _option_group)
    else:
        yield from _each(element.get("options"), f"{at}/options", 100, _option)


def _option_group(group: Any, at: str) -> Problems:
    if not isinstance(group, Mapping):
        yield _problem("must be an object", at)
        return
    yield from _text(group.get("label"), f"{at}/label", 75, _PLAIN)
    yield from _each(group.get("options"), f"{at}/options", 100, _option)


def _overflow(element: Mapping[str, Any], at: str) -> Problems:
    yield from _each(element.get("options"), f"{at}/options", 5, _option)


def _choices(element: Mapping[str, Any], at: str) -> Problems:
    yield from _each(element.get("options"), f"{at}/options", 10, _option)


def _file_input(element: Mapping[str, Any], at: str) -> Problems:
    most = element.get("max_files", 10)
    if not isinstance(most, int) or not 1 <= most <= 10:
        yield _problem("must be between 1 and 10", f"{at}/max_files")
    if "filetypes" in element:
        yield from _each(element["filetypes"], f"{at}/filetypes", 100, lambda each, where: _length(each, where, 1, 20))


def _option(option: Any, at: str) -> Problems:
    if not isinstance(option, Mapping):
        yield _problem("must be an object", at)
        return
    yield from _text(option.get("text"), f"{at}/text", 75, _ANY_TEXT)
    yield from _length(option.get("value"), f"{at}/value", 1, 150)
    if "description" in option:
        yield from _text(option["description"], f"{at}/description", 75, _ANY_TEXT)


def _confirm(confirm: Any, at: str) -> Problems:
    if not isinstance(confirm, Mapping):
        yield _problem("must be an object", at)
        return
    yield from _text(confirm.get("title"), f"{at}/title", 100, _PLAIN)
    yield from _text(confirm.get("text"), f"{at}/text", 300, _ANY_TEXT)
    yield from _text(confirm.get("confirm"), f"{at}/confirm", 30, _PLAIN)
    yield from _text(confirm.get("deny"), f"{at}/deny", 30, _PLAIN)


_CHOOSERS: dict[str, _Check] = {
    "static_select": _select,
    "multi_static_select": _select,
    "radio_buttons": _choices,
    "checkboxes": _choices,
} | dict.fromkeys(
    ("users_select", "channels_select", "conversations_select", "multi_users_select", "multi_channels_select",
     "multi_conversations_select", "external_select", "multi_external_select", "datepicker", "timepicker",
     "datetimepicker"),
    _nothing_more,
)  # fmt: skip

_INTERACTIVE: dict[str, _Check] = _CHOOSERS | {"button": _button, "overflow": _overflow}
_ACCESSORIES: dict[str, _Check] = _INTERACTIVE | {"image": _image}
_INPUTS: dict[str, _Check] = _CHOOSERS | dict.fromkeys(
    ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input"),
    _nothing_more,
)
_INPUTS["file_input"] = _file_input


# --- Views --------------------------------------------------------------------------------------------------


def _view(view: Any) -> Problems:
    if not isinstance(view, Mapping):
        yield _problem("must be an object", "/view")
        return
    if view.get("type") not in ("modal", "home"):
        yield _problem("must be modal or home", "/view/type")
    if view.get("type") == "modal":
        yield from _text(view.get("title"), "/view/title", 24, _PLAIN)
    for name in ("submit", "close"):
        if name in view:
            yield from _text(view[name], f"/view/{name}", 24, _PLAIN)
    yield from _length(view.get("private_metadata", ""), "/view/private_metadata", 0, 3_000)
    yield from _length(view.get("callback_id", ""), "/view/callback_id", 0, _IDENTIFIER)
    yield from _blocks(view.get("blocks"), "view")


# --- Shared checks ------------------------------------------------------------------------------------------


def _text(text: Any, at: str, limit: int, kinds: Sequence[str]) -> Problems:
    if not isinstance(text, Mapping):
        yield _problem("must be a text object", at)
    elif text.get("type") not in kinds:
        yield _problem(f"must be {' or '.join(kinds)}", f"{at}/type")
    else:
        yield from _length(text.get("text"), f"{at}/text", 1, limit)


def _length(value: Any, at: str, least: int, most: int) -> Problems:
    if not isinstance(value, str):
        yield _problem("must be a string", at)
    elif len(value) < least:
        yield _problem(f"must be more than {least - 1} characters", at)
    elif len(value) > most:
        yield _problem(f"must be less than {most + 1} characters", at)


def _each(items: Any, at: str, most: int, check: Callable[[Any, str], Problems]) -> Problems:
    if not isinstance(items, Sequence) or isinstance(items, str):
        yield _problem("must be an array", at)
        return
    yield from _count(items, at, 1, most)
    for index, item in enumerate(items):
        yield from check(item, f"{at}/{index}")


def _count(items: Sequence[Any], at: str, least: int, most: int) -> Problems:
    if len(items) < least:
        yield _problem(f"no fewer than {least} items allowed", at)
    if len(items) > most:
        yield _problem(f"no more than {most} items allowed", at)


def _find_check(kind: Any, checks: Mapping[str, _Check]) -> _Check | None:
    return checks.get(kind) if isinstance(kind, str) else None


def _all_of(name: str, objects: Sequence[Any]) -> list[str]:
    """Return the ids of this name that are valid; the invalid ones are reported by other checks."""
    ids = [each.get(name) for each in objects if isinstance(each, Mapping)]
    return [each for each in ids if isinstance(each, str) and each]


def _unique(ids: Sequence[str], kind: str, at: str) -> Problems:
    for repeated in sorted({each for each in ids if ids.count(each) > 1}):
        yield _problem(f"`{kind}` {repeated} is not unique", at)


def _problem(sentence: str, at: str) -> str:
    return f"{sentence} [json-pointer:{at}]"


# --- Identifiers --------------------------------------------------------------------------------------------


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
