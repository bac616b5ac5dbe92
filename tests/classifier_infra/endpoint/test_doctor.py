"""`doctor` checks everything that an installation needs, and names the fix of what is wrong."""

import json

import pytest
from botocore.stub import Stubber
from starlette.responses import JSONResponse

from bot.sandbox.slack.settings import BOT_SCOPES
from classifier_infra.endpoint.checks import SLACK_SCOPES, judge_quota, judge_region, judge_stack, judge_table
from classifier_infra.endpoint.requests import Deployment, Hosted, RealTime, StoredModel
from classifier_infra.local.server import serving

STORE = "s3://models-of-the-team/models"
NAME = "blazing-triage-dev"
SECRET = "blazing-triage/dev/slack"
PAGE_SECRET = "blazing-triage/dev/slack-oauth"
TEMPLATE = {
    "Resources": {
        "LedgerTable": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            },
        },
        "TriageQueue": {"Type": "AWS::SQS::Queue"},
        "TriageDeadLetterQueue": {"Type": "AWS::SQS::Queue"},
    },
    "Outputs": {"ModelBucketName": {"Value": "models-of-the-team"}},
}


class Slack:
    """auth.test, and nothing else."""

    def __init__(self):
        self.answer = {"ok": True, "team": "Acme"}
        self.scopes = SLACK_SCOPES

    async def __call__(self, scope, receive, send):
        await JSONResponse(self.answer, headers={"x-oauth-scopes": ",".join(self.scopes)})(scope, receive, send)


@pytest.fixture
def slack():
    return Slack()


@pytest.fixture
def quotas(account):
    with Stubber(account.clients("service-quotas")) as stubber:

        def allow(value, times=1):
            quota = {"QuotaName": "ml.c5.large for endpoint usage", "QuotaCode": "L-1", "Value": value}
            for _ in range(times):
                stubber.add_response("list_service_quotas", {"Quotas": [quota]}, {"ServiceCode": "sagemaker"})

        yield allow


@pytest.fixture
def examine(account, slack):
    def run(*options):
        with serving(slack) as url:
            return account.run("doctor", "--slack-url", f"{url}/api/", *options)

    return run


@pytest.fixture
def installed(account, v1, quotas):
    """A stack, a secret, and an endpoint of the stack's name."""
    account.clients("cloudformation").create_stack(StackName=NAME, TemplateBody=json.dumps(TEMPLATE))
    secret = json.dumps({"signing_secret": "hidden-1", "bot_token": "xoxb-hidden-2"})
    account.clients("secretsmanager").create_secret(Name=SECRET, SecretString=secret)
    # Nobody answers under that name here: in service, but its canaries could not be asked.
    arguments = ("deploy", str(v1), "--store", STORE, "--endpoint-name", NAME, "--role", account.role)
    account.run(*arguments, "--instances", "2", "--yes")
    account.clients("s3").put_object(Bucket="models-of-the-team", Key="models/active.json", Body=b'{"version": "v1"}')
    return account


def test_a_complete_installation_has_no_findings(installed, examine, quotas, capsys):
    quotas(4)
    capsys.readouterr()

    assert examine() == 0

    said = capsys.readouterr().out
    for subject in ("account", "region", "stack", "table", "queue", "models", "endpoint", "role", "quotas", "slack"):
        assert f"ok       {subject}" in said
    assert "Nothing that was checked is wrong." in said


def test_no_secret_is_printed(installed, examine, quotas, capsys):
    quotas(4)
    capsys.readouterr()

    examine()

    said = capsys.readouterr()
    assert "hidden" not in said.out + said.err


def test_an_empty_account_gets_every_fix(account, examine, capsys):
    assert examine() == 3

    said = capsys.readouterr().out
    assert f"WRONG    stack     there is no stack {NAME}" in said
    assert "fix: npx serverless deploy --stage dev" in said
    assert "unknown  models    the stack names no ModelBucketName" in said
    assert f"WRONG    endpoint  There is no endpoint {NAME}; make one with deploy" in said
    assert f"fix: aws secretsmanager put-secret-value --secret-id {SECRET}" in said


def test_an_embedded_installation_needs_no_endpoint(account, examine, capsys):
    examine("--embedded")

    assert " endpoint " not in capsys.readouterr().out


def test_a_quota_that_is_too_small_for_a_promotion_is_found(installed, examine, quotas, capsys):
    quotas(3)

    assert examine() == 3

    said = capsys.readouterr().out
    assert "ml.c5.large for endpoint usage: 3, and a promotion takes 4: two fleets at a time" in said
    assert "--quota-code L-1 --desired-value 4" in said


def test_dead_letters_are_found(installed, examine, quotas, capsys):
    quotas(4)
    sqs = installed.clients("sqs")
    (url,) = [url for url in sqs.list_queues()["QueueUrls"] if "DeadLetter" in url]
    sqs.send_message(QueueUrl=url, MessageBody="{}")

    assert examine() == 3

    said = capsys.readouterr().out
    assert "WRONG    queue     TriageDeadLetterQueue: 1 dead letters" in said
    assert "fix: python -m bot inspect, then python -m bot redrive --all" in said


def test_an_active_model_that_is_not_stored_is_found(installed, examine, quotas, capsys):
    quotas(4)
    installed.clients("s3").delete_object(Bucket="models-of-the-team", Key="models/v1/manifest.json")

    assert examine() == 3

    said = capsys.readouterr().out
    assert (
        "WRONG    models    active.json names v1: s3://models-of-the-team/models/v1/manifest.json: there is no" in said
    )


def test_missing_scopes_are_named(installed, examine, slack, quotas, capsys):
    quotas(4)
    slack.scopes = SLACK_SCOPES - {"reactions:write", "users:read"}

    assert examine() == 3

    assert "the token of Acme lacks reactions:write, users:read" in capsys.readouterr().out


def test_a_token_that_slack_refuses_is_found(installed, examine, slack, quotas, capsys):
    quotas(4)
    slack.answer = {"ok": False, "error": "token_revoked"}

    assert examine() == 3

    assert "Slack refuses the token: token_revoked" in capsys.readouterr().out


@pytest.mark.parametrize(("secret", "complaint"), [("{", "is empty or not a JSON object"), ("{}", "has no bot_token")])
def test_an_invalid_secret_is_found(installed, examine, quotas, secret, complaint, capsys):
    quotas(4)
    installed.clients("secretsmanager").put_secret_value(SecretId=SECRET, SecretString=secret)

    assert examine() == 3

    assert complaint in capsys.readouterr().out


# --- Where workspaces install the bot through its page ------------------------------------------------------


@pytest.fixture
def with_page(installed, quotas):
    """A stack whose workspaces install the bot themselves, and both secrets as they have to be there."""
    quotas(4)
    outputs = {**TEMPLATE["Outputs"], "Workspaces": {"Value": "T0123ABCD,E0456EFGH"}}
    template = json.dumps({**TEMPLATE, "Outputs": outputs})
    installed.clients("cloudformation").update_stack(StackName=NAME, TemplateBody=template)
    secrets = installed.clients("secretsmanager")
    secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps({"signing_secret": "hidden-1"}))
    app = json.dumps({"client_id": "hidden-3", "client_secret": "hidden-4"})
    secrets.create_secret(Name=PAGE_SECRET, SecretString=app)
    return secrets


def test_where_workspaces_install_the_bot_no_token_is_needed_and_slack_not_called(with_page, examine, slack, capsys):
    slack.answer = {"ok": False, "error": "invalid_auth"}
    capsys.readouterr()

    assert examine() == 0

    said = capsys.readouterr()
    assert "ok       slack     the signing secret is set" in said.out
    assert "ok       page      T0123ABCD,E0456EFGH may install the bot" in said.out
    assert "hidden" not in said.out + said.err


def test_a_missing_signing_secret_is_found_in_either_installation(with_page, examine, capsys):
    with_page.put_secret_value(SecretId=SECRET, SecretString="{}")

    assert examine() == 3

    said = capsys.readouterr().out
    assert f"WRONG    slack     the secret {SECRET} has no signing_secret" in said
    assert "bot_token" not in said


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        ("hidden-4", "is empty or not a JSON object"),
        ('{"client_secret": "hidden-4"}', "has no client_id"),
        ('{"client_id": "hidden-3", "client_secret": ""}', "has no client_secret"),
        ('{"client_id": 12.34, "client_secret": "hidden-4"}', "has no client_id"),
    ],
)
def test_what_the_install_page_lacks_is_found_with_the_fix(with_page, examine, secret, complaint, capsys):
    with_page.put_secret_value(SecretId=PAGE_SECRET, SecretString=secret)
    capsys.readouterr()

    assert examine() == 3

    said = capsys.readouterr().out
    assert f"WRONG    page      the secret {PAGE_SECRET} {complaint}" in said
    assert f"--secret-id {PAGE_SECRET} --secret-string " + """'{"client_id": "…", "client_secret": "…"}'""" in said
    assert "hidden" not in said


def test_removing_a_revoked_token_from_the_secret_is_suggested(with_page, examine, slack, capsys):
    both = json.dumps({"signing_secret": "hidden-1", "bot_token": "xoxb-hidden-2"})
    with_page.put_secret_value(SecretId=SECRET, SecretString=both)
    slack.answer = {"ok": False, "error": "account_inactive"}

    assert examine() == 3

    said = capsys.readouterr().out
    assert "WRONG    slack     Slack refuses the token: account_inactive" in said
    assert "or remove bot_token from it" in said


def test_with_one_workspace_the_install_page_is_not_checked(installed, examine, quotas, capsys):
    quotas(4)
    capsys.readouterr()

    assert examine() == 0

    assert "page" not in capsys.readouterr().out


# --- The judgements themselves ------------------------------------------------------------------------------


def test_the_scopes_are_those_of_the_apps_manifest():
    assert SLACK_SCOPES == BOT_SCOPES


@pytest.mark.parametrize("status", ["UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_IN_PROGRESS"])
def test_an_incomplete_stack_is_wrong(status):
    assert judge_stack(NAME, {"StackStatus": status}).state == "wrong"


def test_an_inactive_table_and_a_region_without_the_algorithm_are_wrong():
    assert judge_table("LedgerTable", {"TableStatus": "DELETING"}).state == "wrong"
    assert judge_region("mx-central-1").state == "wrong"


def test_a_quota_that_service_quotas_does_not_know_is_unknown():
    model = StoredModel("v1", "s3://m", "", 1)
    hosted = Hosted("InService", "c", None, 1, 1, Deployment("e", model, "i", "r", RealTime("ml.m5.large", 1)))

    assert judge_quota(hosted, {}).state == "unknown"
