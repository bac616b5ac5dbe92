"""Requests satisfy SageMaker's service model and have the expected settings."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.endpoint.requests import REGIONS, blazingtext_image
from training.sagemaker import Refused
from training.sagemaker.layout import split_uri
from training.sagemaker.requests import (
    Machines,
    Search,
    SearchRange,
    model_request,
    processing_request,
    training_request,
    transform_request,
    tuning_request,
)
from training.sagemaker.service_model import find_violations

IMAGE = "813361260812.dkr.ecr.eu-central-1.amazonaws.com/blazingtext:1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000"
CHANNELS = {"train": "s3://triage-models/data/1/train/", "validation": "s3://triage-models/data/1/validation/"}
RATES = SearchRange("learning_rate", "0.01", "0.5", False, "Logarithmic")
SEARCH = Search([SearchRange("epochs", "5", "15", True), RATES])


@pytest.fixture
def training(role, place, machines):
    def build(**changes):
        settings = {"place": place, "machines": machines} | changes
        hyperparameters = {"mode": "supervised", "epochs": "10"}
        return training_request("triage-1", role, IMAGE, **settings, hyperparameters=hyperparameters, channels=CHANNELS)

    return build


def test_a_training_request_is_valid_and_sends_text_channels_whole(training):
    request = training()

    sources = [channel["DataSource"]["S3DataSource"] for channel in request["InputDataConfig"]]
    assert find_violations("CreateTrainingJob", request) == []
    assert [channel["ChannelName"] for channel in request["InputDataConfig"]] == ["train", "validation"]
    assert {channel["ContentType"] for channel in request["InputDataConfig"]} == {"text/plain"}
    assert {source["S3DataDistributionType"] for source in sources} == {"FullyReplicated"}


def test_a_training_request_defines_no_metrics(training):
    assert "MetricDefinitions" not in training()["AlgorithmSpecification"]


def test_a_key_encrypts_output_and_volume(training, place):
    request = training(place=replace(place, kms_key=KEY))

    assert find_violations("CreateTrainingJob", request) == []
    assert request["OutputDataConfig"]["KmsKeyId"] == KEY
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == KEY


def test_a_volume_that_is_part_of_the_machine_takes_no_key(training, place):
    request = training(place=replace(place, kms_key=KEY), machines=Machines("ml.g4dn.xlarge"))

    assert "VolumeKmsKeyId" not in request["ResourceConfig"]
    assert request["OutputDataConfig"]["KmsKeyId"] == KEY


def test_a_spot_job_has_a_maximum_wait(training):
    request = training(machines=Machines("ml.c5.xlarge", max_seconds=600, max_wait_seconds=1800))

    assert find_violations("CreateTrainingJob", request) == []
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 1800}


def test_a_tuning_request_is_valid_and_stops_no_job_early(role, place, machines):
    request = tuning_request("tune-1", role, IMAGE, place, machines, {"mode": "supervised"}, CHANNELS, SEARCH)

    config = request["HyperParameterTuningJobConfig"]
    assert find_violations("CreateHyperParameterTuningJob", request) == []
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Maximize", "MetricName": "validation:accuracy"}
    assert config["TrainingJobEarlyStoppingType"] == "Off"


def test_a_processing_request_is_valid_and_spreads_rows_but_not_classes(role, place):
    request = processing_request("prepare-1", role, IMAGE, place, Machines("ml.m5.xlarge", 5), ["--validation", "0.1"])

    inputs = {each["InputName"]: each["S3Input"]["S3DataDistributionType"] for each in request["ProcessingInputs"]}
    assert find_violations("CreateProcessingJob", request) == []
    assert inputs == {"rows": "ShardedByS3Key", "classes": "FullyReplicated", "code": "FullyReplicated"}


def test_a_transform_request_is_valid_and_joins_each_answer_to_its_id(role, place):
    model = model_request("triage-1", role, IMAGE, "s3://triage-models/triage/jobs/triage-1/output/model.tar.gz")
    request = transform_request("past-1", "triage-1", place, Machines("ml.c5.xlarge", 2))

    assert find_violations("CreateModel", model) == []
    assert find_violations("CreateTransformJob", request) == []
    assert request["TransformInput"]["ContentType"] == request["TransformOutput"]["Accept"] == "application/jsonlines"
    assert request["DataProcessing"]["OutputFilter"] == "$['id','SageMakerOutput']"
    assert request["TransformOutput"]["AssembleWith"] == "Line"


# --- What the service model catches -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "value", "violation"),
    [
        (("TrainingJobName",), "two words", "does not match"),
        (("TrainingJobName",), "x" * 64, "the length of"),
        (("ResourceConfig", "InstanceType"), "ml.c5.3xlarge", "not one of its values"),
        (("ResourceConfig", "InstanceCount"), "1", "is not of type integer"),
        (("ResourceConfig", "VolumeSizeInGB"), -1, "not within"),
        (("HyperParameters", "epochs"), 10, "is not of type string"),
        (("Priority",), "high", "is unknown"),
        (("EnableManagedSpotTraining",), 1, "is not of type boolean"),
        (("RoleArn",), "BlazingTriageTraining-role", "does not match"),
    ],
)
def test_a_violation_is_reported_with_its_place(training, path, value, violation):
    request = training()
    target = request
    for name in path[:-1]:
        target = target[name]
    target[path[-1]] = value

    violations = find_violations("CreateTrainingJob", request)

    assert any(path[-1] in each and violation in each for each in violations)


def test_a_missing_member_is_reported(training):
    request = training()
    del request["RoleArn"]

    assert find_violations("CreateTrainingJob", request) == ["CreateTrainingJob.RoleArn is missing"]


# --- Images and addresses ---------------------------------------------------------------------------------------


@pytest.mark.sagemaker
def test_every_image_is_the_sdks():
    image_uris = pytest.importorskip("sagemaker.core.image_uris", reason="the SageMaker SDK is in .venv-sagemaker")

    theirs = {region: image_uris.retrieve(framework="blazingtext", region=region) for region in REGIONS}

    assert {region: blazingtext_image(region) for region in REGIONS} == theirs


@given(bucket=st.from_regex(r"[a-z0-9-]{3,20}", fullmatch=True), key=st.from_regex(r"[a-z0-9/.]*", fullmatch=True))
def test_an_address_is_split(bucket, key):
    assert split_uri(f"s3://{bucket}/{key}") == (bucket, key)


@pytest.mark.parametrize("text", ["bucket/key", "s3://bucket", "s3:///key", ""])
def test_an_invalid_address_is_refused(text):
    with pytest.raises(Refused, match="not an address"):
        split_uri(text)
