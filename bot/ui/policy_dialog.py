"""Dialogs that edit the policy: as text with a trial, and where each label goes."""

from collections.abc import Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import Block, ChannelSelectElement, InputBlock, PlainTextInputElement, StaticSelectElement

from bot.slack.blocks import MOST_OPTIONS, OPTION_VALUE, actions, button, option, pack, section
from bot.ui.dialog import build_form
from bot.ui.text import dialogs as dialog_text
from classifier_infra.model.manifest import Facet

POLICY_CALLBACK = "policy"
ROUTE_CALLBACK = "route"
TRY_ACTION = "try"

_FIELD = 3_000  # characters, a limit of Slack's for a text field
_MOST_FIELDS = 4
_MOST_TRIED = 1_000
_MOST_PROBLEMS = 8


class PolicyTooLong(ValueError):
    """The policy does not fit into a dialog."""


# --- The policy as text -------------------------------------------------------------------------------------


def build_policy_dialog(text: str, base: int, tried: str = "", outcome: str = "") -> dict[str, Any]:
    """Build the form that edits version `base`; `outcome` is the result of a trial with the message `tried`.

    Raises PolicyTooLong.
    """
    parts = split_text(text)
    fields: list[Block] = [_field(number, part, len(parts)) for number, part in enumerate(parts, 1)]
    blocks = [section(dialog_text.POLICY_HINT), *fields, _trial_field(tried)]
    blocks += actions([button(dialog_text.TRY, TRY_ACTION)])
    blocks += [section(outcome)] if outcome else []
    return build_form(dialog_text.POLICY_TITLE, POLICY_CALLBACK, blocks, str(base))


def split_text(text: str) -> list[str]:
    """Split a text between lines so that each part fits into a field. Raises PolicyTooLong."""
    parts = pack(text.splitlines(), _FIELD) or [""]
    if len(parts) > _MOST_FIELDS or any(len(part) > _FIELD for part in parts):
        raise PolicyTooLong(f"the policy has more than {_MOST_FIELDS} fields of {_FIELD} characters hold")
    return parts


def _field(number: int, part: str, parts: int) -> InputBlock:
    element = PlainTextInputElement(
        action_id="text", multiline=True, initial_value=part or None, max_length=_FIELD, focus_on_load=number == 1
    )
    return InputBlock(label=dialog_text.policy_part(number, parts), element=element, block_id=f"policy:{number}")


def _trial_field(tried: str) -> InputBlock:
    element = PlainTextInputElement(action_id="text", initial_value=tried or None, max_length=_MOST_TRIED)
    return InputBlock(
        label=dialog_text.TRY_LABEL, element=element, block_id="trial", optional=True, hint=dialog_text.TRY_HINT
    )


def read_policy_dialog(view: Mapping[str, Any]) -> tuple[str, int, str]:
    """Read the policy's text, the version that was edited, and the message to try it on.

    Raises KeyError, TypeError and ValueError.
    """
    values = view["state"]["values"]
    parts = [values[name]["text"]["value"] or "" for name in sorted(values) if name.startswith("policy:")]
    return "\n".join(parts), int(view["private_metadata"]), (values["trial"]["text"]["value"] or "").strip()


def list_problems(problems: Sequence[object]) -> str:
    """List the first problems of a policy; plain text."""
    shown = [str(problem) for problem in problems[:_MOST_PROBLEMS]]
    return dialog_text.problems(shown, len(problems) - len(shown))


# --- Where each label goes ----------------------------------------------------------------------------------


def build_route_dialog(facet: Facet, base: int) -> dict[str, Any]:
    """Build the form that sends messages with a label to a channel."""
    options = [option(label.display, label.name) for label in facet.labels if len(label.name) <= OPTION_VALUE]
    label = StaticSelectElement(placeholder=dialog_text.CHOOSE, action_id="label", options=options[:MOST_OPTIONS])
    channel = ChannelSelectElement(placeholder=dialog_text.CHOOSE, action_id="channel")
    blocks: list[Block] = [
        InputBlock(label=dialog_text.ROUTE_LABEL, element=label, block_id="label"),
        InputBlock(
            label=dialog_text.ROUTE_PLACE,
            element=channel,
            block_id="channel",
            optional=True,
            hint=dialog_text.ROUTE_PLACE_HINT,
        ),
    ]
    return build_form(dialog_text.ROUTE_TITLE, ROUTE_CALLBACK, blocks, str(base))


def read_route_dialog(view: Mapping[str, Any]) -> tuple[str, str | None, int]:
    """Read the label, the channel if any, and the version that was edited. Raises KeyError, TypeError, ValueError."""
    values = view["state"]["values"]
    label = values["label"]["label"]["selected_option"]["value"]
    return label, values["channel"]["channel"].get("selected_channel"), int(view["private_metadata"])
