"""Names derive from content, requests are valid for SageMaker, and models that are too large are refused."""

import re
from dataclasses import replace

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.endpoint.checks import cheapest_instance, find_problems, find_role_problem, memory_needed
from classifier_infra.endpoint.requests import Capture, Deployment, RealTime, Serverless, StoredModel
from classifier_infra.pricing.prices import load_prices

PRICES = load_prices()
MODEL = StoredModel("support-0123456789", "s3://models/support-0123456789/model.tar.gz", "ab" * 32, 2_000_000)
ROLE = "arn:aws:iam::123456789012:role/hosting"
DEPLOYMENT = Deployment("support", MODEL, "image:1", ROLE, RealTime("ml.c5.large", 2))
SERVICE = botocore.session.get_session().get_service_model("sagemaker")

endpoints = st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", fullmatch=True).filter(lambda name: len(name) <= 63)
versions = st.from_regex(r"[a-z0-9_][\w.-]{0,127}", fullmatch=True)


@given(endpoint=endpoints, version=versions)
def test_names_for_any_endpoint_and_version_are_valid(endpoint, version):
    deployment = replace(DEPLOYMENT, endpoint=endpoint, model=replace(MODEL, version=version))

    for name in (deployment.model_name, deployment.config_name):
        assert re.fullmatch(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", name)
        assert len(name) <= 63


@pytest.mark.parametrize(
    "other",
    [
        replace(DEPLOYMENT, shape=RealTime("ml.c5.large", 3)),
        replace(DEPLOYMENT, shape=Serverless(2048, 5)),
        replace(DEPLOYMENT, capture=Capture("s3://kept", 10)),
        replace(DEPLOYMENT, role=f"{ROLE}-2"),
        replace(DEPLOYMENT, model=replace(MODEL, sha256="cd" * 32)),
    ],
)
def test_different_content_has_different_names(other):
    assert other.config_name != DEPLOYMENT.config_name


def test_tags_do_not_change_a_name():
    assert replace(DEPLOYMENT, tags={"team": "support"}).config_name == DEPLOYMENT.config_name


@pytest.mark.parametrize("shape", [RealTime("ml.c5.large", 2), Serverless(2048, 5)])
@pytest.mark.parametrize("capture", [None, Capture("s3://kept", 10)])
def test_requests_are_valid_in_the_services_model(shape, capture):
    deployment = replace(DEPLOYMENT, shape=shape, capture=capture)
    requests = {
        "CreateModelInput": deployment.model_request(),
        "CreateEndpointConfigInput": deployment.config_request(),
        "CreateEndpointInput": deployment.endpoint_request(),
    }

    for name, request in requests.items():
        assert not ParamValidator().validate(request, SERVICE.shape_for(name)).has_errors()


def test_our_own_tags_cannot_be_overwritten():
    tags = replace(DEPLOYMENT, tags={"service": "mine", "team": "support"}).tag_list()

    assert {tag["Key"]: tag["Value"] for tag in tags} == {
        "service": "blazing-triage", "team": "support", "endpoint": "support", "model-version": MODEL.version,
    }  # fmt: skip


# --- Whether it fits ------------------------------------------------------------------------------------------


def problems_of(shape, model_bytes):
    model = replace(MODEL, model_bytes=model_bytes)
    return list(find_problems(replace(DEPLOYMENT, shape=shape, model=model), PRICES))


def test_a_small_model_fits_everywhere():
    assert problems_of(RealTime("ml.c5.large", 1), 2_000_000) == []
    assert problems_of(RealTime("ml.t2.medium", 1), 2_000_000) == []
    assert problems_of(Serverless(1024, 1), 2_000_000) == []


def test_a_model_with_blazingtexts_defaults_needs_more_than_the_smallest_instance():
    (problem,) = problems_of(RealTime("ml.c5.large", 1), 1_900_000_000)

    assert "ml.c5.large has 4 GiB of memory" in problem
    assert "may need 4.2 GiB (a copy for each processor); the cheapest that does is ml.m5.large" in problem


def test_the_cheapest_instance_is_one_that_fits_and_scales():
    name = cheapest_instance(PRICES, 1_900_000_000)

    price = PRICES.instance(name)
    assert price.memory_gib * 2**30 >= memory_needed(1_900_000_000, price.vcpus)
    assert cheapest_instance(PRICES, 2_000_000) == "ml.c5.large"  # not the cheaper t2
    assert cheapest_instance(PRICES, 10**13) is None


def test_serverless_memory_that_is_too_small_is_refused_with_the_least_that_fits():
    assert problems_of(Serverless(1024, 1), 800_000_000) == [
        "1024 MB of memory are too little for a model of 800 MB; use --memory 2048"
    ]


def test_a_model_over_the_disk_of_a_serverless_endpoint_is_refused():
    said = problems_of(Serverless(6144, 1), 6_000_000_000)

    assert any("larger than the 5 GB of disk" in problem for problem in said)
    assert any("use --instance" in problem for problem in said)


def test_a_model_outside_s3_cannot_be_hosted():
    deployment = replace(DEPLOYMENT, model=replace(MODEL, url="/home/ann/model.tar.gz"))

    (problem,) = find_problems(deployment, PRICES)
    assert "SageMaker takes models from S3 alone" in problem


@pytest.mark.parametrize(
    ("statements", "is_sound"),
    [
        ([{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}], True),
        ([{"Effect": "Allow", "Principal": {"Service": ["a", "sagemaker.amazonaws.com"]}}], True),
        ({"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}, True),
        ([{"Effect": "Deny", "Principal": {"Service": "sagemaker.amazonaws.com"}}], False),
        ([{"Effect": "Allow", "Principal": "*"}], False),
        ([], False),
    ],
)
def test_a_role_must_trust_sagemaker(statements, is_sound):
    role = {"Arn": ROLE, "AssumeRolePolicyDocument": {"Statement": statements}}

    assert (find_role_problem(role) is None) == is_sound
