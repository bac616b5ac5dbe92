"""The commands `policy check`, `try` and `get`: validate a policy, try it, and print the one in force."""

import argparse
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.cli import Outcome, add_parser
from bot.policy.parsing.parser import PolicyError, load_policy
from bot.policy.policy import Policy, find_mismatches
from bot.queue.messages import MessageRecord
from bot.settings import require
from bot.slack.events import clean_text
from bot.store.ledger import LedgerUnavailable, build_ledger
from bot.store.settings import SettingsStore
from bot.triage.dry_run import Trial, Wish, assume, try_policy
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model import load_model
from classifier_infra.model.prediction import Prediction

_CHECK = """examples:
  python -m bot policy check policy.yml
  python -m bot policy check policy.yml --model build/models/starter

Labels are checked against a model: --model, or MODEL_MANIFEST in the environment. Exit codes: 0 the policy is valid,
1 it is not (each problem is on stderr, as FILE:LINE: SENTENCE), 2 there is no such file. Editors can check while you
type, with bot/policy.schema.json.
"""

_TRY = """examples:
  python -m bot policy try policy.yml --text "I was charged twice" --model build/models/starter
  python -m bot policy try policy.yml --text "Our shop is down" --label category=technical --label urgency=high
  python -m bot policy try policy.yml --text "Hello" --label category=billing --at 2026-12-24T20:00+01:00 --team T0THEM

Only prints what would happen. The first --label is that of the main facet. Exit codes as for `check`.
"""

_GET = """examples:
  python -m bot policy get T0123TEAM > policy.yml
  python -m bot policy get T0123TEAM --version 7

Prints the policy as it was saved in Slack. Settings are read from the environment: LEDGER_TABLE, POLICY_FILE.
"""


def add_commands(commands: Any) -> None:
    policy: argparse.ArgumentParser = commands.add_parser("policy", help="check, try or print a policy")
    verbs = policy.add_subparsers(title="commands", metavar="COMMAND", required=True)
    check = add_parser(verbs, "check", "check whether a policy is valid", _CHECK)
    check.add_argument("file", type=_file, metavar="FILE", help="the policy")
    check.add_argument("--model", type=_folder, metavar="MODEL_DIR", help="the model with whose labels to check it")
    check.set_defaults(run=_check)
    trial = add_parser(verbs, "try", "print what a policy would do with a message, and by which rule", _TRY)
    trial.add_argument("file", type=_file, metavar="FILE", help="the policy")
    trial.add_argument("--text", required=True, help="the message's text")
    source = trial.add_mutually_exclusive_group(required=True)
    source.add_argument("--model", type=_folder, metavar="MODEL_DIR", help="the model that classifies the text")
    source.add_argument(
        "--label",
        action="append",
        type=_label,
        metavar="FACET=LABEL",
        help="a label, instead of a model; may be repeated",
    )
    trial.add_argument(
        "--channel", default="C0CHANNEL", metavar="ID", help="the channel of the message (default: %(default)s)"
    )
    trial.add_argument("--team", metavar="ID", help="the author's workspace (default: yours)")
    trial.add_argument("--at", type=_time, metavar="TIME", help="the time of the message, in ISO 8601 (default: now)")
    trial.set_defaults(run=_try)
    get = add_parser(verbs, "get", "print the policy in force, or an earlier one", _GET)
    get.add_argument("team", metavar="TEAM", help="the workspace's ID (T...)")
    get.add_argument("--version", type=int, metavar="N", help="the version to print (default: the latest)")
    get.set_defaults(run=_get)


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text!r}")
    return path


def _folder(text: str) -> Path:
    path = Path(text)
    if not (path / "manifest.json").is_file():
        raise argparse.ArgumentTypeError(f"{text!r} is not a model: it has no manifest.json")
    return path


def _label(text: str) -> tuple[str, str]:
    facet, _, label = text.partition("=")
    if not facet or not label:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form FACET=LABEL, such as category=billing")
    return facet, label


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-12-24T20:00+01:00") from None
    return at.replace(tzinfo=at.tzinfo or UTC)


# --- get ----------------------------------------------------------------------------------------------------


def _get(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    path = Path(require(environ, "POLICY_FILE"))
    ledger = build_ledger(require(environ, "LEDGER_TABLE"))
    try:
        saved = SettingsStore(ledger.client, ledger.table, Policy()).read_policy(options.team, options.version)
        if saved:
            return Outcome(saved.text.rstrip("\n"))
        if options.version is not None:
            return Outcome(problem=f"{options.team} has no version {options.version}.")
        return Outcome(path.read_text(encoding="utf-8").rstrip("\n"))
    except OSError as error:
        return Outcome(problem=f"Cannot read the policy: {error}")
    except LedgerUnavailable as error:
        return Outcome(problem=f"{error}. Try again in a minute.")


# --- check --------------------------------------------------------------------------------------------------


def _check(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    try:
        policy = load_policy(options.file)
        model = options.model or _model_of(environ)
        mismatches = find_mismatches(policy, load_model(model, False).manifest) if model else []
    except PolicyError as error:
        return Outcome(problem=_list_faults(options.file, error))
    except ArtefactError as error:
        return Outcome(problem=str(error))
    if mismatches:
        return Outcome(problem="\n".join(f"{options.file}: {each}" for each in mismatches))
    unchecked = "" if model else " Its labels were not checked: name a model with --model."
    return Outcome(f"{options.file}: {_sum_up(policy)}{unchecked}")


def _model_of(environ: Mapping[str, str]) -> Path | None:
    """Return the folder of the model that the environment names, if any."""
    manifest = environ.get("MODEL_MANIFEST")
    return Path(manifest).parent if manifest else None


def _list_faults(path: Path, error: PolicyError) -> str:
    return "\n".join(f"{path}:{each.line}: {each.sentence}" for each in error.problems)


def _sum_up(policy: Policy) -> str:
    standing = len(policy.in_force) - len(policy.rules)
    taken = "the first match decides" if policy.match == "first" else "all matches apply"
    rules = f"{_count(len(policy.rules), 'rule')} ({taken})" if policy.rules else "no rules"
    return f"valid. It has {rules} and {_count(standing, 'short-form line')}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


# --- try ----------------------------------------------------------------------------------------------------


def _try(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    try:
        policy = load_policy(options.file)
        record = _build_record(options, now)
        prediction, manifest = _read(options, record.text)
    except PolicyError as error:
        return Outcome(problem=_list_faults(options.file, error))
    except ArtefactError as error:
        return Outcome(problem=str(error))
    return Outcome(describe(try_policy(policy, record, prediction, manifest), record, manifest))


def _build_record(options: argparse.Namespace, now: float) -> MessageRecord:
    at = options.at.timestamp() if options.at else now
    text = clean_text(options.text)
    return MessageRecord(
        "T0TEAM", options.channel, f"{at:.6f}", "U0AUTHOR", text.text, text.truncated, None, int(at), options.team
    )


def _read(options: argparse.Namespace, text: str) -> tuple[Prediction, Manifest]:
    if options.label:
        return assume(dict(options.label))
    model = load_model(options.model, in_memory=True)
    return EmbeddedClassifier(model).predict([text])[0], model.manifest


_OUTCOMES = {
    "automatic": "Handled without a person:",
    "suggest": "Only suggested, because the channel's mode is suggest. Once a person confirms it:",
    "ask": "A person is asked, because the classifier is not sure. Nothing else is done.",
    "watch": "Nothing is shown: the channel's mode is watch-only.",
}


def describe(trial: Trial, record: MessageRecord, manifest: Manifest) -> str:
    """Describe what would happen: one line per action, with the rule that asks for it."""
    return "\n".join(_lines(trial, record, manifest))


def _lines(trial: Trial, record: MessageRecord, manifest: Manifest) -> Iterator[str]:
    decision = trial.decision
    written = time.strftime("%a %Y-%m-%d %H:%M", time.gmtime(float(record.ts)))
    yield f"Written {written} UTC in {record.channel} (mode {trial.mode})"
    for facet_result in decision.facet_results:
        unsure = "" if facet_result.sure else ", not sure enough to act on"
        yield f"  {facet_result.facet}: {facet_result.label} ({facet_result.confidence:.0%}{unsure})"
    yield _say_outcome(trial)
    if decision.outcome in ("automatic", "suggest") or decision.reason == "rule":
        yield from _list_wishes(trial.wishes)


def _say_outcome(trial: Trial) -> str:
    decision = trial.decision
    if decision.outcome == "ignore":
        return f"Not read: {decision.reason}."
    if decision.outcome == "silent":
        why = "a rule says so" if decision.reason == "rule" else "the classifier is not sure, and `unsure` is silent"
        return f"Nothing is shown: {why}."
    if decision.outcome == "suggest" and decision.reason != "mode":
        return f"Only suggested, because the model is not reliable now ({decision.reason}). Once a person confirms it:"
    return _OUTCOMES[decision.outcome]


def _list_wishes(wishes: tuple[Wish, ...]) -> Iterator[str]:
    if not wishes:
        yield "  no rule asks for an action; the reply says what the message is about"
        return
    widths = max(len(wish.what) for wish in wishes), max(len(wish.value) for wish in wishes)
    for wish in wishes:
        place = f" (line {wish.rule.line})" if wish.rule.line else ""
        yield f"  {wish.what:<{widths[0]}}  {wish.value:<{widths[1]}}  by {wish.rule.name}{place}"
