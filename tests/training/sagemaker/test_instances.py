"""Unsuitable instances are refused with an alternative."""

import pytest

from training.sagemaker.service_model import instance_types
from training.sagemaker.validation import check_instance, check_training_instance

KNOWN = instance_types("Training")


def check(instance, count=1, mode="supervised"):
    return [*check_training_instance(instance, count, mode, KNOWN)]


@pytest.mark.parametrize(
    "instance", ["ml.c5.2xlarge", "ml.m5.large", "ml.t3.medium", "ml.g4dn.xlarge", "ml.g5.2xlarge", "ml.p3.2xlarge"]
)
def test_cpus_and_single_gpus_of_the_named_families_are_accepted(instance):
    assert check(instance) == []


@pytest.mark.parametrize("instance", ["ml.p4d.24xlarge", "ml.trn1.2xlarge", "ml.g6.xlarge", "ml.p6-b200.48xlarge"])
def test_accelerators_that_the_algorithm_does_not_use_are_refused(instance):
    assert "does not use the accelerators" in check(instance)[0]


@pytest.mark.parametrize("instance", ["ml.p3.8xlarge", "ml.g4dn.12xlarge", "ml.g5.48xlarge", "ml.p2.16xlarge"])
def test_several_gpus_are_refused(instance):
    assert "several GPUs, but supervised mode uses one" in check(instance)[0]
    assert "writes no binary" in check(instance, mode="skipgram")[0]


def test_batch_skipgram_is_not_for_gpus():
    assert "runs on CPUs" in check("ml.p3.2xlarge", mode="batch_skipgram")[0]


def test_supervised_mode_trains_on_one_instance():
    assert "exactly one instance" in check("ml.c5.xlarge", count=2)[0]
    assert check("ml.c5.xlarge", count=2, mode="batch_skipgram") == []


@pytest.mark.parametrize("count", [0, 101])
def test_a_number_of_instances_out_of_range_is_refused(count):
    assert "not between 1 and 100" in check("ml.c5.xlarge", count, "batch_skipgram")[0]


def test_a_forgotten_prefix_is_guessed():
    assert check("c5.xlarge") == ["SageMaker has no training instance 'c5.xlarge'; did you mean ml.c5.xlarge?"]


def test_an_unknown_size_is_refused_with_the_known_ones():
    (fault,) = check("ml.c5.3xlarge")

    assert "ml.c5.2xlarge, ml.c5.4xlarge" in fault


def test_an_instance_type_for_endpoints_only_is_refused():
    (fault,) = check_instance("ml.t2.medium", instance_types("Transform"), "transform")

    assert fault == "SageMaker has no transform instance 'ml.t2.medium'; ml.c5.2xlarge is a good choice"
