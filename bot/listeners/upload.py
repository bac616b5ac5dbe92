"""The policy as a file: chosen in one dialog, reviewed in the next, and saved from there."""

import hashlib

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.dependencies import Dependencies, Proposal
from bot.listeners.dialogs import SAVING, SECONDS_TO_SHOW, explain_refusal, save
from bot.listeners.press import UNREADABLE, Json, build_from, open_view, read_sender, refuse
from bot.policy.parsing.parser import WrittenPolicy, parse_policy
from bot.queue.messages import HomeRecord, UploadRecord
from bot.slack.files import FileReader, FileUnreadable
from bot.ui.policy_upload import FILE_BLOCK, Draft, build_review, build_upload_dialog, read_draft, read_upload_dialog
from bot.ui.text import dialogs as dialog_text


def open_upload(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Open the dialog that takes a file and shows the policy in force."""
    who = read_sender(dependencies, body)
    open_view(client, body, build_upload_dialog(*dependencies.read_policy(who.team)))


def take_file(dependencies: Dependencies, ack: Ack, body: Json, client: WebClient) -> BoltResponse:
    """Check the chosen file: show its mistakes, or have the worker compare it with recent decisions."""
    try:
        who = read_sender(dependencies, body)
        file, base = read_upload_dialog(body["view"])
        dependencies.require_allowed(who.team, who.user)
        text = _reader(client).read(file)
        policy = parse_policy(text)
        draft = Draft(file, _digest(text), base)
        review = build_review(draft, policy, dialog_text.COMPARING)
        record = build_from(UploadRecord, who, view=body["view"]["id"], policy=text, draft=draft.to_metadata())
        dependencies.send(record, SECONDS_TO_SHOW)
    except SAVING as error:
        return ack(response_action="errors", errors={FILE_BLOCK: explain_refusal(error)})
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    return ack(response_action="update", view=review)


def save_file(dependencies: Dependencies, ack: Ack, body: Json, client: WebClient) -> BoltResponse:
    """Save the reviewed file. It is read again, because its content is not stored in between."""

    def read(view: Json, who: HomeRecord) -> Proposal:
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
