"""`deploy` creates an endpoint for a model, announces its steps, and continues after an interruption."""

import json

import pytest

from classifier_infra.local.faults import Fault

STORE = "s3://models-of-the-team/models"


@pytest.fixture
def deploy(account, v1):
    def run(*options, model=v1, role=None):
        arguments = ["deploy", str(model), "--store", STORE, "--endpoint-name", "small"]
        return account.run(*arguments, "--role", role or account.role, *options)

    return run


def test_a_model_is_in_service_and_in_use(account, deploy):
    assert deploy("--instances", "2", "--tag", "team=support", "--yes") == 0

    endpoint = account.endpoint()
    sagemaker = account.clients("sagemaker")
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert (variant["VariantName"], variant["InstanceType"], variant["InitialInstanceCount"]) == (
        "AllTraffic", "ml.c5.large", 2,
    )  # fmt: skip
    assert model["PrimaryContainer"] == {
        "Image": "813361260812.dkr.ecr.eu-central-1.amazonaws.com/blazingtext:1",
        "ModelDataUrl": f"{STORE}/v1/model.tar.gz",
    }
    assert model["ExecutionRoleArn"] == account.role
    tags = sagemaker.list_tags(ResourceArn=config["EndpointConfigArn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "team": "support", "service": "blazing-triage", "endpoint": "small", "model-version": "v1",
    }  # fmt: skip
    assert account.active() == "v1"


def test_requests_are_not_captured_by_default(account, deploy):
    deploy("--yes")
    plain = account.clients("sagemaker").list_endpoint_configs()["EndpointConfigs"][0]["EndpointConfigName"]

    config = account.clients("sagemaker").describe_endpoint_config(EndpointConfigName=plain)

    assert not config.get("DataCaptureConfig")


def test_requests_are_captured_on_request(account, deploy):
    assert deploy("--capture", "s3://kept/here", "--capture-percentage", "20", "--yes") == 0

    name = account.endpoint()["EndpointConfigName"]
    capture = account.clients("sagemaker").describe_endpoint_config(EndpointConfigName=name)["DataCaptureConfig"]
    assert (capture["DestinationS3Uri"], capture["InitialSamplingPercentage"]) == ("s3://kept/here", 20)
    assert capture["CaptureContentTypeHeader"] == {"JsonContentTypes": ["application/json", "application/jsonlines"]}


def test_a_serverless_endpoint_has_memory_and_no_instances(account, deploy):
    assert deploy("--serverless", "--memory", "3072", "--yes") == 0

    name = account.endpoint()["EndpointConfigName"]
    variant = account.clients("sagemaker").describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"][0]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 5}
    assert "InstanceType" not in variant


def test_steps_are_announced_and_the_canaries_answers_shown(deploy, capsys):
    deploy("--yes")

    said = capsys.readouterr().out
    assert "It costs about $74 a month, used or not (list price of us-east-1, 2026-" in said
    assert said.index("4. Create the endpoint small of it: from now on it costs money.") < said.index("[1/")
    assert "canary 1, category: expected billing 0.9" in said
    assert ", seen billing 0.9" in said


def test_a_dry_run_shows_the_steps_and_does_nothing(account, deploy, capsys):
    before = account.everything()

    assert deploy("--dry-run") == 0

    assert "Create the endpoint small" in capsys.readouterr().out
    assert account.everything() == before


def test_without_a_terminal_nothing_is_done(account, deploy, capsys):
    before = account.everything()

    assert deploy() == 2

    assert "Say --yes, or look with --dry-run" in capsys.readouterr().err
    assert account.everything() == before


def test_the_history_says_who_deployed_what_with_which_accuracy(account, deploy):
    deploy("--yes")

    (event,) = account.history()
    assert (event["action"], event["version"], event["outcome"]) == ("deploy", "v1", "in service")
    assert event["by"] == account.clients("sts").get_caller_identity()["Arn"]
    assert event["metrics"]["test_accuracy"] == {"category": 0.9}


def test_deploying_twice_does_nothing(account, deploy, capsys):
    deploy("--yes")
    before = account.everything()
    capsys.readouterr()

    assert deploy("--yes") == 0

    assert "Nothing to do" in capsys.readouterr().out
    assert account.everything() == before


def test_a_model_of_the_store_is_named_by_its_version(account, deploy, v1):
    s3 = account.clients("s3")
    for name in ("manifest.json", "model.tar.gz"):
        s3.upload_file(str(v1 / name), "models-of-the-team", f"models/v1/{name}")

    assert deploy("--yes", model="v1") == 0

    assert account.active() == "v1"


@pytest.mark.parametrize("step", range(8))
def test_a_deployment_interrupted_at_any_step_and_run_again_ends_the_same(account, deploy, interrupt, step, capsys):
    interrupt(step)

    assert deploy("--yes") == 130
    assert f"Stopped at step {step + 1} of 8" in capsys.readouterr().err
    assert deploy("--yes") == 0

    whole = account.everything()
    assert [len(whole[kind]) for kind in ("endpoints", "configs", "models", "alarms")] == [1, 1, 1, 0]
    assert account.endpoint()["EndpointStatus"] == "InService"
    assert account.active() == "v1"
    assert [event["version"] for event in account.history()] == ["v1"]


def test_a_partly_copied_model_is_copied_again(account, deploy, v1):
    account.clients("s3").upload_file(str(v1 / "model.tar.gz"), "models-of-the-team", "models/v1/model.tar.gz")

    assert deploy("--yes") == 0

    assert {"models/v1/manifest.json", "models/v1/model.tar.gz"} <= set(account.files())


def test_an_endpoint_with_other_answers_is_not_activated(account, deploy, capsys):
    account.host.fail(Fault("wrong-labels"))

    assert deploy("--yes") == 3

    said = capsys.readouterr().err
    assert "Stopped at step 6 of 8" in said
    assert "gave no answer to the canaries" in said
    assert "models/active.json" not in account.files()


def test_canaries_that_moved_are_named(deploy, serve_model, other_model, capsys):
    serve_model(other_model("v9"))

    assert deploy("--yes") == 3

    assert "answers to canaries are not those of the model: canary 1, category" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--instances", "0"], "0 instances serve nothing"),
        (["--serverless", "--memory", "1000"], "1024, 2048, 3072, 4096, 5120, 6144 MB of memory, not 1000"),
        (["--serverless", "--concurrency", "300"], "takes 1 to 200 calls at a time, not 300"),
        (["--serverless", "--capture", "s3://kept/here"], "a serverless endpoint captures no data"),
        (["--serverless", "--instances", "2"], "A serverless endpoint has no instances"),
        (["--memory", "1024"], "--memory and --concurrency are for --serverless"),
    ],
)
def test_an_impossible_deployment_is_refused_before_anything_is_created(account, deploy, options, complaint, capsys):
    before = account.everything()

    assert deploy("--yes", *options) == 2

    assert complaint in capsys.readouterr().err
    assert account.everything() == before


def test_a_role_that_is_missing_or_excludes_sagemaker_is_refused(account, deploy, capsys):
    policy = {"Statement": {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}}
    wrong = account.clients("iam").create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(policy))

    assert deploy("--yes", role="arn:aws:iam::123456789012:role/none") == 2
    assert deploy("--yes", role=wrong["Role"]["Arn"]) == 2

    said = capsys.readouterr().err
    assert "there is no role arn:aws:iam::123456789012:role/none" in said
    assert "add sagemaker.amazonaws.com to the services" in said


def test_a_damaged_model_is_refused(account, deploy, write_version, capsys):
    broken = write_version("broken")
    (broken / "model.tar.gz").write_bytes(b"no archive")

    assert deploy("--yes", model=broken) == 2

    assert "damaged or cut short" in capsys.readouterr().err
    assert account.files() == {}


def test_another_model_under_the_same_version_is_refused(deploy, other_model, capsys):
    deploy("--yes")

    assert deploy("--yes", model=other_model("v1")) == 2

    assert "the store has another model under the version v1" in capsys.readouterr().err


def test_for_an_endpoint_with_another_model_promote_is_suggested(deployed, v2, capsys):
    arguments = ["deploy", str(v2), "--store", STORE, "--endpoint-name", "small", "--role", deployed.role, "--yes"]

    assert deployed.run(*arguments) == 2

    assert "to change its model: promote" in capsys.readouterr().err


def test_a_region_without_blazingtext_is_refused(account, deploy, monkeypatch, capsys):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "mx-central-1")

    assert deploy("--yes") == 2

    assert "BlazingText is not offered in mx-central-1" in capsys.readouterr().err
