"""`delete` leaves nothing that costs money, and touches no resources of others."""

import pytest

STORE = "s3://models-of-the-team/models"
PLACE = ("--store", STORE, "--endpoint-name", "small")
SCALE = ("autoscale", *PLACE, "--min", "2", "--max", "4", "--yes")


def test_an_endpoint_is_deleted_with_all_that_was_made_for_it(deployed):
    deployed.run(*SCALE)

    assert deployed.run("delete", *PLACE, "--yes") == 0

    left = deployed.everything()
    assert not any(left[kind] for kind in ("endpoints", "configs", "models", "alarms", "targets", "policies"))
    assert [event["action"] for event in deployed.history()] == ["deploy", "delete"]
    assert "models/v1/model.tar.gz" in left["files"]


@pytest.mark.parametrize("step", range(7))
def test_a_deletion_interrupted_at_any_step_and_run_again_leaves_nothing(deployed, interrupt, step, capsys):
    deployed.run(*SCALE)
    interrupt(step)

    assert deployed.run("delete", *PLACE, "--yes") == 130
    assert f"Stopped at step {step + 1} of 7" in capsys.readouterr().err
    assert deployed.run("delete", *PLACE, "--yes") == 0

    left = deployed.everything()
    assert not any(left[kind] for kind in ("endpoints", "configs", "models", "alarms", "targets", "policies"))
    assert deployed.history()[-1]["outcome"] == "deleted"


def test_deleting_a_missing_endpoint_does_nothing(account, capsys):
    assert account.run("delete", *PLACE, "--yes") == 0

    assert "Nothing to do" in capsys.readouterr().out
    assert account.files() == {}


def test_resources_of_others_stay(deployed):
    other = {"ExecutionRoleArn": deployed.role, "PrimaryContainer": {"Image": "x", "ModelDataUrl": "s3://x/y"}}
    deployed.clients("sagemaker").create_model(ModelName="theirs", **other)

    deployed.run("delete", *PLACE, "--yes")
    deployed.run("delete", *PLACE, "--orphans", "--yes")

    assert deployed.everything()["models"] == ["theirs"]


@pytest.fixture
def with_orphans(deployed, v1):
    """Beside `small`, an endpoint of a stage that is gone, and an alarm on one that is not there any more."""
    arguments = ("deploy", str(v1), "--store", STORE, "--endpoint-name", "gone", "--role", deployed.role, "--yes")
    assert deployed.run(*arguments) == 3  # nothing answers under that name here
    for name, endpoint in (("old-alarm", "older"), ("other-alarm", None)):
        dimensions = [{"Name": "EndpointName", "Value": endpoint}] if endpoint else []
        deployed.clients("cloudwatch").put_metric_alarm(
            AlarmName=name, MetricName="Invocations", Namespace="AWS/SageMaker", Statistic="Sum", Dimensions=dimensions,
            Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold",
        )  # fmt: skip
    return deployed


def test_orphans_are_listed_with_their_price(with_orphans, capsys):
    capsys.readouterr()

    assert with_orphans.run("status", *PLACE, "--orphans") == 3

    said = capsys.readouterr()
    assert "endpoint       gone: $74.46 a month; none of small" in said.out
    assert "alarm          old-alarm: $0.10 a month; there is no endpoint older" in said.out
    assert "2 orphaned resources, $74.56 a month." in said.out
    assert "delete --orphans" in said.err


def test_orphans_are_deleted_until_none_are_left(with_orphans, capsys):
    for _ in range(3):  # what an orphan was made of is one itself when that is gone
        assert with_orphans.run("delete", *PLACE, "--orphans", "--yes") == 0
    capsys.readouterr()

    assert with_orphans.run("status", *PLACE, "--orphans") == 0

    assert "0 orphaned resources" in capsys.readouterr().out
    left = with_orphans.everything()
    assert (list(left["endpoints"]), left["alarms"]) == (["small"], ["other-alarm"])
    assert len(left["configs"]) == len(left["models"]) == 1


def test_an_endpoint_to_keep_is_not_an_orphan(with_orphans, capsys):
    capsys.readouterr()

    with_orphans.run("status", *PLACE, "--orphans", "--keep", "gone")

    assert "endpoint" not in capsys.readouterr().out.replace("there is no endpoint", "")
