"""`python -m classifier_infra.deployment` against moto: a stage is configured, filled and emptied."""

import io
import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto.server import ThreadedMotoServer

from classifier_infra.deployment import __main__ as command
from classifier_infra.deployment import stack

SITE = Path(__file__).parents[3] / "static_site"
REGION = "eu-central-1"
TEMPLATE = {
    "Resources": {
        "SiteBucket": {"Type": "AWS::S3::Bucket", "Properties": {"VersioningConfiguration": {"Status": "Enabled"}}}
    },
    "Outputs": {
        "SiteBucketName": {"Value": {"Ref": "SiteBucket"}},
        "SiteAddress": {"Value": "https://page.example"},
        "ServiceEndpoint": {"Value": "https://api.example/prod"},
    },
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"))
    for name, value in {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_ENDPOINT_URL": url}.items():
        monkeypatch.setenv(name, value)
    yield url
    server.stop()


@pytest.fixture
def stages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(command, "STAGES", tmp_path / "stages")
    monkeypatch.setattr(command, "ROOT", tmp_path)
    return tmp_path / "stages"


@pytest.fixture
def deployed(aws: str, stages: Path) -> str:
    """A deployed stage `prod`; the value is the page's bucket."""
    stages.mkdir()
    (stages / "prod.yml").write_text(f"region: {REGION}\n")
    cloudformation = _client("cloudformation")
    cloudformation.create_stack(StackName="blazing-triage-prod", TemplateBody=json.dumps(TEMPLATE))
    (found,) = cloudformation.describe_stacks()["Stacks"]
    return next(each["OutputValue"] for each in found["Outputs"] if each["OutputKey"] == "SiteBucketName")


def _client(service: str) -> Any:
    return boto3.client(service, region_name=REGION)


def _answer(monkeypatch: pytest.MonkeyPatch, *answers: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{answer}\n" for answer in answers)))


def test_the_answers_become_the_stages_file(stages, monkeypatch, capsys):
    _answer(monkeypatch, "eu-central-1", "embedded", "", "", "T0123ABCD, E0456EFGH", "on-call@example.com")

    code = command.main(["configure", "prod"])

    assert code == 0
    assert "make deploy STAGE=prod" in capsys.readouterr().out
    written = yaml.safe_load((stages / "prod.yml").read_text())
    assert (written["region"], written["classifier"], written["site"]) == ("eu-central-1", "embedded", "cloudfront")
    assert written["workspaces"] == "T0123ABCD,E0456EFGH"
    assert written["alarmSubscriptions"] == [{"Protocol": "email", "Endpoint": "on-call@example.com"}]


def test_asked_again_enter_keeps_what_was_answered_and_what_was_written_by_hand(stages, monkeypatch):
    stages.mkdir()
    (stages / "prod.yml").write_text("region: eu-central-1\nworkspaces: T0123ABCD\nrequestsPerSecond: 50\n")
    _answer(monkeypatch, "", "", "", "", "", "")

    command.main(["configure", "prod"])

    written = yaml.safe_load((stages / "prod.yml").read_text())
    assert (written["region"], written["workspaces"], written["requestsPerSecond"]) == ("eu-central-1", "T0123ABCD", 50)


@pytest.mark.parametrize("answers", [["moon-east-1"], ["us-east-1"]])
def test_without_usable_answers_nothing_is_written(stages, monkeypatch, capsys, answers):
    _answer(monkeypatch, *answers)

    assert command.main(["configure", "prod"]) == 2
    assert not stages.exists()
    assert "error:" in capsys.readouterr().err


def test_the_page_is_put_into_its_bucket_and_what_it_had_before_is_gone(deployed, capsys):
    _client("s3").put_object(Bucket=deployed, Key="js/old.js", Body=b"old")

    code = command.main(["site", "prod"])

    assert code == 0
    keys = {each["Key"] for each in _client("s3").list_objects_v2(Bucket=deployed)["Contents"]}
    assert keys == {file.relative_to(SITE).as_posix() for file in SITE.rglob("*") if file.is_file()}
    config = _client("s3").get_object(Bucket=deployed, Key="config.json")
    assert json.loads(config["Body"].read()) == {"apiUrl": "https://api.example/prod"}
    assert (config["ContentType"], config["CacheControl"]) == ("application/json", "no-cache")
    assert "https://page.example" in capsys.readouterr().out


def test_the_slack_apps_manifest_has_the_addresses_of_the_stage(deployed, capsys):
    assert command.main(["slack-manifest", "prod"]) == 0

    manifest = yaml.safe_load(capsys.readouterr().out)
    assert manifest["settings"]["interactivity"]["request_url"] == "https://api.example/prod/slack/interactive"
    assert "https://API" not in json.dumps(manifest)


def test_the_page_is_removed_from_cloudfronts_caches(deployed):
    origin = {"Id": "site", "DomainName": "bucket.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {"TargetOriginId": "site", "ViewerProtocolPolicy": "redirect-to-https"}
    config = {"CallerReference": "1", "Comment": "", "Enabled": True, "Origins": {"Quantity": 1, "Items": [origin]}}
    cloudfront = _client("cloudfront")
    distribution = cloudfront.create_distribution(DistributionConfig={**config, "DefaultCacheBehavior": behaviour})
    page = stack.Page(
        REGION, deployed, "https://page.example", "https://api.example", distribution["Distribution"]["Id"]
    )

    stack.invalidate(page)

    (made,) = cloudfront.list_invalidations(DistributionId=page.distribution)["InvalidationList"]["Items"]
    found = cloudfront.get_invalidation(DistributionId=page.distribution, Id=made["Id"])["Invalidation"]
    assert found["InvalidationBatch"]["Paths"]["Items"] == ["/*"]


def test_where_nothing_is_deployed_the_error_says_what_to_run(aws, stages, capsys):
    assert command.main(["site", "prod"]) == 1

    assert "make deploy" in capsys.readouterr().err


def test_a_stage_is_taken_down_only_when_its_name_is_typed(deployed, monkeypatch, capsys):
    command.main(["site", "prod"])
    _answer(monkeypatch, "dev")

    assert command.main(["empty-site", "prod"]) == 2
    assert _client("s3").list_objects_v2(Bucket=deployed)["KeyCount"] > 0


def test_emptied_the_bucket_can_be_deleted_and_the_stack_with_it(deployed):
    command.main(["site", "prod"])
    command.main(["site", "prod"])

    assert command.main(["empty-site", "prod", "--yes"]) == 0

    _client("s3").delete_bucket(Bucket=deployed)


def test_stages_do_not_touch_each_other(deployed, capsys):
    cloudformation = _client("cloudformation")
    cloudformation.create_stack(StackName="blazing-triage-dev", TemplateBody=json.dumps(TEMPLATE))
    other = cloudformation.describe_stack_resources(StackName="blazing-triage-dev")["StackResources"][0]

    command.main(["site", "prod"])

    assert _client("s3").list_objects_v2(Bucket=other["PhysicalResourceId"])["KeyCount"] == 0


# moto creates the template's topic but not its alarm, with a warning.
@pytest.mark.filterwarnings("ignore:Tried to parse")
def test_the_billing_alarm_is_created_once_and_notifies_the_stages_address(aws, stages, capsys):
    stages.mkdir()
    (stages / "prod.yml").write_text(
        f"region: {REGION}\nalarmSubscriptions:\n- {{Protocol: email, Endpoint: on-call@example.com}}\n"
    )

    assert (command.main(["billing", "prod"]), command.main(["billing", "prod"])) == (0, 0)

    said = capsys.readouterr().out
    assert "us-east-1: created." in said
    assert "us-east-1: unchanged." in said
    subscriptions = boto3.client("sns", region_name="us-east-1").list_subscriptions()["Subscriptions"]
    assert [each["Endpoint"] for each in subscriptions] == ["on-call@example.com"]
