"""Statistics of a workspace: the week's counters, and the messages that wait for a review or for an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.queue.messages import MessageKey
from bot.store.errors import dynamodb_errors
from bot.store.ledger_items import Row
from bot.store.stats_items import (
    TRACE,
    WAITING_SECONDS,
    add_up,
    board_partition,
    first_of_day,
    read_settled,
    read_waiting,
    stats_partition,
    waiting_key,
    waiting_row,
)
from bot.triage.stats import Queue, Settled, Waiting, day_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

DAYS = 7
_DAY = 24 * 3600
_DAYS_A_MONTH = 365 / 12

# More than people want to see at once; beyond it only "or more" is said.
MOST_WAITING = 50


@dataclass(frozen=True, slots=True)
class Week:
    """The counters of the last DAYS days, today included."""

    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def volumes(self) -> dict[str, int]:
        """Return the number of messages that each label of the main facet has now, in descending order."""
        volumes = {label: count for label, count in self._part("label").items() if count > 0}
        return dict(sorted(volumes.items(), key=lambda volume: (-volume[1], volume[0])))

    @property
    def outcomes(self) -> dict[str, int]:
        return self._part("outcome")

    @property
    def triaged(self) -> int:
        return sum(self.outcomes.values())

    @property
    def a_month(self) -> float:
        """Return the number of requests per month at this week's pace."""
        return self.triaged / DAYS * _DAYS_A_MONTH

    @property
    def ignored(self) -> int:
        return sum(self._part("ignored").values())

    def verdicts(self, facet: str) -> tuple[int, int]:
        """Return how often people found the bot right about a facet, and how often wrong."""
        return self.counts.get(f"right#{facet}", 0), self.counts.get(f"wrong#{facet}", 0)

    @property
    def answered_within(self) -> int | None:
        """Return the seconds (see ANSWERED_WITHIN) within which a person answered half of the answered requests."""
        answered = {int(within): count for within, count in self._part("answered").items()}
        counted, half = 0, sum(answered.values()) / 2
        for within in sorted(answered):
            counted += answered[within]
            if counted >= half and counted:
                return within
        return None

    def _part(self, kind: str) -> dict[str, int]:
        prefix = f"{kind}#"
        return {name.removeprefix(prefix): count for name, count in self.counts.items() if name.startswith(prefix)}


@dataclass(frozen=True, slots=True)
class Stats:
    """Statistics of a workspace. `review` has the newest first, `urgent` the oldest; each at most MOST_WAITING."""

    week: Week = field(default_factory=Week)
    review: tuple[Waiting, ...] = ()
    urgent: tuple[Waiting, ...] = ()


@dataclass(frozen=True, slots=True)
class StatsStore:
    """Methods raise LedgerUnavailable. Times (`now`) are in seconds since the epoch."""

    client: "DynamoDBClient"
    table: str

    def load(self, team: str, now: float) -> Stats:
        """Return a team's statistics, with three queries of a page each, however many messages there have been."""
        return Stats(
            self.load_week(team, now),
            self._read_queue(team, "review", now, newest_first=True),
            self._read_queue(team, "urgent", now, newest_first=False),
        )

    def load_week(self, team: str, now: float) -> Week:
        first = first_of_day(day_of(str(now - (DAYS - 1) * _DAY)))
        after_last = first_of_day(day_of(str(now + _DAY)))
        return Week(add_up(self._query(stats_partition(team), first, after_last)))

    def load_settled(self, team: str, now: float, most: int) -> tuple[Settled, ...]:
        """Return at most `most` of the newest requests of the last DAYS days, with their settled labels: one query."""
        first, after_last = f"{TRACE}#{int(now) - DAYS * _DAY}", f"{TRACE}#~"
        rows = self._query(board_partition(team), first, after_last, Limit=most, ScanIndexForward=False)
        return tuple(settled for row in rows if (settled := read_settled(row, team)))

    def begin(self, queue: Queue, waiting: Waiting, now: float) -> None:
        """Put a message into a queue; one that is already in it stays there."""
        with dynamodb_errors():
            self.client.put_item(TableName=self.table, Item=waiting_row(queue, waiting, now))

    def settle(self, queue: Queue, key: MessageKey) -> None:
        """Take a message out of a queue, if it is in it."""
        with dynamodb_errors():
            self.client.delete_item(TableName=self.table, Key=waiting_key(queue, key))

    def _read_queue(self, team: str, queue: Queue, now: float, newest_first: bool) -> tuple[Waiting, ...]:
        first, after_last = f"{queue}#{int(now) - WAITING_SECONDS}", f"{queue}#~"
        options = {"Limit": MOST_WAITING, "ScanIndexForward": not newest_first}
        rows = self._query(board_partition(team), first, after_last, **options)
        return tuple(read_waiting(row, team) for row in rows)

    def _query(self, partition: str, first: str, last: str, **options: Any) -> list[Row]:
        with dynamodb_errors():
            # Not consistent: half the price, and what is a second old shows at the next look.
            answer = self.client.query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": {"S": partition}, ":first": {"S": first}, ":last": {"S": last}},
                **options,
            )
        return list(answer["Items"])
