"""`sagemaker train`, `status` and `fetch`, with the real SDK over HTTP."""

import shutil

import pytest

from classifier_infra.endpoint.requests import blazingtext_image
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.artefact import open_artefact
from classifier_infra.model.canaries import answers_of, expected_answers, find_moved
from classifier_infra.model.manifest import load_manifest
from classifier_infra.model.model import load_model
from training.sagemaker.jobs.inputs import open_prepared
from training.sagemaker.layout import Place
from training.sagemaker.requests import Machines, training_request
from training.sagemaker.service_model import find_violations

pytestmark = [pytest.mark.sagemaker, pytest.mark.usefixtures("sdk", "fasttext_trainer")]

SMALL = {"epochs": "30", "vector_dim": "8", "buckets": "500", "min_count": "1", "learning_rate": "0.5"}
SETTINGS = [argument for name, value in SMALL.items() for argument in ("--set", f"{name}={value}")]


@pytest.fixture
def train(run, prepared, bucket, role):
    def train(*options):
        return run("train", prepared, "--bucket", bucket, "--role", role, *SETTINGS, "--yes", "--poll", 0.05, *options)

    return train


def test_a_job_trains_and_reports_its_accuracy(train):
    done = train("--job", "triage-1")

    assert done.returncode == 0, done.stderr
    assert "0.41 USD at most (prices of us-east-1" in done.stdout
    assert "Uploaded 4 files\nCreated triage-1\n" in done.stdout
    assert "train accuracy 1.0000" in done.stdout
    assert "Job triage-1: Completed, train accuracy 1.0000, validation accuracy 1.0000, 6" in done.stdout
    assert "Next: python -m training sagemaker fetch triage-1 DATA_DIR --out MODEL_DIR" in done.stdout


def test_the_sdk_sends_the_checked_request(train, aws, prepared, bucket, role):
    train("--job", "triage-2", "--spot", "--max-minutes", 10)

    place = Place(bucket, "blazing-triage", "eu-central-1")
    machines = Machines("ml.c5.2xlarge", max_seconds=600, max_wait_seconds=3600)
    channels = open_prepared(prepared).channels(place)
    hyperparameters = {"mode": "supervised", **SMALL}
    request = training_request(
        "triage-2", role, blazingtext_image("eu-central-1"), place, machines, hyperparameters, channels
    )
    described = aws("sagemaker").describe_training_job(TrainingJobName="triage-2")
    described["AlgorithmSpecification"].pop("MetricDefinitions")  # moto's own
    request.pop("Tags")
    assert find_violations("CreateTrainingJob", request) == []
    assert {name: described[name] for name in request} == request


def test_a_finished_job_becomes_a_model_folder_whose_canaries_hold(train, run, data, tmp_path):
    train("--job", "triage-3")

    done = run("fetch", "triage-3", data, "--out", tmp_path / "mine")

    manifest = load_manifest(tmp_path / "mine" / "manifest.json")
    model = load_model(tmp_path / "mine", in_memory=True)
    predictions = EmbeddedClassifier(model).predict([canary.text for canary in manifest.canaries])
    assert done.returncode == 0, done.stderr
    assert "category: accuracy 100.0%, macro-F1 100.0% on 15 rows of test.csv" in done.stdout
    assert open_artefact(tmp_path / "mine").manifest.method == "joint"
    assert manifest.training["job"] == "triage-3"
    assert manifest.training["metrics"]["validation:accuracy"] == 1.0
    assert len(manifest.canaries) == 10
    assert find_moved(expected_answers(manifest, "embedded", []), answers_of(predictions)) == ()


def test_a_job_name_cannot_be_reused(train):
    train("--job", "triage-4")

    done = train("--job", "triage-4")

    assert done.returncode == 2
    assert "the name 'triage-4' of an earlier training job cannot be reused" in done.stderr


def test_a_failed_job_shows_its_reason_and_the_end_of_its_log(train):
    done = train("--job", "triage-fails")

    assert done.returncode == 1
    assert "job triage-fails is Failed: AlgorithmError: Customer Error: bad line 3" in done.stderr
    assert "the end of its log:\n    " in done.stderr
    assert "ERROR 140508800825152] Customer Error: bad line 3" in done.stderr


def test_only_a_completed_job_is_fetched(train, run, data, tmp_path):
    train("--job", "triage-5-fails")

    done = run("fetch", "triage-5-fails", data, "--out", tmp_path / "mine")

    assert (done.returncode, done.stderr) == (2, "triage-5-fails is Failed; only a completed job has a model\n")
    assert not (tmp_path / "mine").exists()


def test_an_interrupt_leaves_the_job_running_and_says_how_to_follow_it(train, run, monkeypatch):
    def leave(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("training.sagemaker.logs.time.sleep", leave)

    done = train("--job", "triage-6-hangs")

    assert done.returncode == 130
    assert "Job triage-6-hangs keeps running. Follow it with: python -m training sagemaker status" in done.stderr
    assert "InProgress" in run("status", "triage-6-hangs").stdout


def test_a_running_job_can_be_stopped(train, run):
    train("--job", "triage-7-hangs", "--no-wait")

    stopped = run("status", "triage-7-hangs", "--stop")

    assert (stopped.returncode, stopped.stdout) == (0, "Stopping triage-7-hangs\n")
    assert run("status", "triage-7-hangs").stdout.startswith("training job triage-7-hangs: Stopped; created ")


def test_the_newest_jobs_are_listed(train, run):
    train("--job", "triage-8")

    assert "triage-8  Completed  validation accuracy 1.0000\n" in run("status").stdout


def test_an_unknown_job_is_refused(run, aws):
    done = run("status", "triage-unknown")

    assert done.returncode == 2
    assert "there is no job 'triage-unknown' in this region and account" in done.stderr


def test_data_that_the_job_was_not_trained_on_are_refused(train, run, data, tmp_path):
    train("--job", "triage-9")
    other = tmp_path / "other"
    shutil.copytree(data, other)
    with (other / "train.csv").open("a") as file:
        file.write('1,"","one more line"\n')

    done = run("fetch", "triage-9", other, "--out", tmp_path / "mine")

    assert done.returncode == 2
    assert "the job was trained on 30 lines" in done.stderr
    assert not (tmp_path / "mine").exists()


def test_a_missing_bucket_and_one_in_another_region_are_refused_before_anything_is_created(
    train, aws, run, prepared, role
):
    constraint = {"LocationConstraint": "us-west-2"}
    aws("s3", "us-west-2").create_bucket(Bucket="elsewhere", CreateBucketConfiguration=constraint)

    elsewhere = run("train", prepared, "--bucket", "elsewhere", "--role", role, "--yes", "--job", "triage-10")
    nowhere = run("train", prepared, "--bucket", "nowhere", "--role", role, "--yes", "--job", "triage-10")

    assert (elsewhere.returncode, nowhere.returncode) == (2, 2)
    assert "is in us-west-2, and a job in eu-central-1 cannot read it" in elsewhere.stderr
    assert "there is no bucket 'nowhere'" in nowhere.stderr
    assert "there is no job" in run("status", "triage-10").stderr
