"""What a stage sets for itself: the questions of `make configure`, and the file that serverless.yml reads. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from botocore.session import get_session

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# Of a workspace or an organisation, as the functions take it.
_SLACK_ID = re.compile(r"[TE][A-Z0-9]{1,39}")


class Unusable(ValueError):
    """An answer that cannot be taken; the message says what could be."""


@dataclass(frozen=True, slots=True)
class Question:
    """One setting: what it is called in serverless.yml, what a person is asked, and how an answer is read."""

    name: str
    text: str
    default: str
    read: Callable[[str], Any]


def check_stage(name: str) -> str:
    """Raises Unusable."""
    if not _STAGE.fullmatch(name):
        raise Unusable(f"{name!r} is no name for a stage: up to 16 of a-z, 0-9 and '-', beginning with a letter")
    return name


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(answer: str) -> str:
        if answer not in choices:
            raise Unusable(f"{answer!r} is none of: {', '.join(choices)}")
        return answer

    return read


def _region(answer: str) -> str:
    known = get_session().get_available_regions("lambda")
    if answer not in known:
        raise Unusable(f"{answer!r} is no region with AWS Lambda; examples: us-east-1, eu-central-1")
    return answer


def _workspaces(answer: str) -> str:
    if answer == "none":
        return answer
    ids = [each.strip() for each in answer.split(",")]
    for each in ids:
        if not _SLACK_ID.fullmatch(each):
            raise Unusable(
                f"{each!r} is no id of a workspace (T0123ABCD, in Slack's address after /client/) or an organisation "
                "(E0123ABCD); put commas between ids, or answer none to serve one workspace"
            )
    return ",".join(ids)


def _subscriptions(answer: str) -> list[dict[str, str]]:
    if not answer:
        return []
    if not _EMAIL.fullmatch(answer):
        raise Unusable(f"{answer!r} is no e-mail address")
    return [{"Protocol": "email", "Endpoint": answer}]


QUESTIONS: Sequence[Question] = (
    Question("region", "AWS region", "us-east-1", _region),
    Question(
        "classifier",
        "Who classifies: endpoint-with-fallback (SageMaker, and the functions while it fails), endpoint, or embedded "
        "(the functions alone, no SageMaker to pay)",
        "endpoint-with-fallback",
        _one_of("endpoint-with-fallback", "endpoint", "embedded"),
    ),
    Question(
        "endpointType",
        "The SageMaker endpoint: real-time (billed by the hour) or serverless (by the call)",
        "real-time",
        _one_of("real-time", "serverless"),
    ),
    Question(
        "site",
        "The demo page: cloudfront (private bucket, HTTPS) or website (public bucket, no HTTPS)",
        "cloudfront",
        _one_of("cloudfront", "website"),
    ),
    Question(
        "workspaces",
        "Slack: none (one workspace, whose token you store), or the ids of those that may install the bot themselves "
        "through its page (T… a workspace, E… all of an organisation, commas between)",
        "none",
        _workspaces,
    ),
    Question("alarmSubscriptions", "E-mail address for alarms (empty: nobody is told)", "", _subscriptions),
)


def to_yaml(stage: str, settings: Mapping[str, Any]) -> str:
    """Give the content of the stage's file."""
    heading = f"# Settings of the stage {stage}, read by serverless.yml, which says what each may be.\n"
    return heading + yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)


def email_of(settings: Mapping[str, Any]) -> str:
    """Give the first address that alarms go to, "" if there is none."""
    addresses = [each["Endpoint"] for each in settings.get("alarmSubscriptions") or [] if each["Protocol"] == "email"]
    return addresses[0] if addresses else ""
