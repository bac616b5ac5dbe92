"""Findings are stored part by part and written to one page."""

from benchmarks.faults.burst import Burst
from benchmarks.faults.report import Findings, load_findings, save_findings, write_report
from benchmarks.faults.rules import Fault
from benchmarks.faults.trials import Outcome, Trial

LOST = Trial("message", "reply", Fault.RESET, Outcome.LOST, 1)
HANDLED = Trial("message", "reply", Fault.RESET, Outcome.HANDLED, 1)


def test_stored_findings_are_read_back(tmp_path):
    findings = Findings({"effects": "2026-11-22"}, {"effects": (HANDLED, LOST)})

    save_findings(findings, tmp_path / "kept" / "long.json")

    assert load_findings(tmp_path / "kept" / "long.json") == findings
    assert load_findings(tmp_path / "another.json") == Findings()


def test_outcomes_are_counted_by_fault_and_effect():
    page = write_report(Findings(trials={"effects": (HANDLED, HANDLED, LOST)}))

    assert f"| reset before the server acted | – | – | 2 × one visible copy, 1 × LOST |{' – |' * 7}" in page


def test_a_lost_message_is_listed_as_a_failure_and_fails_the_run():
    findings = Findings(trials={"effects": (LOST,)})

    assert findings.bad == ["reset before the server acted at reply: LOST"]
    assert write_report(findings).endswith("- reset before the server acted at reply: LOST\n")


def test_a_message_doubled_in_the_burst_is_listed_and_fails_the_run():
    note = "doubled in the burst: {'reply': 2}"
    burst = Burst(
        messages=2, handled=1, dead_lettered=0, lost=0, doubled=1, given_up=0, endpoint_calls=1, seconds=1.0, faults={},
        memory={}, notes=(note,),
    )  # fmt: skip

    assert Findings(burst=burst).bad == [note]
    assert write_report(Findings(burst=burst)).endswith(f"- {note}\n")


def test_a_fault_that_never_struck_is_not_counted():
    missed = Trial("message", "reply", Fault.RESET, Outcome.HANDLED, 0)

    page = write_report(Findings(trials={"effects": (missed,)}))

    assert f"| reset before the server acted |{' – |' * 10}" in page


def test_parts_that_were_not_run_are_marked():
    assert write_report(Findings()).count("Not run.") == 9
