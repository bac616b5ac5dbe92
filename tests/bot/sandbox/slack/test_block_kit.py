"""Block Kit's limits: values at a limit are accepted, values beyond it are refused."""

from typing import Any

import pytest

from bot.sandbox.slack.api.block_kit import problems, text_length, view_problems, with_ids


def plain(length: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": "x" * length}


def section(**fields: Any) -> list[dict[str, Any]]:
    return [{"type": "section", "text": mrkdwn(5), **fields}]


def button(**fields: Any) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [{"type": "button", "text": plain(5), **fields}]}]


def options(count: int, text: int = 5, value: int = 5) -> list[dict[str, Any]]:
    return [{"text": plain(text), "value": "v" * value} for _ in range(count)]


def select(**fields: Any) -> list[dict[str, Any]]:
    return section(accessory={"type": "static_select", "options": options(2), **fields})


def confirm(**lengths: int) -> list[dict[str, Any]]:
    sizes = {"title": 5, "text": 5, "confirm": 5, "deny": 5} | lengths
    return button(confirm={name: plain(length) for name, length in sizes.items()})


LIMITS = [
    ("blocks in a message", 50, lambda n: [{"type": "divider"}] * n),
    ("block_id", 255, lambda n: section(block_id="b" * n)),
    ("section text", 3_000, lambda n: section(text=mrkdwn(n))),
    ("section fields", 10, lambda n: section(fields=[mrkdwn(5)] * n)),
    ("a section field", 2_000, lambda n: section(fields=[mrkdwn(n)])),
    ("header text", 150, lambda n: [{"type": "header", "text": plain(n)}]),
    ("context elements", 10, lambda n: [{"type": "context", "elements": [mrkdwn(5)] * n}]),
    ("actions elements", 25, lambda n: [{"type": "actions", "elements": button()[0]["elements"] * n}]),
    ("button text", 75, lambda n: button(text=plain(n))),
    ("button value", 2_000, lambda n: button(value="v" * n)),
    ("button url", 3_000, lambda n: button(url="u" * n)),
    ("action_id", 255, lambda n: button(action_id="a" * n)),
    ("confirm title", 100, lambda n: confirm(title=n)),
    ("confirm text", 300, lambda n: confirm(text=n)),
    ("confirm confirm", 30, lambda n: confirm(confirm=n)),
    ("confirm deny", 30, lambda n: confirm(deny=n)),
    ("select options", 100, lambda n: select(options=options(n))),
    ("option text", 75, lambda n: select(options=options(1, text=n))),
    ("option value", 150, lambda n: select(options=options(1, value=n))),
    ("placeholder", 150, lambda n: select(placeholder=plain(n))),
    ("overflow options", 5, lambda n: section(accessory={"type": "overflow", "options": options(n)})),
    ("image url", 3_000, lambda n: [{"type": "image", "image_url": "u" * n, "alt_text": "a"}]),
    ("image alt", 2_000, lambda n: [{"type": "image", "image_url": "u", "alt_text": "a" * n}]),
    ("markdown", 12_000, lambda n: [{"type": "markdown", "text": "m" * n}]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "limit", "build"), LIMITS, ids=[what for what, *_ in LIMITS])
def test_slack_takes_blocks_up_to_each_limit_and_no_further(what, limit, build):
    assert problems(build(limit)) == []
    assert len(problems(build(limit + 1))) == 1


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([{"type": "header", "text": mrkdwn(5)}], "must be plain_text [json-pointer:/blocks/0/text/type]"),
        (section(text=mrkdwn(0)), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([{"type": "section"}], "missing required field: text or fields [json-pointer:/blocks/0]"),
        ([{"type": "table"}], "unsupported type: table [json-pointer:/blocks/0/type]"),
        ([{"type": {}}], "unsupported type: {} [json-pointer:/blocks/0/type]"),
        (section(accessory={"type": []}), "unsupported type: [] [json-pointer:/blocks/0/accessory/type]"),
        (section(block_id={"a": 1}), "must be a string [json-pointer:/blocks/0/block_id]"),
        (section(accessory={"type": "input"}), "unsupported type: input [json-pointer:/blocks/0/accessory/type]"),
        (button(style="blue"), "must be primary or danger [json-pointer:/blocks/0/elements/0/style]"),
        ([{"type": "actions", "elements": []}], "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"),
        (section(block_id="one") * 2, "`block_id` one is not unique [json-pointer:/blocks]"),
        ("text", "must be an array [json-pointer:/blocks]"),
        (["text"], "must be an object [json-pointer:/blocks/0]"),
        (section(text="text"), "must be a text object [json-pointer:/blocks/0/text]"),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(blocks, reason):
    assert problems(blocks) == [reason]


def test_what_is_no_id_is_no_id_twice_either():
    reasons = [f"must be a string [json-pointer:/blocks/{number}/block_id]" for number in range(2)]

    assert problems(section(block_id={"a": 1}) * 2) == reasons


def test_two_elements_of_one_block_cannot_share_an_action_id():
    element = {"type": "button", "text": plain(5), "action_id": "same"}

    found = problems([{"type": "actions", "elements": [element, element]}])

    assert found == ["`action_id` same is not unique [json-pointer:/blocks/0/elements]"]


def test_a_view_may_have_100_blocks_and_a_title_of_24_characters():
    view = {"type": "modal", "title": plain(24), "blocks": [{"type": "divider"}] * 100}

    assert view_problems(view) == []
    assert len(view_problems(view | {"title": plain(25)})) == 1
    assert len(view_problems(view | {"blocks": [{"type": "divider"}] * 101})) == 1


def test_every_text_of_the_blocks_counts_towards_the_limit_on_a_message():
    blocks = section(fields=[mrkdwn(10)], accessory=button()[0]["elements"][0])

    assert text_length(blocks) == 5 + 10 + 5


def test_blocks_and_elements_without_an_id_are_given_one():
    named, unnamed = with_ids([*section(block_id="mine"), *button()])

    assert named["block_id"] == "mine"
    assert unnamed["block_id"]
    assert unnamed["elements"][0]["action_id"]
