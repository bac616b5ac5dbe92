import json
import time
import uuid
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot import words
from bot.app import create_app
from bot.blocks.notice import build_notice
from bot.blocks.policy_dialog import build_policy_dialog, build_route_dialog
from bot.board import BoardStore
from bot.case import Decision
from bot.corrections import CorrectionDesk
from bot.interactive import handle
from bot.lambdas import interactive
from bot.listeners.desk import Desk
from bot.policy import Policy
from bot.policy_file import WrittenPolicy
from bot.queue import QueueUnavailable
from bot.records import CorrectionRecord, HomeRecord, MessageKey, SavedRecord, from_json
from bot.slack_calls import TenantGone, build_client
from bot.team_settings import SettingsStore
from bot.tenants import OneWorkspace
from bot.words import commands, dialogs, front

DEFAULT_POLICY = "version: 1\nroutes:\n  billing: C0BILLING\n"
FORM = "application/x-www-form-urlencoded"


class ListQueue:
    def __init__(self) -> None:
        self.records: list = []
        self.failure: Exception | None = None

    def send(self, record, delay=0) -> None:
        if self.failure:
            raise self.failure
        self.records.append(record)


@pytest.fixture
def queue() -> ListQueue:
    return ListQueue()


@pytest.fixture
def key(ledger, findings) -> MessageKey:
    """A message that was decided about."""
    key = MessageKey("T0", f"C{uuid.uuid4().hex.upper()}", "1700000000.000100")
    ledger.record_decision(key, Decision("automatic", "sure", findings, "model-1"), time.time())
    return key


@pytest.fixture
def told(serve):
    """A response_url, and what is answered there."""
    bodies: list[dict[str, Any]] = []

    async def note(request):
        bodies.append(await request.json())
        return PlainTextResponse("ok")

    url = serve(Starlette(routes=[Route("/actions", note, methods=["POST"])]))
    return SimpleNamespace(url=f"{url}/actions", bodies=bodies)


def press(key: MessageKey, response_url: str = "http://127.0.0.1:9/actions", **action: Any) -> bytes:
    """Build the form that Slack posts when somebody presses a button under the bot's reply."""
    payload = {
        "type": "block_actions",
        "team": {"id": key.team, "domain": "example"},
        "user": {"id": "U0ANNA", "username": "anna", "team_id": key.team},
        "api_app_id": "A0TRIAGE",
        "container": {
            "type": "message",
            "message_ts": "1700000001.000100",
            "channel_id": key.channel,
            "thread_ts": key.ts,
            "is_ephemeral": False,
        },
        "channel": {"id": key.channel, "name": "support"},
        "response_url": response_url,
        "trigger_id": "1.2.3",
        "actions": [
            {
                "type": "button",
                "block_id": "b0",
                "action_id": "correct:0",
                "value": "category=technical",
                "action_ts": "1700000002.000100",
            }
            | action
        ],
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


@pytest.fixture
def store(ledger) -> SettingsStore:
    return SettingsStore(ledger.client, ledger.table, Policy())


@pytest.fixture
def board(ledger) -> BoardStore:
    return BoardStore(ledger.client, ledger.table)


@pytest.fixture
def post(signed_event, signing_secret, ledger, queue, store, board, slack):
    """Post a signed form to the function; give the status."""
    desk = Desk(CorrectionDesk(ledger, queue, store, time.time), store, board, DEFAULT_POLICY)
    tenants = OneWorkspace(build_client(slack.client.token, slack.client.base_url))
    app = create_app(tenants, desk, slack.client.base_url)

    def send(body: bytes, content_type: str = FORM, **changes: Any) -> int:
        return int(answer(body, content_type, **changes)["statusCode"])

    def answer(body: bytes, content_type: str = FORM, **changes: Any) -> Any:
        event = signed_event("/slack/interactive", body, content_type) | changes
        return handle(event, signing_secret, app, time.time())

    send.answer = answer
    return send


def test_a_pressed_button_corrects_the_message_and_has_it_shown(post, ledger, queue, key):
    assert post(press(key)) == 200

    [correction] = ledger.load(key, time.time()).corrections
    assert (correction.user, correction.before, correction.after) == ("U0ANNA", "billing", "technical")
    assert [record.key for record in queue.records] == [key]


@pytest.fixture
def post_in_several(signed_event, signing_secret, ledger, queue, store, board, slack):
    """Post to a function that serves the workspaces given, by their tokens."""

    def post(tenants: Any, body: bytes) -> int:
        desk = Desk(CorrectionDesk(ledger, queue, store, time.time), store, board, DEFAULT_POLICY)
        app = create_app(tenants, desk, slack.client.base_url)
        return int(
            handle(signed_event("/slack/interactive", body, FORM), signing_secret, app, time.time())["statusCode"]
        )

    return post


class Tenants:
    """One workspace has a token, and the others have none."""

    def __init__(self, team: str, client: Any) -> None:
        self.team, self.client = team, client

    def client_for(self, team: str) -> Any:
        if team != self.team:
            raise TenantGone("not_installed")
        return self.client


def use_shortcut(slack, team: str) -> bytes:
    payload = {
        "type": "message_action",
        "callback_id": "classify_message",
        "team": {"id": team, "domain": "example"},
        "user": {"id": "U0ANNA", "username": "anna", "team_id": team},
        "channel": {"id": "C0RANDOM", "name": "random"},
        "message": {"type": "message", "user": "U0MAYA", "ts": "1700000000.000100", "text": "charged twice"},
        "message_ts": "1700000000.000100",
        "response_url": "http://127.0.0.1:9/actions",
        "trigger_id": slack.installation.handles.issue_trigger("U0ANNA"),
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_dialog_is_opened_with_the_token_of_the_workspace_where_it_was_asked_for(post_in_several, slack, queue):
    wrong = build_client("xoxb-of-another", slack.client.base_url)

    assert post_in_several(Tenants("T1", slack.client), use_shortcut(slack, "T1")) == 200
    assert post_in_several(Tenants("T1", wrong), use_shortcut(slack, "T1")) == 503

    assert [record.team for record in queue.records] == ["T1"]
    assert len(slack.installation.modals) == 1


def test_a_press_where_the_bot_is_not_in_any_more_shows_slacks_warning(post_in_several, slack, queue):
    assert post_in_several(Tenants("T1", slack.client), use_shortcut(slack, "T9OTHER")) == 500
    assert queue.records == []


def test_the_button_to_split_is_handed_in(post, ledger, queue, key):
    ledger.add_part(key, "1700000005.000100", time.time())

    assert post(press(key, action_id="split", value="split")) == 200

    assert [record.ts for record in queue.records] == ["1700000005.000100", key.ts]


def test_a_choice_in_the_menu_corrects_as_a_button_does(post, ledger, key):
    option = {"text": {"type": "plain_text", "text": "Low"}, "value": "urgency=low"}

    status = post(press(key, type="static_select", action_id="correct:menu", value=None, selected_option=option))

    assert status == 200
    assert ledger.load(key, time.time()).labels["urgency"] == "low"


def test_a_button_of_a_message_long_forgotten_says_so_to_who_pressed_it(post, queue, told):
    forgotten = MessageKey("T0", "C0SUPPORT", "1600000000.000100")

    assert post(press(forgotten, response_url=told.url)) == 200

    assert told.bodies == [{"text": words.TOO_OLD_TO_CORRECT, "response_type": "ephemeral", "replace_original": False}]
    assert queue.records == []


def test_a_correction_that_could_not_be_taken_says_so_to_who_pressed(post, queue, key, told):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert post(press(key, response_url=told.url)) == 200

    assert told.bodies[0]["text"] == words.CORRECTION_NOT_TAKEN


def test_a_button_that_is_not_ours_is_not_found(post, queue, key):
    assert post(press(key, action_id="buy:0")) == 404
    assert queue.records == []


@pytest.mark.parametrize("name", ["team", "user", "channel", "container", "view"])
def test_what_nobody_listens_to_is_refused_whatever_in_it_is_null(post, key, name):
    payload = {"type": "?", "team": {"id": key.team}, "user": {"id": "U0ANNA"}, name: None}

    assert post(urlencode({"payload": json.dumps(payload)}).encode()) == 404


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "block_actions", "actions": [{"action_id": "correct:0"}]},
        {"type": "block_actions", "actions": [{"action_id": "correct:0", "value": "category=technical"}]},
        {"type": "block_actions", "team": "T0", "actions": [{"action_id": "correct:0", "value": 5}]},
        {"type": "block_actions", "user": [], "actions": [{"action_id": "correct:0"}]},
        {"type": "block_actions", "team": [[]], "user": 0, "channel": 5, "actions": {}},
    ],
)
def test_a_payload_of_an_unexpected_shape_is_refused(post, payload):
    assert post(urlencode({"payload": json.dumps(payload)}).encode()) in (400, 404)


@pytest.mark.parametrize("response_url", ["http://127.0.0.1:9/actions", "nowhere", "ftp://nowhere"])
def test_a_person_who_cannot_be_told_gets_slacks_warning_sign(post, response_url):
    forgotten = MessageKey("T0", "C0SUPPORT", "1600000000.000100")

    assert post(press(forgotten, response_url=response_url)) == 503


def test_a_press_by_nobody_corrects_nothing(post, ledger, key):
    body = press(key).replace(b"U0ANNA", b"%5Cud800")

    assert post(body) == 400
    assert ledger.load(key, time.time()).corrections == ()


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=%7B", b"payload=[]", b"payload=5", b"other=1", b"payload=" + b"[" * 50_000]
)
def test_a_form_without_a_payload_is_a_bad_request(post, body):
    assert post(body) == 400


def test_a_forged_press_corrects_nothing(post, ledger, key):
    assert post(press(key), headers={"Content-Type": FORM, "X-Slack-Signature": "v0=0"}) == 401

    assert ledger.load(key, time.time()).corrections == ()


def test_presses_come_as_a_form_only(post, key):
    assert post(press(key), content_type="application/json") == 415


def test_a_press_reaches_sqs_through_the_entry_module(
    signed_event, signing_secret, aws_environment, ledger_table, queue_url, received, key, monkeypatch, tmp_path
):
    for name, value in {
        "SLACK_SIGNING_SECRET": signing_secret,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "LEDGER_TABLE": ledger_table,
        "TRIAGE_QUEUE_URL": queue_url,
        "POLICY_FILE": str(tmp_path / "policy.yml"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "policy.yml").write_text("version: 1\n", encoding="utf-8")
    interactive._interactive.cache_clear()
    context = SimpleNamespace(
        function_name="interactive", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="1"
    )

    answer = interactive.handler(signed_event("/slack/interactive", press(key), FORM), context)

    assert answer["statusCode"] == 200
    [record] = [from_json(body) for body in received()]
    assert isinstance(record, CorrectionRecord)
    assert record.key == key


# --- The answer to /classify --------------------------------------------------------------------------------


def press_post(key: MessageKey, value: str = "C0BILLING=billing=charged twice = bad", **changes: Any) -> bytes:
    """Build what Slack posts when somebody presses the button under the answer, which only they see."""
    return press(key, action_id="post-text", value=value, **changes)


def test_a_text_to_be_posted_is_handed_in_with_who_wants_it(post, queue, key):
    assert post(press_post(key)) == 200

    [record] = queue.records
    assert (record.user, record.place, record.label) == ("U0ANNA", "C0BILLING", "billing")
    assert (record.text, record.ts) == ("charged twice = bad", "1700000002.000100")


@pytest.mark.parametrize("value", ["", "C0BILLING", "no channel=billing=text"])
def test_a_post_without_place_label_and_text_is_refused(post, queue, key, value):
    assert post(press_post(key, value=value)) == 400
    assert queue.records == []


def test_whoever_wanted_a_text_posted_is_told_when_it_could_not_be_handed_in(post, queue, key, told):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert post(press(key, told.url, action_id="post-text", value="C0BILLING=billing=text")) == 200
    assert told.bodies[0]["text"] == front.NOT_TAKEN


# --- App Home -----------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(ledger, findings) -> MessageKey:
    """An urgent message that waits for a person's word, in a workspace that no other test knows."""
    key = MessageKey(f"T{uuid.uuid4().hex.upper()}", "C0SUPPORT", f"{time.time():.6f}")
    ledger.record_decision(key, Decision("suggest", "mode", findings, "model-1", urgent=True), time.time())
    return key


@pytest.fixture
def press_home(post, slack):
    """Press something in the Home tab; give the status."""

    def press(team: str, action_id: str, value: str | None = None, chosen: str | None = None, **changes: Any) -> int:
        action: dict[str, Any] = {"type": "button", "block_id": "b0", "action_id": action_id, "action_ts": "1.1"}
        action |= {"value": value} if value is not None else {}
        action |= {"selected_option": {"value": chosen}} if chosen is not None else {}
        payload = {
            "type": "block_actions",
            "team": {"id": team, "domain": "example"},
            "user": {"id": "U0ANNA", "username": "anna", "team_id": team},
            "container": {"type": "view", "view_id": "V1"},
            "view": {"id": "V1", "type": "home", "state": {"values": {}}},
            "trigger_id": slack.installation.handles.issue_trigger("U0ANNA"),
            "actions": [action],
        }
        return int(post(urlencode({"payload": json.dumps(payload | changes)}).encode()))

    return press


def value_of(key: MessageKey) -> str:
    return f"{key.channel}#{key.ts}"


def test_a_message_is_reviewed_with_one_tap(press_home, ledger, board, queue, waiting):
    assert press_home(waiting.team, "review:0", f"{value_of(waiting)}#category=technical") == 200

    assert ledger.load(waiting, time.time()).labels["category"] == "technical"
    assert board.load(waiting.team, time.time()).review == ()
    assert [type(record) for record in queue.records] == [CorrectionRecord, HomeRecord]


def test_an_urgent_request_can_be_called_done(press_home, board, queue, waiting):
    assert press_home(waiting.team, "done", value_of(waiting)) == 200

    assert board.load(waiting.team, time.time()).urgent == ()
    assert [record.user for record in queue.records] == ["U0ANNA"]


def test_a_channels_mode_is_set_from_the_menu(press_home, store, waiting):
    assert press_home(waiting.team, "mode", chosen="C0SUPPORT=automatic") == 200

    assert store.load(waiting.team, time.time()).mode("C0SUPPORT") == "automatic"


def test_the_bot_is_stopped_and_started_from_the_tab(press_home, store, waiting):
    press_home(waiting.team, "stop")
    assert store.load(waiting.team, time.time()).switches.stopped

    press_home(waiting.team, "start")
    assert not store.load(waiting.team, time.time()).switches.stopped


def test_whoever_may_not_change_that_is_told_in_a_dialog(press_home, store, slack, queue, waiting):
    store.save_policy(waiting.team, WrittenPolicy.of("version: 1\ncorrections: [U0SOFIA]"), "U0SOFIA", time.time())

    assert press_home(waiting.team, "mode", chosen="C0SUPPORT=automatic") == 200

    [dialog] = slack.installation.modals.values()
    assert commands.NOT_ALLOWED in json.dumps(dialog.form)
    assert queue.records == []


@pytest.mark.parametrize(
    ("action_id", "pressed"),
    [
        ("review:0", {"value": "C0SUPPORT"}),
        ("review:0", {"value": None}),
        ("done", {"value": "no channel#no ts"}),
        ("mode", {"chosen": "C0SUPPORT=loud"}),
        ("mode", {}),
        ("stop", {"user": {}}),
    ],
)
def test_a_press_in_the_tab_that_cannot_be_read_is_refused(press_home, queue, waiting, action_id, pressed):
    assert press_home(waiting.team, action_id, **pressed) == 400
    assert queue.records == []


# --- Dialogs ------------------------------------------------------------------------------------------------


@pytest.fixture
def team() -> str:
    """A workspace that no other test knows."""
    return f"T{uuid.uuid4().hex.upper()}"


@pytest.fixture
def shortcut(post, slack, team):
    """Use the shortcut on a message; give the status."""

    def use(**changes: Any) -> int:
        payload = {
            "type": "message_action",
            "callback_id": "classify_message",
            "team": {"id": team, "domain": "example"},
            "user": {"id": "U0ANNA", "username": "anna", "team_id": team},
            "channel": {"id": "C0RANDOM", "name": "random"},
            "message": {
                "type": "message",
                "user": "U0MAYA",
                "ts": "1700000000.000100",
                "text": "mail: a@example.com",
            },
            "message_ts": "1700000000.000100",
            "response_url": "http://127.0.0.1:9/actions",
            "trigger_id": slack.installation.handles.issue_trigger("U0ANNA"),
        }
        return int(post(urlencode({"payload": json.dumps(payload | changes)}).encode()))

    return use


def test_the_shortcut_opens_a_dialog_at_once_and_hands_in_the_redacted_text(shortcut, slack, queue):
    assert shortcut() == 200

    [dialog] = slack.installation.modals.values()
    [record] = queue.records
    assert (record.view, record.text) == (dialog.id, "mail: [email]")
    assert record.key.channel == "C0RANDOM"


@pytest.mark.parametrize("changes", [{"message": None}, {"message": {"text": "no ts"}}, {"user": {}}])
def test_a_shortcut_without_a_message_is_refused(shortcut, queue, changes):
    assert shortcut(**changes) == 400
    assert queue.records == []


def test_a_shortcut_whose_trigger_has_expired_shows_slacks_warning(shortcut, queue):
    assert shortcut(trigger_id="1.2") == 503
    assert queue.records == []


@pytest.fixture
def dialog(slack) -> str:
    """A dialog that is open; its id."""
    trigger = slack.installation.handles.issue_trigger("U0ANNA")
    return str(slack.client.views_open(trigger_id=trigger, view=build_notice("…"))["view"]["id"])


def view_of(view: dict[str, Any], dialog: str, **values: Any) -> dict[str, Any]:
    """Give a view as Slack sends it, with what was typed or chosen in it."""
    state = {block: {values_of[0]: values_of[1]} for block, values_of in values.items()}
    return {**view, "id": dialog, "state": {"values": state}}


def shown_in(slack, dialog: str) -> str:
    return json.dumps(slack.installation.modals[dialog].form, ensure_ascii=False)


def test_a_correction_in_the_dialog_is_taken_and_said_so(press_home, ledger, queue, slack, waiting, dialog):
    pressed = f"{value_of(waiting)}#urgency=low"

    assert press_home(waiting.team, "inspect-correct:1:2", pressed, view={"id": dialog, "type": "modal"}) == 200

    assert ledger.load(waiting, time.time()).labels["urgency"] == "low"
    assert [type(record) for record in queue.records] == [CorrectionRecord]
    assert dialogs.CORRECTED in shown_in(slack, dialog)


def test_a_message_is_posted_from_the_dialog(press_home, queue, slack, team, dialog):
    view = {"id": dialog, "type": "modal", "private_metadata": "C0RANDOM#1700000000.000100"}

    assert press_home(team, "inspect-post", "C0BILLING=billing=a text", view=view) == 200

    [record] = queue.records
    assert (record.channel, record.place, record.text, record.response_url) == ("C0RANDOM", "C0BILLING", "a text", None)
    assert dialogs.POSTING in shown_in(slack, dialog)


def test_the_policy_in_force_is_opened_as_text(press_home, slack, store, team):
    assert press_home(team, "edit-policy") == 200

    [opened] = slack.installation.modals.values()
    assert DEFAULT_POLICY.rstrip() in json.dumps(opened.form).replace("\\n", "\n")


def test_a_policy_that_no_dialog_takes_is_said_to_be_too_long(press_home, slack, store, team):
    store.save_policy(team, WrittenPolicy.of("version: 1\n" + "# long\n" * 3_000), "U0ANNA", time.time())

    assert press_home(team, "edit-policy") == 200

    [opened] = slack.installation.modals.values()
    assert dialogs.POLICY_TOO_LONG in json.dumps(opened.form)


def typed_policy(text: str, dialog: str, base: int = 0, tried: str | None = None) -> dict[str, Any]:
    view = build_policy_dialog("", base)
    values = {"policy:1": ("text", {"value": text}), "trial": ("text", {"value": tried})}
    return view_of(view, dialog, **values)


@pytest.fixture
def submit(post, team):
    """Submit a dialog; give the answer's JSON."""

    def submit(view: dict[str, Any]) -> Any:
        user = {"id": "U0ANNA", "username": "anna", "team_id": team}
        payload = {"type": "view_submission", "team": {"id": team, "domain": "x"}, "user": user, "view": view}
        answer = post.answer(urlencode({"payload": json.dumps(payload)}).encode())
        assert answer["statusCode"] == 200
        return json.loads(answer["body"])

    return submit


def test_a_policy_without_mistakes_is_saved_and_the_home_shown_anew(submit, store, queue, team, dialog):
    answer = submit(typed_policy("version: 1\nunsure: silent", dialog))

    assert (answer["response_action"], store.load(team, time.time()).policy.unsure) == ("update", "silent")
    home, saved = queue.records
    assert (type(home), type(saved)) == (HomeRecord, SavedRecord)
    assert (saved.view, saved.version) == (dialog, 1)


def test_a_policy_with_a_mistake_is_refused_with_its_line_and_the_old_one_stays(submit, store, team, dialog):
    answer = submit(typed_policy("version: 1\nunsure: maybe", dialog))

    assert answer["errors"] == {"policy:1": "line 2: `unsure` is `maybe`; it can be `ask` or `silent`"}
    assert store.load(team, time.time()).version == 0


def test_of_two_who_edit_the_same_version_the_second_is_told(submit, store, team, dialog):
    store.save_policy(team, WrittenPolicy.of("version: 1"), "U0SOFIA", time.time())

    answer = submit(typed_policy("version: 1\nunsure: silent", dialog, base=0))

    assert answer["errors"] == {"policy:1": dialogs.CHANGED_MEANWHILE}


def test_whoever_may_not_change_the_policy_is_told_at_the_field(submit, store, team, dialog):
    store.save_policy(team, WrittenPolicy.of("version: 1\ncorrections: [U0SOFIA]"), "U0SOFIA", time.time())

    assert submit(typed_policy("version: 1", dialog, base=1))["errors"] == {"policy:1": commands.NOT_ALLOWED}


def test_a_policy_is_handed_in_to_be_tried(press_home, queue, team, dialog):
    view = typed_policy("version: 1", dialog, tried="mail a@example.com")

    assert press_home(team, "try", view=view) == 200

    [record] = queue.records
    assert (record.policy, record.text, record.view) == ("version: 1", "mail [email]", dialog)


@pytest.mark.parametrize(("text", "said"), [("version: 2000", "line 1: "), ("version: 1", dialogs.NOTHING_TO_TRY)])
def test_what_need_not_be_tried_is_answered_at_once(press_home, queue, slack, team, dialog, text, said):
    assert press_home(team, "try", view=typed_policy(text, dialog)) == 200

    assert said in shown_in(slack, dialog)
    assert queue.records == []


def test_where_a_label_goes_is_changed_by_two_menus(submit, press_home, store, queue, slack, manifest, team):
    assert press_home(team, "edit-routes") == 200
    [opened], [handed_in] = slack.installation.modals.values(), queue.records
    assert handed_in.view == opened.id

    chosen = {"label": ("label", {"selected_option": {"value": "technical"}}),
              "channel": ("channel", {"selected_channel": "C0TECH"})}  # fmt: skip
    submit(view_of(build_route_dialog(manifest.facets[0], 0), opened.id, **chosen))

    assert store.load(team, time.time()).policy.routes == {"billing": "C0BILLING", "technical": "C0TECH"}
