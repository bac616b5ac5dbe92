"""The policy as a file: chosen in a dialog, looked at, and saved when somebody says so."""

import hashlib
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.actions import refuse
from bot.listeners.dependencies import Dependencies, Proposal
from bot.listeners.dialogs import SAVING, SECONDS_TO_SHOW, explain_refusal, open_view, save
from bot.listeners.home import UNREADABLE, read_home
from bot.policy.parsing.parser import WrittenPolicy, parse_policy
from bot.queue.messages import HomeRecord, UploadRecord, build
from bot.slack.files import FileReader, FileUnreadable
from bot.ui.policy_upload import (
    FILE_BLOCK,
    Draft,
    build_review,
    build_upload_dialog,
    read_draft,
    read_upload_dialog,
)
from bot.ui.text import dialogs as dialog_text

_Json = Mapping[str, Any]


def open_upload(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Open the dialog that takes a file, with the policy in force to begin from."""
    open_view(client, body, build_upload_dialog(*dependencies.read_policy(read_home(body, 0).team)))


def take_file(dependencies: Dependencies, ack: Ack, body: _Json, client: WebClient) -> BoltResponse:
    """Read the file and say what is wrong with it, or have it held against what was decided lately."""
    try:
        who = read_home(body, int(dependencies.now()))
        file, base = read_upload_dialog(body["view"])
        dependencies.require_allowed(who.team, who.user)
        text = _reader(client).read(file)
        policy = parse_policy(text)
        draft = Draft(file, _digest(text), base)
        review = build_review(draft, policy, dialog_text.HOLDING_AGAINST)
        _hand_in(dependencies, who, body["view"]["id"], text, draft)
    except SAVING as error:
        return ack(response_action="errors", errors={FILE_BLOCK: explain_refusal(error)})
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    return ack(response_action="update", view=review)


def _hand_in(dependencies: Dependencies, who: HomeRecord, view: str, text: str, draft: Draft) -> None:
    values = {"team": who.team, "user": who.user, "view": view, "received_at": who.received_at}
    record = build(UploadRecord, {**values, "policy": text, "draft": draft.to_metadata()})
    dependencies.send(record, SECONDS_TO_SHOW)


def save_file(dependencies: Dependencies, ack: Ack, body: _Json, client: WebClient) -> BoltResponse:
    """Save the file that was looked at: it is read again, because nothing of it is kept in between."""

    def read(view: _Json, who: HomeRecord) -> Proposal:
        draft = read_draft(view["private_metadata"])
        text = _reader(client).read(draft.file)
        if _digest(text) != draft.digest:
            raise FileUnreadable("gone")
        return Proposal(WrittenPolicy.of(text), draft.base)

    return save(dependencies, ack, body, read, None)


def _reader(client: WebClient) -> FileReader:
    return FileReader(client.base_url, client.token or "")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
