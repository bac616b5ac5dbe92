"""What the listeners hand things in to."""

from dataclasses import dataclass

from bot.board import BoardStore
from bot.corrections import CorrectionDesk, NotAllowed
from bot.records import Record
from bot.team_settings import SettingsStore


@dataclass(frozen=True, slots=True)
class Desk:
    """`default_policy` is the text of the policy that holds where a team has saved none."""

    corrections: CorrectionDesk
    settings: SettingsStore
    board: BoardStore
    default_policy: str

    def now(self) -> float:
        return self.corrections.now()

    def send(self, record: Record, delay: float = 0) -> None:
        """Hand something to the worker, for `delay` seconds from now. Raises QueueUnavailable."""
        self.corrections.queue.send(record, delay)

    def read_policy(self, team: str) -> tuple[str, int]:
        """Give the text of the policy in force, and its version: 0 where a team has saved none."""
        saved = self.settings.read_policy(team)
        return (saved.text, saved.version) if saved else (self.default_policy, 0)

    def require_allowed(self, team: str, user: str) -> None:
        """Raises NotAllowed where the policy leaves such changes to others."""
        if not self.settings.load(team, self.now()).policy.may_change(user):
            raise NotAllowed("the policy names who may change this")
