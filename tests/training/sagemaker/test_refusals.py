"""Jobs that cannot work are refused with a remedy, before any request to AWS."""

import importlib.util

import pytest

UNREACHABLE = "http://127.0.0.1:9"


@pytest.fixture
def offline(no_aws, monkeypatch):
    """Credentials and a region, but an unreachable AWS: every request fails."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", UNREACHABLE)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")


@pytest.fixture
def train(run, prepared, role):
    def train(*options, role=role):
        named = ["--role", role] if role else []
        return run("train", prepared, "--bucket", "triage-models", *named, *options)

    return train


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--set", "epochs=0"], "epochs=0: write a whole number of at least 1"),
        (["--set", "learning_rate=3"], "learning_rate=3 makes the weights overflow"),
        (["--set", "lr=0.1"], "lr: not a hyperparameter of BlazingText"),
        (["--instance", "ml.p3.16xlarge", "--max-cost", "99", "--prices"], "several GPUs"),
        (["--instance", "ml.c5.3xlarge", "--prices"], "SageMaker has no training instance 'ml.c5.3xlarge'"),
        (["--max-minutes", "600", "--max-cost", "1"], "more than the limit of 1.00; reduce --max-minutes"),
        (["--spot", "--max-minutes", "90"], "limited to 60 minutes; set --max-minutes"),
        (["--job", "no_underscores"], "'no_underscores' is not a valid job name"),
        (["--region", "mx-central-1"], "BlazingText is not offered in mx-central-1"),
        (["--instance", "ml.m4.xlarge"], "no price for ml.m4.xlarge"),
    ],
)
def test_a_job_that_would_fail_or_surprise_is_refused(train, options, fault, tmp_path):
    if options[-1] == "--prices":
        options = [*options, price_table(tmp_path)]

    done = train("--yes", *options)

    assert done.returncode == 2
    assert fault in done.stderr
    assert done.stdout == ""


def price_table(folder):
    """Write a price table with every instance of these tests."""
    from importlib import resources

    text = resources.files("classifier_infra").joinpath("prices.json").read_text()
    for instance in ("ml.p3.16xlarge", "ml.c5.3xlarge"):
        entry = f'"{instance}": {{"hour": 1, "vcpus": 2, "memory_gib": 4}}'
        text = text.replace('"ml.t2.medium"', f'{entry}, "ml.t2.medium"')
    (folder / "prices.json").write_text(text)
    return folder / "prices.json"


@pytest.mark.usefixtures("offline")
def test_all_faults_are_reported_at_once(train):
    done = train("--yes", "--set", "epochs=0", "--max-cost", "0.01", role=None)

    assert len(done.stderr.splitlines()) == 3


@pytest.mark.usefixtures("offline")
def test_a_job_needs_a_role(train):
    assert "no IAM role for the job; name one with --role" in train("--yes", role=None).stderr


@pytest.mark.usefixtures("offline")
def test_a_role_that_is_not_an_arn_is_refused(train):
    assert "CreateTrainingJob.RoleArn is 'BlazingTriageTraining'" in train("--yes", role="BlazingTriageTraining").stderr


@pytest.mark.usefixtures("no_aws")
def test_missing_region_and_credentials_are_reported_together(train):
    done = train("--yes")

    assert done.returncode == 2
    assert "no AWS region is set; name one with --region" in done.stderr
    assert "there are no AWS credentials; log in" in done.stderr


@pytest.mark.usefixtures("offline")
def test_without_a_terminal_to_confirm_on_nothing_is_created(train):
    done = train()

    assert done.returncode == 2
    assert "Training job triage-train-" in done.stdout
    assert "cannot ask for confirmation without a terminal; confirm with --yes" in done.stderr


@pytest.mark.usefixtures("offline")
def test_answering_no_creates_nothing(train, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda question: "n")

    done = train()

    assert (done.returncode, done.stderr) == (1, "Nothing was created.\n")


@pytest.mark.usefixtures("offline")
def test_unusual_settings_are_explained_before_the_question(train):
    done = train("--set", "learning_rate=0.005")

    assert "  note      learning_rate=0.005 is far below the default of 0.05" in done.stdout
    assert "  note      a model over 64 MB is too large for the bot's functions" in done.stdout


@pytest.mark.usefixtures("offline")
@pytest.mark.skipif(importlib.util.find_spec("sagemaker") is not None, reason="the SDK is here")
def test_without_the_sdk_its_environment_is_named(train):
    done = train("--yes")

    assert done.returncode == 2
    assert "the SageMaker SDK is not installed;" in done.stderr


@pytest.mark.usefixtures("offline")
def test_a_folder_that_was_not_prepared_is_refused(run, tmp_path, role):
    done = run("train", tmp_path, "--bucket", "triage-models", "--role", role, "--yes")

    assert done.returncode == 2
    assert "no prepared.json; write it with `python -m training prepare`" in done.stderr


@pytest.mark.sagemaker
@pytest.mark.usefixtures("offline", "sdk")
def test_an_unreachable_aws_is_reported(train):
    done = train("--yes")

    assert done.returncode == 1
    assert "AWS does not answer" in done.stderr


@pytest.mark.usefixtures("offline")
@pytest.mark.parametrize("image", [[], ["--image", "python:3.13"]])
def test_processing_needs_an_image_in_the_users_ecr(run, data, role, tmp_path, image):
    where = ["--bucket", "triage-models", "--role", role, "--yes"]

    done = run("process", data, "--out", tmp_path / "out", *where, *image)

    assert done.returncode == 2
    assert "name an image in your own ECR with Python 3.11 or newer" in done.stderr
