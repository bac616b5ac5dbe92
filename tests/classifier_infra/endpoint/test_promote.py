"""`promote` brings another model into service behind alarms, `rollback` an earlier one; both can be interrupted."""

import json

import pytest

from classifier_infra.local.faults import Fault

STORE = "s3://models-of-the-team/models"
PLACE = ("--store", STORE, "--endpoint-name", "small", "--yes")


@pytest.fixture
def promote(deployed, v2):
    return lambda *options, model=v2: deployed.run("promote", str(model), *PLACE, *options)


@pytest.fixture
def rollback(deployed):
    return lambda *options: deployed.run("rollback", *PLACE, *options)


def alarms_of(account):
    return account.clients("cloudwatch").describe_alarms()["MetricAlarms"]


def test_a_canary_moves_traffic_in_steps_with_alarms_on_the_new_fleet(deployed, promote, updates):
    assert promote("--percent", "50", "--wait", "600", "--bake", "300") == 0

    config = deployed.endpoint()["EndpointConfigName"]
    (request,) = updates.requests
    assert request == {
        "EndpointName": "small",
        "EndpointConfigName": config,
        "RetainAllVariantProperties": True,
        "DeploymentConfig": {
            "BlueGreenUpdatePolicy": {
                "TrafficRoutingConfiguration": {
                    "Type": "CANARY",
                    "WaitIntervalInSeconds": 600,
                    "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
                },
                "TerminationWaitInSeconds": 300,
                "MaximumExecutionTimeoutInSeconds": 2700,
            },
            "AutoRollbackConfiguration": {
                "Alarms": [{"AlarmName": f"{config}-{name}"} for name in ("5xx", "4xx", "latency")]
            },
        },
    }
    assert {alarm["AlarmName"] for alarm in alarms_of(deployed)} == {
        f"{config}-5xx", f"{config}-4xx", f"{config}-latency",
    }  # fmt: skip
    for alarm in alarms_of(deployed):
        assert {"Name": "EndpointConfigName", "Value": config} in alarm["Dimensions"]
        assert alarm["TreatMissingData"] == "notBreaching"


def test_the_new_model_is_active_and_in_the_history(deployed, promote):
    promote()

    assert deployed.active() == "v2"
    assert [(event["action"], event["version"], event["outcome"]) for event in deployed.history()] == [
        ("deploy", "v1", "in service"),
        ("promote", "v2", "in service"),
    ]
    assert deployed.history()[-1]["strategy"] == "canary"
    assert deployed.history()[-1]["metrics"]["test_accuracy"] == {"category": 0.95}


def test_the_new_model_keeps_the_instances_of_the_old_one(deployed, promote):
    sagemaker = deployed.clients("sagemaker")
    before = sagemaker.describe_endpoint_config(EndpointConfigName=deployed.endpoint()["EndpointConfigName"])

    promote()

    after = sagemaker.describe_endpoint_config(EndpointConfigName=deployed.endpoint()["EndpointConfigName"])
    old, new = before["ProductionVariants"][0], after["ProductionVariants"][0]
    assert old.pop("ModelName") != new.pop("ModelName")
    assert old == new


def test_active_json_changes_after_the_endpoint(deployed, promote, updates):
    updates.goes_back = "alarm"

    promote()

    assert deployed.active() == "v1"


def test_a_rollback_by_alarms_is_recorded_and_cleaned_up(deployed, promote, updates, capsys):
    updates.goes_back = "Some of the alarms went into ALARM: small-v2-5xx"

    assert promote() == 3

    said = capsys.readouterr()
    assert "v2 is not in service: SageMaker rolled back to small-v1-" in said.err
    assert "Some of the alarms went into ALARM" in said.err
    assert "active.json still names v1" in said.out
    assert alarms_of(deployed) == []
    last = deployed.history()[-1]
    assert (last["version"], last["outcome"]) == ("v2", "rolled back")
    assert "Some of the alarms" in last["reason"]


def test_a_promotion_that_was_rolled_back_can_be_repeated(deployed, promote, updates):
    updates.goes_back = "alarm"
    promote()
    updates.goes_back = None

    assert promote() == 0

    assert deployed.active() == "v2"
    assert [event["outcome"] for event in deployed.history()] == ["in service", "rolled back", "in service"]


@pytest.mark.parametrize("step", range(12))
def test_a_promotion_interrupted_at_any_step_and_run_again_ends_the_same(
    deployed, promote, interrupt, step, updates, capsys
):
    interrupt(step)

    assert promote() == 130
    assert f"Stopped at step {step + 1} of 12" in capsys.readouterr().err
    assert promote() == 0

    whole = deployed.everything()
    assert [len(whole[kind]) for kind in ("endpoints", "configs", "models", "alarms")] == [1, 2, 2, 3]
    assert all(name.startswith(whole["endpoints"]["small"]) for name in whole["alarms"])
    assert len(updates.requests) == 1
    assert deployed.active() == "v2"
    assert [event["outcome"] for event in deployed.history()] == ["in service", "in service"]


def test_promoting_the_current_model_does_nothing(deployed, promote, updates, capsys):
    promote()
    before = deployed.everything()
    capsys.readouterr()

    assert promote() == 0

    assert "Nothing to do" in capsys.readouterr().out
    assert deployed.everything() == before
    assert len(updates.requests) == 1


def test_the_alarms_of_the_old_fleet_are_deleted(deployed, promote, v1):
    promote()

    assert promote("--strategy", "all-at-once", model=v1) == 0

    config = deployed.endpoint()["EndpointConfigName"]
    assert {alarm["AlarmName"] for alarm in alarms_of(deployed)} == {
        f"{config}-5xx", f"{config}-4xx", f"{config}-latency",
    }  # fmt: skip


def test_a_model_that_fails_its_own_canaries_is_refused(deployed, promote, write_version, updates, capsys):
    broken = write_version("v3")
    manifest = json.loads((broken / "manifest.json").read_text())
    manifest["canaries"][0]["expected"]["category"] = {"billing": 0.2, "technical": 0.5, "general": 0.3}
    (broken / "manifest.json").write_text(json.dumps(manifest))

    assert promote(model=broken) == 2

    assert "v3 does not answer its own canaries as it should: canary 1, category" in capsys.readouterr().err
    assert updates.requests == []


def test_an_endpoint_with_other_answers_after_the_change_is_not_activated(deployed, promote, rollback, capsys):
    deployed.host.fail(Fault("model-500"))

    assert promote() == 3
    assert "gave no answer to the canaries" in capsys.readouterr().err
    assert deployed.active() == "v1"

    deployed.host.fail()
    assert rollback() == 0
    assert deployed.history()[-1]["version"] == "v1"


def test_a_canary_needs_more_than_one_instance(account, v1, v2, updates, capsys):
    arguments = ("deploy", str(v1), *PLACE, "--role", account.role)
    account.run(*arguments, "--instances", "1")
    before = account.everything()

    assert account.run("promote", str(v2), *PLACE) == 2

    said = capsys.readouterr().err
    assert "one instance cannot be shared out" in said
    assert "autoscale --min 2" in said
    assert "--strategy all-at-once" in said
    assert account.everything() == before
    assert account.run("promote", str(v2), *PLACE, "--strategy", "all-at-once") == 0
    (request,) = updates.requests
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]


def test_a_serverless_endpoint_changes_all_at_once(account, v1, v2, updates, capsys):
    account.run("deploy", str(v1), *PLACE, "--role", account.role, "--serverless")

    assert account.run("promote", str(v2), *PLACE) == 2
    assert "it is serverless" in capsys.readouterr().err

    assert account.run("promote", str(v2), *PLACE, "--strategy", "all-at-once") == 0
    (request,) = updates.requests
    assert set(request) == {"EndpointName", "EndpointConfigName"}
    assert alarms_of(account) == []


def test_an_endpoint_that_captures_data_is_not_moved_without_alarms(account, v1, v2, capsys):
    account.run("deploy", str(v1), *PLACE, "--role", account.role, "--instances", "2", "--capture", "s3://kept/here")

    assert account.run("promote", str(v2), *PLACE) == 2

    assert "SageMaker then moves all traffic at once and unwatched" in capsys.readouterr().err


# --- Rollback -------------------------------------------------------------------------------------------------


def test_rollback_returns_to_the_earlier_model(deployed, promote, rollback, updates):
    first = deployed.endpoint()["EndpointConfigName"]
    promote()

    assert rollback() == 0

    assert deployed.endpoint()["EndpointConfigName"] == first
    assert deployed.active() == "v1"
    assert deployed.history()[-1]["action"] == "rollback"
    assert updates.requests[-1]["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"] == {
        "Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0,
    }  # fmt: skip
    assert alarms_of(deployed) == []


def test_rollback_to_a_version_whose_configuration_was_deleted_works(deployed, promote, rollback, v2,
                                                                                   write_version):  # fmt: skip
    first = deployed.endpoint()["EndpointConfigName"]
    promote()
    promote(model=write_version("v3"))
    deployed.run("delete", *PLACE, "--orphans")
    assert first not in deployed.everything()["configs"]

    assert rollback("--to", "v1") == 0

    assert deployed.endpoint()["EndpointConfigName"] == first
    assert deployed.active() == "v1"


@pytest.mark.parametrize("step", range(7))
def test_a_rollback_interrupted_at_any_step_and_run_again_ends_the_same(
    deployed, promote, rollback, interrupt, step, updates, capsys
):
    promote()
    capsys.readouterr()
    interrupt(step)

    assert rollback() == 130
    assert f"Stopped at step {step + 1} of 7" in capsys.readouterr().err
    finished = step >= 5  # it was written down: to go back once more would be something else
    assert (rollback("--to", "v1") if finished else rollback()) == 0

    whole = deployed.everything()
    assert whole["alarms"] == []
    assert deployed.active() == "v1"
    assert len(updates.requests) == 2
    assert [event["version"] for event in deployed.history()] == ["v1", "v2", "v1"]
    assert {event["outcome"] for event in deployed.history()} == {"in service"}


def test_there_is_no_rollback_from_the_first_version(deployed, rollback, capsys):
    assert rollback() == 2

    assert "No earlier version of small is known" in capsys.readouterr().err


def test_a_version_that_is_not_stored_is_refused(deployed, rollback, capsys):
    assert rollback("--to", "v9") == 1

    assert "models/v9/manifest.json: there is no such file" in capsys.readouterr().err


def test_without_an_endpoint_there_is_nothing_to_change(account, v2, capsys):
    assert account.run("promote", str(v2), *PLACE) == 1
    assert account.run("rollback", *PLACE) == 1

    assert capsys.readouterr().err.count("There is no endpoint small; make one with deploy.") == 2
