import httpx2
import pytest

from bot.pipeline.webhooks import Call, WebhookFailed, Webhooks, connect_to_stand_in
from bot.sandbox.webhook_receiver import WebhookReceiver, create_webhook_receiver


@pytest.fixture
def webhook_receiver() -> WebhookReceiver:
    return WebhookReceiver()


@pytest.fixture
def url(serve, webhook_receiver) -> str:
    return serve(create_webhook_receiver(webhook_receiver))


@pytest.fixture
def webhooks(url) -> Webhooks:
    return Webhooks(connect_to_stand_in(url))


def call(key: str = "T0#C0#1.1#crm") -> Call:
    return Call("https://crm.example.com/hooks/1", key, {"event": "message.triaged"})


def test_calls_are_recorded_by_their_idempotency_key(webhooks, url):
    for key in ("first", "second", "first"):
        webhooks.call(call(key))

    received = httpx2.get(f"{url}/received", timeout=10).json()

    assert [(each["key"], each["times"]) for each in received] == [("first", 2), ("second", 1)]
    assert received[0] | {"times": 1} == {
        "host": "crm.example.com",
        "path": "/hooks/1",
        "key": "first",
        "document": {"event": "message.triaged"},
        "times": 1,
    }


def test_planned_statuses_are_answered_first(webhooks, url, webhook_receiver):
    httpx2.post(f"{url}/plan", json={"status": 503, "times": 2}, timeout=10)

    for _ in range(2):
        with pytest.raises(WebhookFailed, match="status 503"):
            webhooks.call(call())
    webhooks.call(call())

    assert [each.times for each in webhook_receiver.received.values()] == [1]


def test_only_the_latest_calls_are_kept(webhook_receiver, monkeypatch, webhooks):
    monkeypatch.setattr("bot.sandbox.webhook_receiver._MOST_KEPT", 2)

    for key in ("a", "b", "c"):
        webhooks.call(call(key))

    assert list(webhook_receiver.received) == ["b", "c"]
