"""`sagemaker tune`, with the real SDK over HTTP."""

import pytest

from classifier_infra.model.manifest import load_manifest
from training.sagemaker.service_model import find_violations

pytestmark = [pytest.mark.sagemaker, pytest.mark.usefixtures("sdk", "fasttext_trainer")]


@pytest.fixture
def tune(run, prepared, bucket, role):
    def tune(*options):
        small = ["--set", "buckets=500", "--set", "min_count=1", "--range", "epochs=5:30", "--range", "vector_dim=4:16"]
        where = ["--bucket", bucket, "--role", role, "--yes", "--poll", 0.05]
        return run("tune", prepared, *small, *where, "--jobs", 2, *options)

    return tune


def test_tuning_ends_with_a_table_a_figure_and_the_command_that_fetches_the_best(tune, run, data, tmp_path):
    done = tune("--job", "tune-1", "--figure", tmp_path / "tuning.png")
    fetched = run("fetch", "tune-1", data, "--out", tmp_path / "best")

    best = load_manifest(tmp_path / "best" / "manifest.json").training["job"]
    table = done.stdout.partition("accuracy  epochs  vector_dim  job\n")[2].splitlines()
    assert (done.returncode, fetched.returncode) == (0, 0), done.stderr + fetched.stderr
    assert "Next: python -m training sagemaker fetch tune-1 DATA_DIR" in done.stdout
    assert table[0].endswith(best)
    assert [line.split()[0] for line in table[:2]] == sorted((line.split()[0] for line in table[:2]), reverse=True)
    assert (tmp_path / "tuning.png").stat().st_size > 1_000
    assert f"The best job of tune-1 is {best}" in fetched.stdout


def test_the_request_is_valid_and_status_shows_the_results_again(tune, run, aws):
    tune("--job", "tune-2", "--seed", 7)
    looked = run("status", "tune-2").stdout

    config = aws("sagemaker").describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="tune-2")
    asked = config["HyperParameterTuningJobConfig"]
    request = {name: config[name] for name in ("HyperParameterTuningJobName", "HyperParameterTuningJobConfig")}
    assert find_violations("CreateHyperParameterTuningJob", request) == []
    assert asked["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2}
    assert asked["RandomSeed"] == 7
    assert asked["TrainingJobEarlyStoppingType"] == "Off"
    assert looked.startswith("tuning job tune-2: Completed; created ")
    assert looked.count("  tune-2-00") == 2


def test_the_cost_limit_applies_to_all_jobs_together(tune):
    done = tune("--job", "tune-4", "--max-cost", "0.19")

    assert done.returncode == 2
    assert "this can cost 0.21 USD, more than the limit of 0.19" in done.stderr


def test_a_range_that_cannot_be_searched_is_refused(tune, run):
    done = tune("--job", "tune-5", "--range", "patience=1:3")

    assert done.returncode == 2
    assert "patience cannot be tuned" in done.stderr
