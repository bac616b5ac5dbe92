import pytest
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot.slack.api import PermanentError, RetryableError, WorkspaceUninstalled, build_client, call, respond
from bot.slack.blocks import View


@pytest.fixture
def answering(serve):
    """Give the URL of a server that has one answer for everything."""

    def answer(response: Response) -> str:
        async def same(request):
            return response

        return serve(Starlette(routes=[Route("/{path:path}", same, methods=["POST"])]))

    return answer


def post(url: str):
    return call(build_client("xoxb-1", f"{url}/api/").chat_postMessage, channel="C0", text="hello")


def test_an_answer_that_is_ok_is_given(answering):
    assert post(answering(JSONResponse({"ok": True, "ts": "1.1"})))["ts"] == "1.1"


@pytest.mark.parametrize("error", ["already_reacted", "no_reaction"])
def test_what_is_so_already_is_a_success(answering, error):
    assert post(answering(JSONResponse({"ok": False, "error": error})))["error"] == error


def test_a_rate_limit_surely_did_nothing_and_says_how_long_to_wait(answering):
    limited = JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "7"})

    with pytest.raises(RetryableError) as raised:
        post(answering(limited))

    assert (raised.value.refused, raised.value.after) == (True, 7)


@pytest.mark.parametrize(
    "response",
    [
        JSONResponse({"ok": False, "error": "internal_error"}),
        JSONResponse({"ok": False, "error": "fatal_error"}),
        JSONResponse({"ok": False, "error": "request_timeout"}),
        JSONResponse({"ok": False, "error": "an_error_nobody_knows"}),
        JSONResponse({"ok": False, "error": "service_unavailable"}, 503),
        PlainTextResponse("<html>Bad gateway</html>", 502),
        PlainTextResponse('{"ok": tr', 200),
    ],
)
def test_a_failure_that_may_have_done_something_is_tried_later_with_care(answering, response):
    with pytest.raises(RetryableError) as raised:
        post(answering(response))

    assert not raised.value.refused


def test_no_connection_is_tried_later():
    with pytest.raises(RetryableError) as raised:
        post("http://127.0.0.1:9")

    assert not raised.value.refused


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive", "invalid_auth"])
def test_a_workspace_that_took_the_bot_away_is_told_apart(answering, error):
    with pytest.raises(WorkspaceUninstalled, match=error):
        post(answering(JSONResponse({"ok": False, "error": error})))


@pytest.mark.parametrize("error", ["not_in_channel", "is_archived", "missing_scope", "invalid_blocks", "msg_too_long"])
def test_what_only_a_person_can_mend_is_given_up(answering, error):
    with pytest.raises(PermanentError, match=error):
        post(answering(JSONResponse({"ok": False, "error": error})))


def test_the_client_itself_repeats_nothing():
    client: WebClient = build_client("xoxb-1", None)

    assert client.retry_handlers == []
    assert client.base_url == "https://slack.com/api/"


def test_an_answer_at_a_response_url_is_for_its_user_only(serve):
    bodies = []

    async def note(request):
        bodies.append(await request.json())
        return PlainTextResponse("ok")

    url = serve(Starlette(routes=[Route("/commands/T0/1/abc", note, methods=["POST"])]))

    respond(f"{url}/commands/T0/1/abc", View("Billing", ()))

    assert bodies == [{"text": "Billing", "response_type": "ephemeral", "replace_original": False}]


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        (JSONResponse({"ok": False, "error": "expired_url"}, 404), PermanentError),
        (JSONResponse({"ok": False, "error": "invalid_blocks"}), PermanentError),
        (PlainTextResponse("", 500), RetryableError),
        (PlainTextResponse("", 429, {"Retry-After": "3"}), RetryableError),
    ],
)
def test_a_failure_at_a_response_url_is_told_apart_the_same_way(answering, response, failure):
    with pytest.raises(failure):
        respond(f"{answering(response)}/commands/secret", View("Billing", ()))


def test_a_response_url_that_leads_nowhere_is_not_quoted():
    with pytest.raises(RetryableError) as raised:
        respond("http://127.0.0.1:9/commands/secret", View("Billing", ()))

    assert "secret" not in str(raised.value)
