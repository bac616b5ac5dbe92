import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bot.lambdas import worker
from bot.queue.messages import HomeRecord, MessageKey, to_json
from bot.settings import MissingSetting
from bot.triage.case import Decision

ROOT = Path(__file__).parents[3]

CONTEXT = SimpleNamespace(
    function_name="worker",
    memory_limit_in_mb=512,
    invoked_function_arn="arn",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 60_000,
)


@pytest.fixture
def environment(monkeypatch, aws_environment, tmp_path: Path, write_model, manifest, slack, ledger_table, queue_url):
    write_model(tmp_path, manifest)
    (tmp_path / "policy.yml").write_text("version: 1\nroutes:\n  biling: C0BILLING\n", encoding="utf-8")
    for name, value in {
        "SLACK_BOT_TOKEN": slack.client.token,
        "SLACK_API_URL": f"{slack.url}/api/",
        "LEDGER_TABLE": ledger_table,
        "EFFECTS_QUEUE_URL": queue_url,
        "DEAD_LETTER_QUEUE_URL": queue_url,
        "ENDPOINT_NAME": "triage",
        "MODEL_MANIFEST": str(tmp_path / "manifest.json"),
        "POLICY_FILE": str(tmp_path / "policy.yml"),
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    worker._collaborators.cache_clear()


def test_the_entry_module_builds_the_worker_from_its_environment(environment, slack, build_record, caplog):
    unreadable = build_record(ts=slack.write("🎉"), text="🎉")
    waiting = build_record(ts=slack.write("a billing matter"))
    messages = [{"messageId": str(number), "body": to_json(each)} for number, each in enumerate([unreadable, waiting])]

    answer = worker.handler({"Records": messages}, CONTEXT)

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    logged = [vars(record) | {"message": record.getMessage()} for record in caplog.records]
    assert any("'biling'" in line["message"] for line in logged)
    assert any(line.get("reason") == "unreadable" for line in logged)
    assert any(line.get("error") == "ClassifierUnavailable" for line in logged)


def test_the_home_says_what_classifying_costs_where_the_deployment_names_prices(
    environment, slack, ledger, facet_results, monkeypatch
):
    monkeypatch.setenv("PRICES_FILE", str(ROOT / "classifier_infra" / "prices.json"))
    now = time.time()
    ledger.record_decision(
        MessageKey("T0SANDBOX", "C0SUPPORT", f"{now:.6f}"), Decision("ask", "close-call", facet_results), now
    )
    body = to_json(HomeRecord("T0SANDBOX", "U0ANNA", int(now)))

    assert worker.handler({"Records": [{"messageId": "1", "body": body}]}, CONTEXT) == {"batchItemFailures": []}

    (home,) = slack.installation.homes.values()
    assert "real-time classifying costs $" in str(home.form)


def test_a_setting_that_is_missing_fails_with_its_name(environment, monkeypatch):
    monkeypatch.delenv("POLICY_FILE")

    with pytest.raises(MissingSetting, match="POLICY_FILE"):
        worker.handler({"Records": []}, CONTEXT)
