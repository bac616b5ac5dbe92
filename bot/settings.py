"""Settings of the bot's functions and commands, read from an environment that entry modules pass in."""

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from botocore.session import Session


log = logging.getLogger(__name__)

T = TypeVar("T")

# For so long an instance may go on with a secret that was rotated, where nothing tells it.
FRESH_SECONDS = 300
# Whoever sends wrong signatures makes no more than one call in so long.
_RENEWED_EVERY_SECONDS = 10

_WORKSPACE = re.compile(r"[TE][A-Z0-9]{1,39}")


class MissingSetting(Exception):
    """A required setting is absent or unusable. The message has its name and never its value."""


def require(environ: Mapping[str, str], name: str) -> str:
    """Return the value of a variable. Raises MissingSetting."""
    value = environ.get(name, "")
    if not value:
        raise MissingSetting(f"the environment variable {name} is not set")
    return value


def read_workspaces(environ: Mapping[str, str]) -> frozenset[str]:
    """Return the ids of the workspaces and organisations that may install the bot; none if it serves one workspace.

    Raises MissingSetting.
    """
    text = environ.get("SLACK_WORKSPACES", "").strip()
    if text in ("", "none"):
        return frozenset()
    names = [each.strip() for each in text.split(",")]
    if not all(_WORKSPACE.fullmatch(each) for each in names):
        raise MissingSetting("SLACK_WORKSPACES is none, or ids like T0123ABCD and E0123ABCD with commas between")
    return frozenset(names)


# --- Secrets: from a variable of their own, or from the secret in Secrets Manager that a variable names -----


def read_signing_secret(environ: Mapping[str, str]) -> str:
    """Raises MissingSetting."""
    return _read_slack_secret(environ, "SLACK_SIGNING_SECRET", "signing_secret")


def read_bot_token(environ: Mapping[str, str]) -> str:
    """Raises MissingSetting."""
    return _read_slack_secret(environ, "SLACK_BOT_TOKEN", "bot_token")


def find_bot_token(environ: Mapping[str, str]) -> str | None:
    """Return the bot token, or None if all workspaces install the bot through OAuth. Raises MissingSetting."""
    name = environ.get("SLACK_SECRET_NAME")
    if environ.get("SLACK_BOT_TOKEN") or not name:
        return environ.get("SLACK_BOT_TOKEN") or None
    value = _fetch_secret(name, "SLACK_SECRET_NAME").get("bot_token")
    return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The credentials with which the Slack app exchanges an OAuth code for a token."""

    client_id: str
    client_secret: str = field(repr=False)


def read_app_credentials(environ: Mapping[str, str]) -> AppCredentials:
    """Raises MissingSetting."""
    where = "SLACK_OAUTH_SECRET_NAME"
    client_id = _read_slack_secret(environ, "SLACK_CLIENT_ID", "client_id", where)
    return AppCredentials(client_id, _read_slack_secret(environ, "SLACK_CLIENT_SECRET", "client_secret", where))


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


# --- AWS ----------------------------------------------------------------------------------------------------


@cache
def session() -> "Session":
    """Return the botocore session that all clients share, because each session loads AWS's data anew."""
    from botocore.session import get_session  # imported here, so that functions with plain settings do not load it

    return get_session()


@dataclass(slots=True)
class Renewed(Generic[T]):
    """A value read from a secret, and read again every FRESH_SECONDS: a rotation needs no restart.

    `now` returns seconds since the epoch. A value that cannot be read again stays.
    """

    read: Callable[[], T]
    now: Callable[[], float]
    _value: T = field(init=False, repr=False)
    _read_at: float = field(init=False)

    def __post_init__(self) -> None:
        """Read the value for the first time. Raises what `read` raises."""
        self._value, self._read_at = self.read(), self.now()

    def get(self) -> T:
        """Return the value."""
        if not self._read_at <= self.now() < self._read_at + FRESH_SECONDS:
            self._read_again()
        return self._value

    def renew(self) -> bool:
        """Read the value again because it was refused, unless it was read just now; report whether it has changed."""
        if self._read_at <= self.now() < self._read_at + _RENEWED_EVERY_SECONDS:
            return False
        before = self._value
        self._read_again()
        return self._value != before

    def _read_again(self) -> None:
        self._read_at = self.now()
        try:
            self._value = self.read()
        except Exception as error:
            log.error("secret not read again", extra={"error": type(error).__name__})
