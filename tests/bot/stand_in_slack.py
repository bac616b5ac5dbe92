"""A stand-in Slack over HTTP, as people and the bot see it in the bot's tests."""

from dataclasses import dataclass
from typing import Any

import httpx2
from slack_sdk import WebClient

from bot.sandbox.slack.workspace import Message, Workspace

SIGNING_SECRET = "signing-secret-of-the-tests"
TOKEN = "xoxb-of-the-tests"


class LossyClient(WebClient):
    """Lose the next answer of each method in `lose`: Slack has acted, and the caller sees a timeout."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lose: list[str] = []

    def api_call(self, api_method: str, **options: Any) -> Any:
        answer = super().api_call(api_method, **options)
        if api_method in self.lose:
            self.lose.remove(api_method)
            raise TimeoutError("the read operation timed out")
        return answer


@dataclass
class SlackStandIn:
    """A stand-in Slack over HTTP; `workspace` is what people see in it."""

    url: str
    workspace: Workspace
    client: LossyClient
    installation: Any

    def write(self, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> str:
        """Write a message as a person; return its ts."""
        return str(self._do("messages", channel=channel, user=user, text=text)["ts"])

    def edit(self, ts: str, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        """Edit a message as its author."""
        self._do("messages/edit", channel=channel, user=user, ts=ts, text=text)

    def delete(self, ts: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        """Delete a message as its author."""
        self._do("messages/delete", channel=channel, user=user, ts=ts)

    def _do(self, what: str, **wish: str) -> Any:
        answer = httpx2.post(f"{self.url}/sandbox/{what}", json=wish, timeout=10)
        return answer.raise_for_status().json()

    def thread(self, ts: str, channel: str = "C0SUPPORT") -> list[Message]:
        """Return the replies in a message's thread."""
        return self.workspace.channel(channel).thread(ts)[1:]

    def posts(self, channel: str) -> list[Message]:
        return list(self.workspace.channel(channel).messages.values())

    def reactions(self, ts: str, channel: str = "C0SUPPORT") -> list[str]:
        return [each.name for each in self.workspace.channel(channel).message(ts).reactions]

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.installation.calls)
