"""What serverless.yml says of each function that a laboratory needs to know. Pure but for reading the file."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.resources import Created, read_resources


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A function: its handler, the queues that feed it and the resources its environment names, by logical id.

    `settings` are the variables with a plain value, `timeout` is in seconds.
    """

    name: str
    handler: str
    timeout: float
    queues: tuple[str, ...]
    references: Mapping[str, str]
    settings: Mapping[str, str]

    def environment(self, created: Created) -> dict[str, str]:
        """Give the variables of the function, with the names of what was created."""
        names = {**created.tables, **created.queues}
        return {**self.settings, **{name: names[each] for name, each in self.references.items() if each in names}}


def read_deployment(serverless_yml: Path) -> tuple[DeployedFunction, ...]:
    """Read every function of a Serverless Framework file."""
    functions = yaml.safe_load(serverless_yml.read_text(encoding="utf-8"))["functions"]
    return tuple(_read_function(name, each) for name, each in functions.items())


def _read_function(name: str, function: Mapping[str, Any]) -> DeployedFunction:
    environment = function.get("environment", {})
    return DeployedFunction(
        name,
        function["handler"],
        float(function.get("timeout", 6)),
        tuple(event["sqs"]["arn"]["Fn::GetAtt"][0] for event in function.get("events", []) if "sqs" in event),
        {key: value["Ref"] for key, value in environment.items() if isinstance(value, dict) and "Ref" in value},
        {key: str(value) for key, value in environment.items() if _is_plain(value)},
    )


def _is_plain(value: object) -> bool:
    return not isinstance(value, dict) and "${" not in str(value)


@cache
def visibility_seconds() -> dict[str, int]:
    """Give how long each queue of the template hides a message that was received."""
    queues = read_resources("queues.yml").items()
    return {name: int(queue["Properties"].get("VisibilityTimeout", 30)) for name, queue in queues}


@cache
def dead_letter_queues() -> frozenset[str]:
    """Give the queues of the template that others set messages aside in."""
    queues = read_resources("queues.yml").values()
    policies = [queue["Properties"]["RedrivePolicy"] for queue in queues if "RedrivePolicy" in queue["Properties"]]
    return frozenset(policy["deadLetterTargetArn"]["Fn::GetAtt"][0] for policy in policies)
