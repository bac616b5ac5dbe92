"""`autoscale` sets target tracking, and refuses what AWS would accept and ignore."""

import pytest

from classifier_infra.endpoint.autoscaling import Scaling, ScalingError, check_scaling
from classifier_infra.endpoint.requests import Deployment, Hosted, RealTime, Serverless, StoredModel
from classifier_infra.pricing.prices import load_prices

PLACE = ("--store", "s3://models-of-the-team/models", "--endpoint-name", "small")
MODEL = StoredModel("v1", "s3://models/v1/model.tar.gz", "ab" * 32, 2_000_000)


def test_an_endpoint_scales_by_invocations_per_instance(deployed):
    options = ("--min", "2", "--max", "6", "--invocations-per-instance", "1200")
    assert deployed.run("autoscale", *PLACE, *options, "--scale-in-cooldown", "600", "--yes") == 0

    whole = deployed.everything()
    assert whole["targets"] == [("endpoint/small/variant/AllTraffic", 2, 6)]
    assert whole["policies"] == [
        (
            "small-invocations",
            {
                "TargetValue": 1200,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleInCooldown": 600,
                "ScaleOutCooldown": 60,
            },
        )
    ]


@pytest.mark.parametrize("step", range(2))
def test_an_interrupted_run_continues_to_the_same_end(deployed, interrupt, step):
    interrupt(step)

    assert deployed.run("autoscale", *PLACE, "--yes") == 130
    assert deployed.run("autoscale", *PLACE, "--yes") == 0

    whole = deployed.everything()
    assert whole["targets"] == [("endpoint/small/variant/AllTraffic", 2, 4)]
    assert len(whole["policies"]) == 1


def test_equal_limits_change_nothing_and_others_are_set(deployed, capsys):
    deployed.run("autoscale", *PLACE, "--yes")
    capsys.readouterr()

    assert deployed.run("autoscale", *PLACE, "--yes") == 0
    assert "Nothing to do" in capsys.readouterr().out

    assert deployed.run("autoscale", *PLACE, "--max", "9", "--yes") == 0
    assert deployed.everything()["targets"] == [("endpoint/small/variant/AllTraffic", 2, 9)]


def test_auto_scaling_can_be_ended_twice(deployed, capsys):
    deployed.run("autoscale", *PLACE, "--yes")

    assert deployed.run("autoscale", *PLACE, "--off", "--yes") == 0
    assert deployed.everything()["targets"] == []
    capsys.readouterr()
    assert deployed.run("autoscale", *PLACE, "--off", "--yes") == 0
    assert "Nothing to do" in capsys.readouterr().out


def test_status_shows_the_scaling(deployed, capsys):
    deployed.run("autoscale", *PLACE, "--yes")
    capsys.readouterr()

    assert deployed.run("status", *PLACE) == 0

    said = capsys.readouterr().out
    assert "small: InService" in said
    assert "serves v1" in said
    assert "on 2 × ml.c5.large, 2 now" in said
    assert "costs: about $149 a month" in said
    assert "scales from 2 to 4 instances, at 3000 invocations a minute for each" in said
    assert "deploy v1: in service, by arn:aws:sts::" in said
    assert "(category 90.0%)" in said


def test_status_reports_an_endpoint_whose_model_is_not_the_active_one(deployed, capsys):
    s3 = deployed.clients("s3")
    s3.put_object(Bucket="models-of-the-team", Key="models/active.json", Body=b'{"version": "v0"}')

    assert deployed.run("status", *PLACE) == 3

    assert "The endpoint serves v1, and active.json names v0" in capsys.readouterr().err


def test_status_and_autoscale_report_a_missing_endpoint(account, capsys):
    assert account.run("status", *PLACE) == 3
    assert account.run("autoscale", *PLACE, "--yes") == 1

    said = capsys.readouterr()
    assert "Nothing was ever deployed under this name" in said.out
    assert said.err.count("There is no endpoint small; make one with deploy.") == 2


# --- What is refused ------------------------------------------------------------------------------------------


def hosted_on(shape):
    deployment = Deployment("small", MODEL, "image:1", "arn:aws:iam::1:role/x", shape)
    return Hosted("InService", "config", None, 1, 1, deployment)


def refuse(shape, scaling=None, model_bytes=2_000_000):
    with pytest.raises(ScalingError) as refused:
        check_scaling(scaling or Scaling(2, 4, 3000), hosted_on(shape), load_prices(), model_bytes)
    return str(refused.value)


def test_a_burstable_instance_is_refused_with_the_cheapest_that_scales():
    said = refuse(RealTime("ml.t2.medium", 1))

    assert "auto scaling does not take burstable instances" in said
    assert "deploy with --instance ml.c5.large" in said


def test_the_instance_that_is_named_has_room_for_the_model():
    assert "deploy with --instance ml.m5.large" in refuse(RealTime("ml.t2.large", 1), model_bytes=1_900_000_000)


def test_a_serverless_endpoint_has_nothing_to_set():
    assert "a serverless endpoint scales by itself" in refuse(Serverless(2048, 5))


@pytest.mark.parametrize(
    ("scaling", "reason"),
    [
        (Scaling(0, 4, 1), "0 to 4 instances is not a range"),
        (Scaling(3, 2, 1), "3 to 2 instances is not a range"),
        (Scaling(1, 2, 0), "invocations must be over 0"),
        (Scaling(1, 2, 1, -1), "cool-downs at least 0 seconds"),
    ],
)
def test_invalid_limits_are_refused_with_the_reason(scaling, reason):
    assert reason in refuse(RealTime("ml.c5.large", 2), scaling)


def test_a_refusal_changes_nothing(account, v1, capsys):
    arguments = ("deploy", str(v1), *PLACE, "--role", account.role, "--instance", "ml.t2.medium", "--yes")
    assert account.run(*arguments) == 0
    before = account.everything()

    assert account.run("autoscale", *PLACE, "--yes") == 2

    assert "ml.t2.medium cannot be scaled" in capsys.readouterr().err
    assert account.everything() == before
