"""Settings of the Lambda functions, read from an environment that the entry modules hand in."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session


_WORKSPACE = re.compile(r"[TE][A-Z0-9]{1,39}")


class MissingSetting(Exception):
    """A setting that the function cannot do without is absent or unusable. The message has its name, never a value."""


def require(environ: Mapping[str, str], name: str) -> str:
    """Raises MissingSetting."""
    value = environ.get(name, "")
    if not value:
        raise MissingSetting(f"the environment variable {name} is not set")
    return value


def read_signing_secret(environ: Mapping[str, str]) -> str:
    """Raises MissingSetting."""
    return _read_slack_secret(environ, "SLACK_SIGNING_SECRET", "signing_secret")


def read_bot_token(environ: Mapping[str, str]) -> str:
    """Raises MissingSetting."""
    return _read_slack_secret(environ, "SLACK_BOT_TOKEN", "bot_token")


def find_bot_token(environ: Mapping[str, str]) -> str | None:
    """Give the bot token, or None where workspaces are installed through OAuth alone. Raises MissingSetting."""
    name = environ.get("SLACK_SECRET_NAME")
    if environ.get("SLACK_BOT_TOKEN") or not name:
        return environ.get("SLACK_BOT_TOKEN") or None
    value = _fetch_secret(name, "SLACK_SECRET_NAME").get("bot_token")
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """What the Slack app proves itself with when it exchanges a code for a token."""

    client_id: str
    client_secret: str = field(repr=False)


def read_app_credentials(environ: Mapping[str, str]) -> AppCredentials:
    """Raises MissingSetting."""
    where = "SLACK_OAUTH_SECRET_NAME"
    client_id = _read_slack_secret(environ, "SLACK_CLIENT_ID", "client_id", where)
    return AppCredentials(client_id, _read_slack_secret(environ, "SLACK_CLIENT_SECRET", "client_secret", where))


def read_workspaces(environ: Mapping[str, str]) -> frozenset[str]:
    """Give the ids of the workspaces and organisations that may install the bot, none where it is in one workspace.

    Raises MissingSetting.
    """
    text = environ.get("SLACK_WORKSPACES", "").strip()
    if text in ("", "none"):
        return frozenset()
    names = [each.strip() for each in text.split(",")]
    if not all(_WORKSPACE.fullmatch(each) for each in names):
        raise MissingSetting("SLACK_WORKSPACES is none, or ids like T0123ABCD and E0123ABCD with commas between")
    return frozenset(names)


def _read_slack_secret(environ: Mapping[str, str], variable: str, key: str, where: str = "SLACK_SECRET_NAME") -> str:
    name = environ.get(where)
    if not name or environ.get(variable):
        return require(environ, variable)
    value = _fetch_secret(name, where).get(key)
    if not isinstance(value, str) or not value:
        raise MissingSetting(f"the secret that {where} names has no {key}")
    return value


def _fetch_secret(name: str, where: str) -> Mapping[str, object]:
    client: Any = session().create_client("secretsmanager")
    try:
        document = json.loads(client.get_secret_value(SecretId=name)["SecretString"])
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise MissingSetting(f"the secret that {where} names is not a JSON object")
    return document


@cache
def session() -> "Session":
    """Return the botocore session that all clients share: each of its own would load AWS's data again."""
    from botocore.session import get_session  # only here, so that a function with plain settings does not pay for it

    return get_session()
