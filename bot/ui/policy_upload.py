"""The policy as a file: the dialog that takes one and shows the one in force, and the look before it is saved."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    InputBlock,
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
)
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
# So that all of them and what is around them fit into one view.
_MOST_PARTS = 90


@dataclass(frozen=True, slots=True)
class Draft:
    """A policy that waits in Slack to be saved: its file, the checksum of what was shown of it, and the version that
    was in force when it was chosen.
    """

    file: UploadedFile
    digest: str
    base: int = field(default=0)

    def to_metadata(self) -> str:
        return json.dumps({"name": self.file.name, "url": self.file.url, "digest": self.digest, "base": self.base})


def read_draft(metadata: str) -> Draft:
    """Read what `to_metadata` gave. Raises KeyError, TypeError and ValueError."""
    values = json.loads(metadata)
    return Draft(UploadedFile(values["name"], values["url"]), values["digest"], int(values["base"]))


def build_upload_dialog(text: str, base: int) -> dict[str, Any]:
    """Build the view that takes a file; `text` is the policy in force, of version `base`."""
    element = FileInputElement(action_id="file", filetypes=_FILETYPES, max_files=1)
    upload = InputBlock(
        label=dialog_text.UPLOAD_LABEL, hint=dialog_text.UPLOAD_HINT, element=element, block_id=FILE_BLOCK
    )
    blocks = [section(dialog_text.UPLOAD_INTRODUCTION), upload, section(dialog_text.in_force(base)), *_show(text)]
    return build_form(dialog_text.UPLOAD_TITLE, UPLOAD_CALLBACK, blocks, str(base), submit=dialog_text.UPLOAD)


def read_upload_dialog(view: Mapping[str, Any]) -> tuple[UploadedFile, int]:
    """Read which file was chosen, and the version that was in force then. Raises KeyError, TypeError, ValueError."""
    [file] = view["state"]["values"][FILE_BLOCK]["file"]["files"]
    return read_file_object(file), int(view["private_metadata"])


def build_review(draft: Draft, policy: Policy, outcome: str) -> dict[str, Any]:
    """Build the view that asks whether a file is to be saved; `outcome` says what would change."""
    summary = dialog_text.can_be_used(draft.file.name, len(policy.rules), len(policy.in_force) - len(policy.rules))
    blocks = [section(summary), section(outcome), context(dialog_text.NOT_YET_SAVED)]
    return build_form(dialog_text.UPLOAD_TITLE, REVIEW_CALLBACK, blocks, draft.to_metadata())


def _show(text: str) -> Iterator[Block]:
    """Show a text as it is, to be copied; one that no view takes is had from the command line."""
    parts = pack(_split(text), _MOST_TEXT)
    if len(parts) > _MOST_PARTS:
        yield section(dialog_text.TOO_LONG_TO_SHOW)
        return
    for part in parts:
        piece = RichTextElementParts.Text(text=part or " ")  # Slack refuses one without a character
        yield RichTextBlock(elements=[RichTextPreformattedElement(elements=[piece])])


def _split(text: str) -> Iterator[str]:
    """Split a text between lines; a line that is too long by itself is split where it must be."""
    for line in text.splitlines():
        yield from [line[at : at + _MOST_TEXT] for at in range(0, len(line), _MOST_TEXT)] or [""]
