"""A policy by file, from the button in the Home tab to the saved version, with the worker's part left to others."""

import base64
import json
import time
from typing import Any

import httpx2
import pytest

from bot.queue.messages import HomeRecord, SavedRecord, UploadRecord
from bot.ui.policy_upload import build_upload_dialog
from bot.ui.text import commands, dialogs

SILENT = "version: 1\n# Quiet, please\nunsure: silent\n"


@pytest.fixture
def upload(slack):
    """Upload a file in Slack; give Slack's description of it."""

    def upload(content: str | bytes, name: str = "policy.yml") -> dict[str, Any]:
        encoded = base64.b64encode(content.encode() if isinstance(content, str) else content).decode()
        wish = {"user": "U0ANNA", "name": name, "content": encoded}
        return httpx2.post(f"{slack.url}/sandbox/files", json=wish, timeout=10).raise_for_status().json()

    return upload


@pytest.fixture
def submit(send):
    """Submit the dialog with a file; give the answer."""

    def submit(*files: dict[str, Any], base: int = 0) -> Any:
        values = {"file": {"file": {"type": "file_input", "files": list(files)}}}
        view = {**build_upload_dialog("", base), "id": "V1", "state": {"values": values}}
        return send(type="view_submission", view=view)

    return submit


def test_the_dialog_takes_a_file_and_shows_the_policy_in_force_to_begin_from(press_home, team, slack, put_in_force):
    put_in_force(SILENT)

    assert press_home(team, "upload-policy") == 200

    [opened] = slack.installation.modals.values()
    shown = json.dumps(opened.form, ensure_ascii=False)
    assert "# Quiet, please\\nunsure: silent" in shown
    assert "version 1" in shown
    assert '"file_input"' in shown


def test_a_good_file_is_handed_in_to_be_held_against_what_was_decided_and_is_not_saved_yet(
    submit, upload, queue, store, team
):
    status, answer = submit(upload(SILENT, "quiet.yml"))

    assert (status, answer["response_action"]) == (200, "update")
    shown = json.dumps(answer["view"], ensure_ascii=False)
    assert "*quiet.yml* has no mistakes." in shown
    assert dialogs.NOT_YET_SAVED in shown
    [(record, delay)] = queue.sent
    assert isinstance(record, UploadRecord)
    assert (record.policy, record.view, record.draft) == (SILENT, "V1", answer["view"]["private_metadata"])
    assert delay > 0  # or it could be there before the view that it fills
    assert store.load(team, time.time()).version == 0


def test_it_is_saved_as_a_version_when_somebody_says_so(submit, send, upload, queue, store, team):
    review = submit(upload(SILENT))[1]["view"]

    _, answer = send(type="view_submission", view={**review, "id": "V1", "state": {"values": {}}})

    assert dialogs.saved(1) in json.dumps(answer["view"])
    assert store.read_policy(team).text == SILENT
    assert store.read_policy(team).user == "U0ANNA"
    assert [type(record) for record in queue.records[1:]] == [HomeRecord, SavedRecord]


def test_a_file_with_a_mistake_is_refused_with_line_value_and_what_would_be_right(
    submit, upload, queue, store, team, put_in_force
):
    put_in_force(SILENT)

    _, answer = submit(upload("version: 1\nunsure: maybe\n"), base=1)

    assert answer == {
        "response_action": "errors",
        "errors": {"file": "line 2: `unsure` is `maybe`; it can be `ask` or `silent`"},
    }
    assert queue.records == []
    assert store.load(team, time.time()).policy.unsure == "silent"


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe", "not-text"), (b"#" * (64 * 1024 + 1), "too-large")], ids=["binary", "large"]
)
def test_a_file_that_cannot_be_a_policy_is_refused(submit, upload, content, said):
    assert submit(upload(content))[1]["errors"] == {"file": dialogs.FILE_FAULTS[said]}


def test_a_file_that_is_kept_elsewhere_is_not_fetched(submit, upload):
    file = upload(SILENT) | {"url_private": "https://files.example.com/policy.yml"}

    assert submit(file)[1]["errors"] == {"file": dialogs.FILE_FAULTS["elsewhere"]}


def test_a_bot_without_the_permission_says_which_it_lacks(submit, upload, slack):
    file = upload(SILENT)
    slack.installation.settings = type(slack.installation.settings)("", slack.client.token, scopes=frozenset())

    assert "files:read" in submit(file)[1]["errors"]["file"]


def test_whoever_may_not_change_the_policy_is_told_before_anything_is_read(submit, upload, queue, put_in_force):
    put_in_force("version: 1\ncorrections: [U0SOFIA]")

    assert submit(upload("not a policy"), base=1)[1]["errors"] == {"file": commands.NOT_ALLOWED}
    assert queue.records == []


@pytest.mark.parametrize("files", [[], [{}], [{"url_private": 1}], ["file"]])
def test_a_submission_without_a_file_is_refused(submit, files):
    assert submit(*files)[0] == 400


def test_a_file_that_was_changed_since_it_was_looked_at_is_not_saved(submit, send, upload, slack, store, team):
    file = upload(SILENT)
    review = submit(file)[1]["view"]
    files = slack.installation.files
    files[file["id"]] = type(files[file["id"]])(file["id"], "policy.yml", "U0ANNA", b"version: 1\n")

    _, answer = send(type="view_submission", view={**review, "id": "V1", "state": {"values": {}}})

    assert dialogs.FILE_FAULTS["gone"] in json.dumps(answer["view"])
    assert store.load(team, time.time()).version == 0


def test_of_two_who_change_the_same_version_the_second_is_told(submit, send, upload, store, team, put_in_force):
    review = submit(upload(SILENT), base=0)[1]["view"]
    put_in_force("version: 1\n# meanwhile")

    _, answer = send(type="view_submission", view={**review, "id": "V1", "state": {"values": {}}})

    assert dialogs.CHANGED_MEANWHILE in json.dumps(answer["view"])
    assert "# meanwhile" in store.read_policy(team).text
