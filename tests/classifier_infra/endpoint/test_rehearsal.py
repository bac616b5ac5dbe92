"""Promote, promote a bad model that an alarm rolls back, roll back: with real traffic, counters and commands."""

import io

import pytest
from botocore.exceptions import ParamValidationError
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.rollout.__main__ import main
from benchmarks.rollout.account import SageMaker
from benchmarks.rollout.play import ENDPOINT, play
from benchmarks.rollout.world import ALARM_WENT_OFF, Rollout, Sample, find_alarms, mean_of
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.rollout import Limits, Strategy
from classifier_infra.endpoint.state import active_version, read_history

PATIENT = Limits(latency_ms=60_000)  # how fast the machine is decides nothing


@pytest.fixture(scope="module")
def model(write_version):
    return write_version("v0")


@pytest.fixture(scope="module")
def rehearse(model, tmp_path_factory):
    def run(strategy):
        out = io.StringIO()
        stage = play(model, tmp_path_factory.mktemp("rehearsal"), Console(out, out, asks=False), strategy)
        return stage, out.getvalue()

    return run


@pytest.fixture(scope="module")
def played(rehearse):
    return rehearse(Strategy(percent=25, wait=120, bake=60, limits=PATIENT))


def shares_of(stage, version):
    """Minute → share of the traffic that a version had in the step that ended then."""
    return {
        moment.at / 60: share
        for moment in stage.world.moments
        for config, share in moment.shares.items()
        if stage.version_of(config) == version and share
    }


def test_a_good_model_gets_a_quarter_of_the_traffic_and_then_all_of_it(played):
    stage, _ = played
    begun = next(at for at, name in stage.world.events if name == "promote v2") / 60

    shares = shares_of(stage, "v2")

    assert [share for at, share in shares.items() if at <= begun + 2] == [0.25] * 8
    assert [share for at, share in shares.items() if begun + 2 < at <= begun + 3] == [1.0] * 4


def test_a_bad_model_is_rolled_back_by_an_alarm_on_the_counters(played):
    stage, said = played
    begun = next(at for at, name in stage.world.events if name == "promote v3") / 60
    rang = next(at for at, name in stage.world.events if name == ALARM_WENT_OFF) / 60

    shares = shares_of(stage, "v3")

    assert rang - begun <= 1  # one period
    assert set(shares.values()) == {0.25}
    assert max(shares) == rang
    failed = [failed for moment in stage.world.moments for config, failed in moment.failed.items()
              if stage.version_of(config) == "v3"]  # fmt: skip
    assert min(failed) > 0.01
    assert "v3 is not in service: SageMaker rolled back to rehearsal-v2-" in said


def test_the_good_model_has_all_traffic_again_until_it_is_rolled_back(played):
    stage, _ = played
    rang, rolled_back = (at / 60 for at, name in stage.world.events if name in (ALARM_WENT_OFF, "rollback"))

    assert {share for at, share in shares_of(stage, "v2").items() if rang < at <= rolled_back} == {1.0}
    assert {share for at, share in shares_of(stage, "v1").items() if at > rolled_back} == {1.0}


def test_no_invocation_of_the_good_models_failed(played):
    stage, _ = played

    for moment in stage.world.moments:
        for config, failed in moment.failed.items():
            assert stage.version_of(config) == "v3" or failed == 0


def test_the_active_model_and_the_history_show_what_happened(played):
    stage, _ = played
    store = stage.executor.store

    history = read_history(store, ENDPOINT)

    assert active_version(store) == "v1"
    assert [(event.action, event.version, event.outcome) for event in history] == [
        ("deploy", "v1", "in service"),
        ("promote", "v2", "in service"),
        ("promote", "v3", "rolled back"),
        ("rollback", "v1", "in service"),
    ]
    traffic = history[2].metrics["traffic"]
    assert traffic["invocations"] > 0
    assert traffic["errors_4xx"] > 0.25
    assert stage.world.alarms == {}


def test_a_linear_deployment_moves_traffic_in_steps(rehearse):
    stage, _ = rehearse(Strategy("linear", 25, wait=60, bake=60, limits=PATIENT))
    begun = next(at for at, name in stage.world.events if name == "promote v2") / 60

    steps = [share for at, share in shares_of(stage, "v2").items() if at <= begun + 4]

    assert steps == [0.25] * 4 + [0.5] * 4 + [0.75] * 4 + [1.0] * 4


def test_the_command_draws_the_traffic(model, tmp_path, capsys):
    assert main([str(model), "--out", str(tmp_path / "promotion.png"), "--wait", "60", "--bake", "60"]) == 0

    assert (tmp_path / "promotion.png").read_bytes().startswith(b"\x89PNG")
    assert "promote v3, at minute" in capsys.readouterr().out


def test_a_folder_without_a_model_is_refused(tmp_path, capsys):
    assert main([str(tmp_path)]) == 2

    assert "there is no such file" in capsys.readouterr().err


def test_the_stand_ins_refuse_invalid_requests(played):
    stage, _ = played

    with pytest.raises(ParamValidationError):
        SageMaker(stage.world, lambda url, config: None).update_endpoint(EndpointName="x", Config="y")


# --- Alarms ---------------------------------------------------------------------------------------------------

ALARM = {"AlarmName": "a", "Period": 60, "MetricName": "Invocation5XXErrors", "Threshold": 0.01,
         "Dimensions": [{"Name": "EndpointConfigName", "Value": "new"}]}  # fmt: skip


def counted(*points):
    """Samples at whole minutes of (invocations, errors) so far."""
    return {"new": [Sample(60 * n, asked, 0, errors, 0.0) for n, (asked, errors) in enumerate(points)]}


@pytest.mark.parametrize(
    ("points", "rings"),
    [
        ([(0, 0), (100, 2)], True),
        ([(0, 0), (100, 1)], False),  # at the threshold is not over it
        ([(0, 0), (100, 50), (200, 50)], False),  # that was a period ago
        ([(0, 0), (100, 0), (200, 50)], True),
        ([(0, 0), (0, 0)], False),  # nothing counted is not breaching
        ([], False),
    ],
)
def test_an_alarm_goes_off_by_the_mean_of_its_last_period(points, rings):
    now = 60 * max(1, len(points) - 1)

    assert bool(find_alarms([ALARM], counted(*points), now)) == rings


def test_a_period_is_evaluated_when_it_is_over():
    assert find_alarms([ALARM], counted((0, 0), (100, 90)), 60) == ("a",)
    assert find_alarms([ALARM], counted((0, 0), (100, 90)), 75) == ()


@given(asked=st.integers(1, 10_000), failing=st.floats(0, 1))
def test_the_mean_of_errors_is_the_share_that_failed(asked, failing):
    failed = int(asked * failing)

    mean = mean_of("Invocation5XXErrors", counted((0, 0), (asked, failed))["new"], 0)

    assert mean == pytest.approx(failed / asked)


@given(kind=st.sampled_from(["CANARY", "LINEAR", "ALL_AT_ONCE"]), wait=st.integers(0, 600), bake=st.integers(0, 600),
       count=st.integers(2, 20))  # fmt: skip
def test_the_share_never_shrinks_and_the_old_fleet_ends_without_traffic(kind, wait, bake, count):
    size = {"Type": "INSTANCE_COUNT", "Value": count // 2}
    routing = {"Type": kind, "WaitIntervalInSeconds": wait, "CanarySize": size, "LinearStepSize": size}
    policy = {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": bake}
    rollout = Rollout("old", "new", 0.0, count, policy, ())

    shares = [rollout.share(now) for now in range(0, 3000, 50)]
    over = [rollout.is_over(now) for now in range(0, 3000, 50)]

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert over == sorted(over)
    assert over[-1]
    assert all(share == 1.0 for share, is_over in zip(shares, over, strict=True) if is_over)
