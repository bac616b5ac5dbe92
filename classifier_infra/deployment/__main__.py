"""`python -m classifier_infra.deployment`: the steps around `serverless deploy`, which the Makefile calls."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from classifier_infra.deployment.site import UnknownType, page_objects
from classifier_infra.deployment.stack import (
    BILLING_REGION,
    SERVICE,
    Page,
    StackError,
    empty_bucket,
    ensure_billing_alarm,
    find_page,
    invalidate,
    upload,
)
from classifier_infra.deployment.stage_settings import QUESTIONS, Question, Unusable, check_stage, email_of, to_yaml

ROOT = Path(__file__).parents[2]
STAGES = ROOT / "stages"
SITE = ROOT / "static_site"
MANIFEST = ROOT / "docs" / "slack-app-manifest.yml"

_EXAMPLES = """
examples:
  python -m classifier_infra.deployment configure prod       # asks, and writes stages/prod.yml
  python -m classifier_infra.deployment site prod            # uploads the demo page with the API's address in it
  python -m classifier_infra.deployment billing prod         # sets up the billing alarm in us-east-1
  python -m classifier_infra.deployment slack-manifest prod  # prints what to paste at api.slack.com/apps
  python -m classifier_infra.deployment empty-site prod      # before `serverless remove`

The region is that of stages/STAGE.yml; credentials are found as by every AWS tool.

exit codes: 0 done; 1 AWS refused, or the stack does not exist; 2 the command or an answer is invalid
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        check_stage(options.stage)
        options.run(options)
    except (Unusable, UnknownType, StackError, OSError, yaml.YAMLError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, Unusable | UnknownType) else 1
    return 0


def _configure(options: argparse.Namespace) -> None:
    before = _read(options.stage)
    print(f"Settings of the stage {options.stage}; press Enter for the value in brackets.")
    settings = {**before, **{question.name: _ask(question, before) for question in QUESTIONS}}
    STAGES.mkdir(exist_ok=True)
    path = STAGES / f"{options.stage}.yml"
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(to_yaml(options.stage, settings), encoding="utf-8")
    unfinished.replace(path)
    print(f"Wrote {path.relative_to(ROOT)}. Next: make deploy STAGE={options.stage}")


def _ask(question: Question, before: Mapping[str, Any]) -> Any:
    default = _as_answer(before[question.name]) if question.name in before else question.default
    while True:
        try:
            answer = input(f"{question.text} [{default}]: ").strip() or default
        except EOFError:
            raise Unusable(f"no answer was given to: {question.text}") from None
        try:
            return question.read(answer)
        except Unusable as error:
            if not sys.stdin.isatty():
                raise
            print(error)


def _as_answer(value: Any) -> str:
    return email_of({"alarmSubscriptions": value}) if isinstance(value, list) else str(value)


def _site(options: argparse.Namespace) -> None:
    page = _find_page(options.stage)
    objects = page_objects(SITE, page.api_url)
    deleted = upload(page, objects)
    invalidate(page)
    print(f"{len(objects)} files uploaded to {page.bucket}, {deleted} deleted.")
    print(f"Page  {page.address}\nAPI   {page.api_url}")


def _billing(options: argparse.Namespace) -> None:
    result = ensure_billing_alarm(email_of(_read(options.stage)))
    print(f"Alarm on charges over 10 USD in {BILLING_REGION}: {result}.")


def _slack_manifest(options: argparse.Namespace) -> None:
    page = _find_page(options.stage)
    print(MANIFEST.read_text(encoding="utf-8").replace("https://API/", f"{page.api_url}/"), end="")


def _empty_site(options: argparse.Namespace) -> None:
    page = _find_page(options.stage)
    question = f"Type the stage's name to take {SERVICE}-{options.stage} down: "
    if not options.yes and input(question) != options.stage:
        raise Unusable("nothing was deleted, because another name was typed")
    print(f"{empty_bucket(page)} versions of the page's files deleted from {page.bucket}.")


def _read(stage: str) -> dict[str, Any]:
    path = STAGES / f"{stage}.yml"
    return (yaml.safe_load(path.read_text(encoding="utf-8")) or {}) if path.exists() else {}


def _find_page(stage: str) -> Page:
    return find_page(stage, _read(stage).get("region", "us-east-1"))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m classifier_infra.deployment",
        description="The steps around `serverless deploy`.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "configure", "ask for the settings of a stage and save them", _configure)
    _add(commands, "site", "upload the demo page", _site)
    _add(commands, "billing", "set up the billing alarm of the account", _billing)
    _add(commands, "slack-manifest", "print the Slack app's manifest with the stage's addresses", _slack_manifest)
    emptying = _add(commands, "empty-site", "delete the demo page, so that the stack can be removed", _empty_site)
    emptying.add_argument("--yes", action="store_true", help="do not ask")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
    command.add_argument("stage", metavar="STAGE", help="such as dev or prod")
    command.set_defaults(run=run)
    return command


if __name__ == "__main__":
    sys.exit(main())
