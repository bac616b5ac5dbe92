"""Business hours and rotas: when a team is there, and whose turn it is. Pure.

Turns are counted in handovers on the wall clock of the rota's time zone, so that daylight saving moves none of them.
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
    """When a team is there: for each weekday (Monday is 0) the times from and until (not included), but not on the
    days that are `closed`.
    """

    zone: ZoneInfo
    times: Mapping[int, tuple[tuple[time, time], ...]]
    closed: frozenset[date] = frozenset()

    def is_open(self, at: datetime) -> bool:
        """Tell whether the team is there; `at` has a time zone, any."""
        local = at.astimezone(self.zone)
        if local.date() in self.closed:
            return False
        now = local.time()
        return any(start <= now < end for start, end in self.times.get(local.weekday(), ()))


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a person is not there, the last one included."""

    person: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Rota:
    """People who take turns, a day or a week each. The first person's turn began at the first handover from `start` on.

    `weekday` (Monday is 0) is that of the handover, where turns are weeks.
    """

    people: tuple[str, ...]
    zone: ZoneInfo = UTC_ZONE
    turn: Turn = "week"
    handover: time = time(9)
    weekday: int = MONDAY
    start: date = date(2024, 1, 1)
    away: tuple[Absence, ...] = field(default=())

    def on_call(self, at: datetime) -> str:
        """Give whose turn it is. Who is away is stood in for by the next who is not; if all are, it is their turn."""
        local = at.astimezone(self.zone)
        # The turn that a moment belongs to began with the handover of this day.
        day = local.date() if local.time() >= self.handover else local.date() - timedelta(days=1)
        number = self._number_of_turn(day) % len(self.people)
        line = (*self.people[number:], *self.people[:number])
        return next((person for person in line if self.is_there(person, local.date())), line[0])

    def _number_of_turn(self, day: date) -> int:
        if self.turn == "day":
            return (day - self.start).days
        first = self.start + timedelta(days=(self.weekday - self.start.weekday()) % 7)
        return (day - first).days // 7

    def is_there(self, person: str, day: date) -> bool:
        return not any(each.person == person and each.first <= day <= each.last for each in self.away)

    def pick(self, number: int, at: datetime) -> str | None:
        """Give the person for the assignment of this number (from 0): one after the other, without who is away.

        None where all are.
        """
        there = self._who_is_there(at)
        return there[number % len(there)] if there else None

    def is_anybody_there(self, at: datetime) -> bool:
        return bool(self._who_is_there(at))

    def _who_is_there(self, at: datetime) -> list[str]:
        day = at.astimezone(self.zone).date()
        return [person for person in self.people if self.is_there(person, day)]

    def next_start(self, at: datetime) -> datetime | None:
        """Give from when on somebody is at work again: the hour of the handover on the first day, this one or a later
        one, on which anybody is there; `at` itself where that hour is past. None where that day never comes.
        """
        today = at.astimezone(self.zone).date()
        days = [day for day in (self._next_day_there(person, today) for person in self.people) if day]
        return max(at, datetime.combine(min(days), self.handover, self.zone)) if days else None

    def _next_day_there(self, person: str, day: date) -> date | None:
        for each in sorted(self.away, key=lambda absence: absence.first):
            if each.person == person and each.first <= day <= each.last:
                if each.last == date.max:
                    return None
                day = each.last + timedelta(days=1)
        return day
