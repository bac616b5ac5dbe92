"""The settings of a stage: the questions of `make configure`, and the file that serverless.yml reads."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml
from botocore.session import get_session

_STAGE = re.compile(r"[a-z][a-z0-9-]{0,15}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# A workspace or an organisation, as the functions accept it.
_SLACK_ID = re.compile(r"[TE][A-Z0-9]{1,39}")


class Unusable(ValueError):
    """An answer is invalid; the message says what is allowed."""


@dataclass(frozen=True, slots=True)
class Question:
    """A setting: its name in serverless.yml, the question to ask, the default answer, and the reader of answers."""

    name: str
    text: str
    default: str
    read: Callable[[str], Any]


def check_stage(name: str) -> str:
    """Return the name of a stage. Raises Unusable."""
    if not _STAGE.fullmatch(name):
        raise Unusable(f"{name!r} is not a stage name: up to 16 of a-z, 0-9 and '-', starting with a letter")
    return name


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(answer: str) -> str:
        if answer not in choices:
            raise Unusable(f"{answer!r} is none of {', '.join(choices)}")
        return answer

    return read


def _region(answer: str) -> str:
    known = get_session().get_available_regions("lambda")
    if answer not in known:
        raise Unusable(f"{answer!r} is not a region with AWS Lambda; examples: us-east-1, eu-central-1")
    return answer


def _workspaces(answer: str) -> str:
    if answer == "none":
        return answer
    ids = [each.strip() for each in answer.split(",")]
    for each in ids:
        if not _SLACK_ID.fullmatch(each):
            raise Unusable(
                f"{each!r} is not the id of a workspace (T0123ABCD, in Slack's address after /client/) or an "
                "organisation (E0123ABCD); separate ids with commas, or answer none to serve one workspace"
            )
    return ",".join(ids)


def _subscriptions(answer: str) -> list[dict[str, str]]:
    if not answer:
        return []
    if not _EMAIL.fullmatch(answer):
        raise Unusable(f"{answer!r} is not an e-mail address")
    return [{"Protocol": "email", "Endpoint": answer}]


QUESTIONS: Sequence[Question] = (
    Question("region", "AWS region", "us-east-1", _region),
    Question(
        "classifier",
        "Classifier: endpoint-with-fallback (SageMaker, or the functions while it fails), endpoint, or embedded "
        "(the functions alone, without the cost of SageMaker)",
        "endpoint-with-fallback",
        _one_of("endpoint-with-fallback", "endpoint", "embedded"),
    ),
    Question(
        "endpointType",
        "SageMaker endpoint: real-time (billed by the hour) or serverless (billed by the call)",
        "real-time",
        _one_of("real-time", "serverless"),
    ),
    Question(
        "site",
        "Demo page: cloudfront (private bucket, HTTPS) or website (public bucket, no HTTPS)",
        "cloudfront",
        _one_of("cloudfront", "website"),
    ),
    Question(
        "workspaces",
        "Slack: none (one workspace, whose token you store), or the comma-separated ids of those that may install the "
        "bot through its page (T… for a workspace, E… for all of an organisation)",
        "none",
        _workspaces,
    ),
    Question("alarmSubscriptions", "E-mail address for alarms (empty for none)", "", _subscriptions),
)


def to_yaml(stage: str, settings: Mapping[str, Any]) -> str:
    """Return the content of the stage's file."""
    heading = f"# Settings of the stage {stage}; serverless.yml reads them and lists their values.\n"
    return heading + yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True)


def email_of(settings: Mapping[str, Any]) -> str:
    """Return the first e-mail address for alarms, or "" if there is none."""
    addresses = [each["Endpoint"] for each in settings.get("alarmSubscriptions") or [] if each["Protocol"] == "email"]
    return addresses[0] if addresses else ""
