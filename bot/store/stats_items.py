"""Statistics and queues of a workspace as rows of the ledger's table, for App Home and `/classify stats`.

    pk board#TEAM   sk review#TS#CHANNEL, urgent#TS#CHANNEL   one row per waiting message, deleted when its wait is over
    pk board#TEAM   sk decided#TS#CHANNEL                     one row per request of the last days: its settled labels
    pk stats#TEAM   sk day#2026-11-22#5                       counters of a day, one attribute each, in SHARDS rows

Reading takes one Query for each queue and one for a week's counters, however much is in the table. No row has a text.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.queue.messages import MessageKey
from bot.triage.stats import Queue, Settled, StatsDelta, Trace, Waiting, day_of
from classifier_infra.model.prediction import Score

# Workers that count at the same moment seldom meet in one of so many rows.
SHARDS = 8

# What has waited for longer is no longer asked about.
WAITING_SECONDS = 30 * 24 * 3600
# Policies are held against the messages of a week, and a row is there a little longer.
TRACED_SECONDS = 8 * 24 * 3600
_COUNTED_SECONDS = 90 * 24 * 3600

_COUNT = "n#"
TRACE = "decided"


def changes_to(table: str, key: MessageKey, delta: StatsDelta, now: float) -> Iterator[dict[str, Any]]:
    """Yield the transaction's writes that change the statistics of the message's team."""
    if delta.counts:
        yield {"Update": {"TableName": table, **_count(key, delta.counts, now)}}
    for queue, waiting in delta.begin.items():
        yield {"Put": {"TableName": table, "Item": waiting_row(queue, waiting, now)}}
    for queue in sorted(delta.end):
        yield {"Delete": {"TableName": table, "Key": waiting_key(queue, key)}}
    if delta.trace:
        yield {"Update": {"TableName": table, **_note(key, delta.trace, now)}}
    if delta.gone:
        yield {"Delete": {"TableName": table, "Key": trace_key(key)}}


def _note(key: MessageKey, trace: Trace, now: float) -> dict[str, Any]:
    """Return the update that adds what became known of a message; people's labels do not replace the classifier's."""
    known = {"main": trace.main, "found": _to_json(trace.found), "said": _to_json(trace.said)}
    values = {f":{name}": {"S": value} for name, value in known.items() if value is not None}
    # Some of these are words of DynamoDB's own.
    setting = ", ".join(f"#{name[1:]} = {name}" for name in values)
    return {
        "Key": trace_key(key),
        "UpdateExpression": f"SET expires_at = if_not_exists(expires_at, :expires), {setting}",
        "ExpressionAttributeNames": {f"#{name[1:]}": name[1:] for name in values},
        "ExpressionAttributeValues": {**values, ":expires": {"N": str(int(now) + TRACED_SECONDS)}},
    }


def _to_json(labels: Mapping[str, str] | None) -> str | None:
    return None if labels is None else json.dumps(labels)


def _count(key: MessageKey, counts: Mapping[str, int], now: float) -> dict[str, Any]:
    names = {f"#n{number}": f"{_COUNT}{name}" for number, name in enumerate(counts)}
    values = {f":n{number}": {"N": str(count)} for number, count in enumerate(counts.values())}
    adding = ", ".join(f"#n{number} :n{number}" for number in range(len(counts)))
    return {
        "Key": {"pk": {"S": stats_partition(key.team)}, "sk": {"S": f"{first_of_day(day_of(key.ts))}{_shard(key)}"}},
        "UpdateExpression": f"SET expires_at = :expires ADD {adding}",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": {**values, ":expires": {"N": str(int(now) + _COUNTED_SECONDS)}},
    }


def _shard(key: MessageKey) -> int:
    return zlib.crc32(str(key).encode()) % SHARDS


def waiting_row(queue: Queue, waiting: Waiting, now: float) -> dict[str, Any]:
    guesses = [[guess.name, guess.confidence] for guess in waiting.guesses]
    return {
        **waiting_key(queue, waiting.key),
        "guesses": {"S": json.dumps(guesses)},
        "expires_at": {"N": str(int(now) + WAITING_SECONDS)},
    }


# --- Keys ---------------------------------------------------------------------------------------------------


def stats_partition(team: str) -> str:
    return f"stats#{team}"


def first_of_day(day: str) -> str:
    """Return the sort key prefix of a day's rows, which sorts after those of the day before."""
    return f"day#{day}#"


def board_partition(team: str) -> str:
    return f"board#{team}"


def waiting_key(queue: Queue, key: MessageKey) -> dict[str, Any]:
    # The time first, so that the rows of a queue are in the order in which the messages were written.
    return {"pk": {"S": board_partition(key.team)}, "sk": {"S": f"{queue}#{key.ts}#{key.channel}"}}


def trace_key(key: MessageKey) -> dict[str, Any]:
    return {"pk": {"S": board_partition(key.team)}, "sk": {"S": f"{TRACE}#{key.ts}#{key.channel}"}}


# --- Reading ------------------------------------------------------------------------------------------------


def read_waiting(row: Mapping[str, Any], team: str) -> Waiting:
    _, ts, channel = row["sk"]["S"].split("#")
    guesses = tuple(Score(name, confidence) for name, confidence in json.loads(row["guesses"]["S"]))
    return Waiting(MessageKey(team, channel, ts), guesses)


def read_settled(row: Mapping[str, Any], team: str) -> Settled | None:
    """Read a row; return None if it has people's labels only, because the rest of it was too old."""
    if "main" not in row:
        return None
    _, ts, channel = row["sk"]["S"].split("#")
    found, said = (json.loads(row[name]["S"]) if name in row else {} for name in ("found", "said"))
    return Settled(MessageKey(team, channel, ts), row["main"]["S"], {**found, **said})


def add_up(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Add up the counters of rows, by name."""
    sums: dict[str, int] = {}
    for row in rows:
        for attribute, value in row.items():
            if attribute.startswith(_COUNT):
                name = attribute.removeprefix(_COUNT)
                sums[name] = sums.get(name, 0) + int(value["N"])
    return sums
