"""Dialogs for the policy as a file: one takes it and shows the policy in force, one reviews it before it is saved."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import Block, InputBlock, RichTextBlock, RichTextElementParts, RichTextPreformattedElement
from slack_sdk.models.blocks.block_elements import FileInputElement

from bot.policy.policy import Policy
from bot.slack.blocks import context, pack, section
from bot.slack.files import UploadedFile, read_file_object
from bot.ui.dialog import build_form
from bot.ui.text import dialogs as dialog_text

UPLOAD_CALLBACK = "policy-upload"
REVIEW_CALLBACK = "policy-upload-save"
FILE_BLOCK = "file"

_FILETYPES = ["yml", "yaml", "txt"]
_MOST_TEXT = 3_000
_MOST_PARTS = 90  # blocks; a view takes 100 at most


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy file under review: the checksum of its reviewed content, and the version then in force (`base`)."""

    file: UploadedFile
    digest: str
    base: int = field(default=0)

    def to_metadata(self) -> str:
        return json.dumps({"name": self.file.name, "url": self.file.url, "digest": self.digest, "base": self.base})


def read_draft(metadata: str) -> Draft:
    """Read what `to_metadata` wrote. Raises KeyError, TypeError and ValueError."""
    values = json.loads(metadata)
    return Draft(UploadedFile(values["name"], values["url"]), values["digest"], int(values["base"]))


def build_upload_dialog(text: str, base: int) -> dict[str, Any]:
    """Build the form that takes a file; `text` is the policy in force, of version `base`."""
    element = FileInputElement(action_id="file", filetypes=_FILETYPES, max_files=1)
    upload = InputBlock(
        label=dialog_text.UPLOAD_LABEL, hint=dialog_text.UPLOAD_HINT, element=element, block_id=FILE_BLOCK
    )
    blocks = [section(dialog_text.UPLOAD_INTRODUCTION), upload, section(dialog_text.in_force(base)), *_show(text)]
    return build_form(dialog_text.UPLOAD_TITLE, UPLOAD_CALLBACK, blocks, str(base), submit=dialog_text.UPLOAD)


def read_upload_dialog(view: Mapping[str, Any]) -> tuple[UploadedFile, int]:
    """Read the chosen file, and the version then in force. Raises KeyError, TypeError, ValueError."""
    [file] = view["state"]["values"][FILE_BLOCK]["file"]["files"]
    return read_file_object(file), int(view["private_metadata"])


def build_review(draft: Draft, policy: Policy, outcome: str) -> dict[str, Any]:
    """Build the form that asks whether to save a file; `outcome` says what would change."""
    summary = dialog_text.can_be_used(draft.file.name, len(policy.rules), len(policy.in_force) - len(policy.rules))
    blocks = [section(summary), section(outcome), context(dialog_text.NOT_YET_SAVED)]
    return build_form(dialog_text.UPLOAD_TITLE, REVIEW_CALLBACK, blocks, draft.to_metadata())


def _show(text: str) -> Iterator[Block]:
    """Show a text verbatim, to be copied; point to the command line if it is too long for a view."""
    parts = pack(_split(text), _MOST_TEXT)
    if len(parts) > _MOST_PARTS:
        yield section(dialog_text.TOO_LONG_TO_SHOW)
        return
    for part in parts:
        piece = RichTextElementParts.Text(text=part or " ")  # Slack refuses an empty one
        yield RichTextBlock(elements=[RichTextPreformattedElement(elements=[piece])])


def _split(text: str) -> Iterator[str]:
    """Split a text into lines, and lines that are too long into pieces."""
    for line in text.splitlines():
        yield from [line[at : at + _MOST_TEXT] for at in range(0, len(line), _MOST_TEXT)] or [""]
