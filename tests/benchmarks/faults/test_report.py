"""What was found is kept part by part, and told on one page."""

from benchmarks.faults.burst import Burst
from benchmarks.faults.report import Findings, load_findings, save_findings, write_report
from benchmarks.faults.rules import Fault
from benchmarks.faults.trials import Outcome, Trial

LOST = Trial("message", "reply", Fault.RESET, Outcome.LOST, 1)
HANDLED = Trial("message", "reply", Fault.RESET, Outcome.HANDLED, 1)


def test_findings_that_were_kept_are_the_same_ones(tmp_path):
    facet_results = Findings({"effects": "2026-11-22"}, {"effects": (HANDLED, LOST)})

    save_findings(facet_results, tmp_path / "kept" / "long.json")

    assert load_findings(tmp_path / "kept" / "long.json") == facet_results
    assert load_findings(tmp_path / "another.json") == Findings()


def test_outcomes_are_counted_by_fault_and_effect():
    page = write_report(Findings(trials={"effects": (HANDLED, HANDLED, LOST)}))

    assert "| reset before the server acted | – | – | 2 × one visible copy, 1 × LOST | – | – | – |" in page


def test_what_was_lost_stands_at_the_end_of_the_page_and_fails_the_run():
    facet_results = Findings(trials={"effects": (LOST,)})

    assert facet_results.bad == ["reset before the server acted at reply: LOST"]
    assert write_report(facet_results).endswith("- reset before the server acted at reply: LOST\n")


def test_a_message_that_the_burst_doubled_fails_the_run_and_what_was_seen_of_it_is_told():
    note = "doubled in the burst: {'reply': 2}"
    burst = Burst(
        messages=2, handled=1, dead_lettered=0, lost=0, doubled=1, given_up=0, endpoint_calls=1, seconds=1.0, faults={},
        memory={}, notes=(note,),
    )  # fmt: skip

    assert Findings(burst=burst).bad == [note]
    assert write_report(Findings(burst=burst)).endswith(f"- {note}\n")


def test_a_fault_that_never_struck_shows_nothing():
    missed = Trial("message", "reply", Fault.RESET, Outcome.HANDLED, 0)

    page = write_report(Findings(trials={"effects": (missed,)}))

    assert "| reset before the server acted | – | – | – | – | – | – |" in page


def test_what_was_not_run_is_said_not_to_have_been():
    assert write_report(Findings()).count("Not run.") == 8
