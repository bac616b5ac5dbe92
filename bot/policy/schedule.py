"""Business hours and rotas: when a team is open, and who is on call. Pure.

Turns are counted in handovers on the wall clock of the rota's time zone, so daylight saving does not move them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

Turn: TypeAlias = Literal["day", "week"]

UTC_ZONE = ZoneInfo("UTC")
MONDAY = 0


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """Opening times by weekday (Monday is 0), each with its end excluded; none on the days in `closed`."""

    zone: ZoneInfo
    times: Mapping[int, tuple[tuple[time, time], ...]]
    closed: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Report whether the team is open; `at` has any time zone."""
        local = at.astimezone(self.zone)
        if local.date() in self.closed:
            return False
        now = local.time()
        return any(start <= now < end for start, end in self.times.get(local.weekday(), ()))


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a person is away, `last` included."""

    person: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Rota:
    """People who take turns of a day or a week. The first one's turn began at the first handover on or after `start`.

    `weekday` (Monday is 0) is that of the handover if turns are weeks.
    """

    people: tuple[str, ...]
    zone: ZoneInfo = UTC_ZONE
    turn: Turn = "week"
    handover: time = time(9)
    weekday: int = MONDAY
    start: date = date(2024, 1, 1)
    away: tuple[Absence, ...] = field(default=())

    def on_call(self, at: datetime) -> str:
        """Return the person on call: whose turn it is, or the next one who is not away, unless all are."""
        local = at.astimezone(self.zone)
        # The day of the last daily handover.
        day = local.date() if local.time() >= self.handover else local.date() - timedelta(days=1)
        number = self._number_of_turn(day) % len(self.people)
        in_turn = (*self.people[number:], *self.people[:number])
        return next((person for person in in_turn if self.is_there(person, local.date())), in_turn[0])

    def _number_of_turn(self, day: date) -> int:
        if self.turn == "day":
            return (day - self.start).days
        first = self.start + timedelta(days=(self.weekday - self.start.weekday()) % 7)
        return (day - first).days // 7

    def is_there(self, person: str, day: date) -> bool:
        return not any(each.person == person and each.first <= day <= each.last for each in self.away)

    def pick(self, number: int, at: datetime) -> str | None:
        """Return the person for assignment `number` (from 0), round robin among those not away; None if all are."""
        present = self._present(at)
        return present[number % len(present)] if present else None

    def is_anybody_there(self, at: datetime) -> bool:
        """Report whether at least one person is not away."""
        return bool(self._present(at))

    def _present(self, at: datetime) -> list[str]:
        day = at.astimezone(self.zone).date()
        return [person for person in self.people if self.is_there(person, day)]

    def next_start(self, at: datetime) -> datetime | None:
        """Return when work resumes: at the time of the handover, on the first day on which one person is not away.

        `at` itself if that time is past; None if all are away for ever.
        """
        today = at.astimezone(self.zone).date()
        days = [day for day in (self._first_day_present(person, today) for person in self.people) if day]
        return max(at, datetime.combine(min(days), self.handover, self.zone)) if days else None

    def _first_day_present(self, person: str, day: date) -> date | None:
        for each in sorted(self.away, key=lambda absence: absence.first):
            if each.person == person and each.first <= day <= each.last:
                if each.last == date.max:
                    return None
                day = each.last + timedelta(days=1)
        return day
