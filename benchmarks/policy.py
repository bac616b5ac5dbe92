"""Time of the policy's decision about one message, compared with its classification."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.results import BenchmarkError, save
from bot.policy.parsing.parser import load_policy, parse_policy
from bot.policy.policy import Policy
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageRecord
from bot.triage.decide import decide
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model import load_model
from classifier_infra.model.prediction import Prediction

STARTER = Path("build/models/starter")
SHIPPED = Path(__file__).parents[1] / "bot" / "policy.yml"
TARGET_MICROSECONDS = 100

SENTENCE = "Our invoice for March lists two seats that we cancelled in February, could you please correct it? "
TEXTS = {
    "a message of 100 characters": SENTENCE[:100],
    "one of 2,000": SENTENCE * 20,
    "the longest, 20,000": SENTENCE * 200,
}

ROUNDS = 15
_SECONDS_OF_A_ROUND = 0.02


def run() -> None:
    """Time of deciding about one message, by the number of rules and the length of the text."""
    try:
        classifier = EmbeddedClassifier(load_model(STARTER, in_memory=True))
    except ArtefactError as error:
        raise BenchmarkError(f"{error}\nTrain the model first: make train-starter") from error
    manifest = classifier.model.manifest
    figures: dict[str, dict[str, float]] = {}
    for length, text in TEXTS.items():
        [prediction] = classifier.predict([text])
        figures[length] = {
            name: _microseconds(_decision(policy, text, prediction, manifest)) for name, policy in _policies().items()
        }
        figures[length]["classified in process"] = _microseconds(lambda text=text: classifier.predict([text]))
    save("policy", "Deciding about one message", _describe(figures), figures, ["PyYAML"])


def _policies() -> Mapping[str, Policy]:
    return {"no rules": load_policy(SHIPPED), **{f"{count} rules": _build(count) for count in (10, 50, 200)}}


_HEAD = """\
version: 2
channels: {default: automatic}
hours:
  office:
    zone: Europe/Berlin
    open: {sat: 09:00-17:00}
rules:
"""


def _build(count: int) -> Policy:
    """Build a policy in which only the last rule matches, and all others fail at their last condition."""
    rules = [
        f"  - when: {{channel: C0BENCH, team: ours, {_last_condition(number)}}}\n    then: {{post: C0RULE{number}}}"
        for number in range(count - 1)
    ]
    return parse_policy(_HEAD + "\n".join([*rules, "  - then: {tag: eyes}"]) + "\n")


def _last_condition(number: int) -> str:
    return "during: office" if number % 2 else f"keywords: [word{number}, is down {number}]"


def _decision(policy: Policy, text: str, prediction: Prediction, manifest: Manifest) -> Callable[[], Any]:
    settings = TeamSettings(policy)
    record = MessageRecord("T0BENCH", "C0BENCH", "1767614400.000100", "U0BENCH", text, False, None, 1767614400)
    return lambda: decide(record, prediction, settings, manifest)


def _microseconds(act: Callable[[], Any]) -> float:
    """Return the time of one call in the fastest of several rounds; other programs only lengthen the others."""
    act()
    times = []
    for _ in range(ROUNDS):
        calls, start = 0, time.perf_counter()
        while (elapsed := time.perf_counter() - start) < _SECONDS_OF_A_ROUND:
            act()
            calls += 1
        times.append(elapsed / calls)
    return round(min(times) * 1e6, 1)


def _describe(figures: Mapping[str, Mapping[str, float]]) -> str:
    names = list(next(iter(figures.values())))
    rows = ["| microseconds | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for length, times in figures.items():
        rows.append(f"| {length} | " + " | ".join(f"{times[name]:,.0f}" for name in names) + " |")
    first = next(iter(figures.values()))
    worst, classified = first["50 rules"], first["classified in process"]
    verdict = "within" if worst <= TARGET_MICROSECONDS else "over"
    ratio = (
        "With 50 rules, all of which are tried, each with a channel, a team, and hours or two key words, a message of "
        f"100 characters takes {worst:,.0f} µs, {verdict} the target of {TARGET_MICROSECONDS} µs, and "
        f"{worst / classified:.2f} times as long as its classification in the same process."
    )
    return "\n".join([*rows, "", ratio])
