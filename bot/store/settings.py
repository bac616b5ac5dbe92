"""Store a team's settings from Slack: its policy in all versions, and its switches, in force until changed again.

All of them are in the partition `settings#TEAM` of the ledger's table:

    now#policy              the policy in force: its text, its version, who saved it and when
    now#switches            modes, mutes, stop: one row
    policy#00000001         every version that was ever saved
    history#1700000000000…  who set what, and when

One query of `now#` reads everything that a decision needs. The result is kept in memory for FRESH_SECONDS; until
then an instance may not notice a change made elsewhere.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import uuid4

from bot.policy.parsing.parser import PolicyError, WrittenPolicy, parse_policy
from bot.policy.policy import Mode, Policy, find_mismatches
from bot.policy.settings import SettingsSource, Switches, TeamSettings
from bot.store.errors import ConditionFailed, dynamodb_errors
from bot.store.ledger_items import Row
from classifier_infra.model.manifest import Manifest

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

# Parsed policies of older versions that one instance keeps.
_MOST_VERSIONS = 50

# A worker's batch costs one read at most, and /classify stop holds everywhere after as long.
FRESH_SECONDS = 5

# Longer than people ask who switched what.
_HISTORY_KEPT_SECONDS = 400 * 24 * 3600

_POLICY = "now#policy"
_SWITCHES = "now#switches"
_MODE = "mode#"
_AT = "at#"  # when the switch of this name was last set, in microseconds since the epoch


class PolicyChanged(Exception):
    """Another author has saved a policy in the meantime: look at theirs first."""


@dataclass(frozen=True, slots=True)
class SavedPolicy:
    """A policy as it was saved; `saved_at` is in seconds since the epoch."""

    version: int
    text: str
    user: str
    saved_at: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a setting: `what` to `value`, by whom, and when (seconds since the epoch)."""

    what: str
    value: str
    user: str
    changed_at: int


@dataclass(frozen=True, slots=True)
class SettingsStore:
    """A SettingsSource that can be written to; `default` is the policy of a team that has saved none.

    Every method raises LedgerUnavailable. Times (`now`) are in seconds since the epoch.
    """

    client: "DynamoDBClient"
    table: str
    default: Policy
    _known: dict[str, tuple[float, TeamSettings]] = field(default_factory=dict, repr=False)
    _versions: dict[tuple[str, int], Policy] = field(default_factory=dict, repr=False)

    # --- Reading --------------------------------------------------------------------------------------------

    def load(self, team: str, now: float) -> TeamSettings:
        """See SettingsSource. An instance sees its own changes at once."""
        loaded_at, known = self._known.get(team, (float("-inf"), None))
        if known is None or not loaded_at <= now < loaded_at + FRESH_SECONDS:
            known = self._read(team, known)
            self._known[team] = (now, known)
        return known

    def reload(self, team: str, now: float) -> TeamSettings:
        """Return the settings in force at this moment, for a person who may just have changed them elsewhere."""
        _, known = self._known.get(team, (now, None))
        settings = self._read(team, known)
        self._known[team] = (now, settings)
        return settings

    def policy_of(self, team: str, version: int | None, now: float) -> Policy:
        """See SettingsSource. Return the policy in force for a version that cannot be read (any more)."""
        current = self.load(team, now)
        if version is None or version == current.version:
            return current.policy
        if version == 0:
            return self.default
        if (team, version) not in self._versions:
            saved = self.read_policy(team, version)
            try:
                policy = parse_policy(saved.text) if saved else current.policy
            except PolicyError:
                policy = current.policy
            if len(self._versions) >= _MOST_VERSIONS:
                self._versions.clear()
            self._versions[team, version] = policy
        return self._versions[team, version]

    def _read(self, team: str, known: TeamSettings | None) -> TeamSettings:
        rows = {row["sk"]["S"]: row for row in self._query(team, "now#")}
        switches = _read_switches(rows.get(_SWITCHES, {}))
        if _POLICY not in rows:
            return TeamSettings(self.default, switches)
        saved = _read_saved(rows[_POLICY])
        if known and saved.version == known.version:  # reading a long YAML text costs more than all of the rest
            return TeamSettings(known.policy, switches, known.version)
        try:
            return TeamSettings(parse_policy(saved.text), switches, saved.version)
        except PolicyError as error:
            log.error("policy unreadable", extra={"team": team, "version": saved.version, "detail": str(error)})
            policy, version = self._find_readable(team)
            return TeamSettings(policy, switches, version, unreadable=saved.version)

    def _find_readable(self, team: str) -> tuple[Policy, int]:
        for row in self._query(team, "policy#", latest_first=True):
            saved = _read_saved(row)
            try:
                return parse_policy(saved.text), saved.version
            except PolicyError:
                continue
        return self.default, 0

    def read_policy(self, team: str, version: int | None = None) -> SavedPolicy | None:
        """Return a version of a policy, by default the one in force, as its author wrote it; None if there is none."""
        name = _POLICY if version is None else _kept(version)
        return next((_read_saved(row) for row in self._query(team, name) if row["sk"]["S"] == name), None)

    def read_history(self, team: str, most: int) -> tuple[Change, ...]:
        """Return at most `most` changes, the latest first."""
        rows = self._query(team, "history#", latest_first=True)
        return tuple(_read_change(row) for row, _ in zip(rows, range(most), strict=False))

    def _query(self, team: str, prefix: str, latest_first: bool = False) -> Iterator[Row]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": _partition(team)}, ":prefix": {"S": prefix}},
            ScanIndexForward=not latest_first,
            ConsistentRead=True,
        )
        with dynamodb_errors():
            for page in pages:
                yield from page["Items"]

    # --- The policy -----------------------------------------------------------------------------------------

    def save_policy(self, team: str, written: WrittenPolicy, user: str, now: float, base: int | None = None) -> int:
        """Put a policy in force and return its version.

        `base` is the version that the author started from, if known. Raises PolicyChanged if another author has saved
        one since.
        """
        saved = self.read_policy(team)
        version = saved.version if saved else 0
        if base is not None and base != version:
            raise PolicyChanged(f"version {version} was saved after version {base}")
        row = _policy_row(SavedPolicy(version + 1, written.text, user, int(now)))
        current = {"Item": {**_key(team, _POLICY), **row}, **_is_version(version)}
        kept = {"Item": {**_key(team, _kept(version + 1)), **row}}
        change = Change("policy", str(version + 1), user, int(now))
        try:
            self._write(team, change, now, [{"Put": current}, {"Put": kept}])
        except ConditionFailed:
            raise PolicyChanged("another policy was saved at the same moment") from None
        return version + 1

    # --- The switches ---------------------------------------------------------------------------------------
    # `at` is when a person said so, in seconds since the epoch: of two commands the later one holds, whichever arrives
    # first, and one that is delivered again takes nothing back that was said since.

    def set_mode(self, team: str, channel: str, mode: Mode | None, user: str, at: float) -> None:
        """Set a channel's mode; None leaves it to the policy again."""
        change = Change(f"mode of {channel}", mode or "as the policy says", user, int(at))
        if mode is None:
            self._switch(team, change, at, f"{_MODE}{channel}", "REMOVE #name", None)
        else:
            self._switch(team, change, at, f"{_MODE}{channel}", "SET #name = :value", {"S": mode})

    def mute(self, team: str, target: str, user: str, at: float) -> None:
        """Stop reading and answering in a channel (C…, G…, D…), or what a person (U…, W…) writes."""
        change = Change(f"mute of {target}", "on", user, int(at))
        self._switch(team, change, at, _mutes_of(target), "ADD #name :value", {"SS": [target]}, target)

    def unmute(self, team: str, target: str, user: str, at: float) -> None:
        """Undo `mute`."""
        change = Change(f"mute of {target}", "off", user, int(at))
        self._switch(team, change, at, _mutes_of(target), "DELETE #name :value", {"SS": [target]}, target)

    def stop(self, team: str, user: str, at: float) -> None:
        """Stop all automatic actions, until `start`."""
        self._switch(team, Change("stop", "on", user, int(at)), at, "stopped", "SET #name = :value", {"BOOL": True})

    def start(self, team: str, user: str, at: float) -> None:
        """Undo `stop`."""
        self._switch(team, Change("stop", "off", user, int(at)), at, "stopped", "SET #name = :value", {"BOOL": False})

    def _switch(
        self, team: str, change: Change, at: float, name: str, action: str, value: Any, target: str = ""
    ) -> None:
        """Change an attribute of the row of switches, unless a later command has changed it."""
        setting = ", " if action.startswith("SET") else " SET "
        update = {
            "Key": _key(team, _SWITCHES),
            "UpdateExpression": f"{action}{setting}#at = :at",
            "ConditionExpression": "attribute_not_exists(#at) OR #at <= :at",
            "ExpressionAttributeNames": {"#name": name, "#at": f"{_AT}{name}{target}"},
            "ExpressionAttributeValues": {
                ":at": {"N": str(int(at * 1_000_000))},
                **({":value": value} if value is not None else {}),
            },
        }
        with suppress(ConditionFailed):
            self._write(team, change, at, [{"Update": update}])

    def _write(self, team: str, change: Change, now: float, writes: list[dict[str, Any]]) -> None:
        """Write all or nothing, together with the change's row in the history. Raises ConditionFailed."""
        history = {"Item": {**_history_key(team, now), **_change_row(change, now)}}
        items: Any = [
            {kind: {"TableName": self.table, **write} for kind, write in each.items()}
            for each in [*writes, {"Put": history}]
        ]
        self._known.pop(team, None)
        with dynamodb_errors():
            self.client.transact_write_items(TransactItems=items)


# --- Rows ---------------------------------------------------------------------------------------------------


def _partition(team: str) -> str:
    return f"settings#{team}"


def _key(team: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": _partition(team)}, "sk": {"S": sk}}


def _history_key(team: str, now: float) -> dict[str, Any]:
    return _key(team, f"history#{int(now * 1000):013}#{uuid4().hex[:8]}")


def _kept(version: int) -> str:
    return f"policy#{version:08}"


def _is_version(version: int) -> dict[str, Any]:
    if not version:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "ConditionExpression": "#version = :version",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":version": {"N": str(version)}},
    }


def _policy_row(saved: SavedPolicy) -> dict[str, Any]:
    return {
        "version": {"N": str(saved.version)},
        "document": {"S": saved.text},
        "saved_by": {"S": saved.user},
        "saved_at": {"N": str(saved.saved_at)},
    }


def _read_saved(row: Row) -> SavedPolicy:
    version, saved_at = int(row["version"]["N"]), int(row["saved_at"]["N"])
    return SavedPolicy(version, row["document"]["S"], row["saved_by"]["S"], saved_at)


def _change_row(change: Change, now: float) -> dict[str, Any]:
    return {
        "what": {"S": change.what},
        "value": {"S": change.value},
        "changed_by": {"S": change.user},
        "changed_at": {"N": str(change.changed_at)},
        "expires_at": {"N": str(int(now) + _HISTORY_KEPT_SECONDS)},
    }


def _read_change(row: Row) -> Change:
    return Change(row["what"]["S"], row["value"]["S"], row["changed_by"]["S"], int(row["changed_at"]["N"]))


def _mutes_of(target: str) -> str:
    return "muted_people" if target.startswith(("U", "W")) else "muted_channels"


def _read_switches(row: Row) -> Switches:
    return Switches(
        stopped=bool(row.get("stopped", {}).get("BOOL", False)),
        modes={name.removeprefix(_MODE): value["S"] for name, value in row.items() if name.startswith(_MODE)},
        muted_channels=frozenset(row.get("muted_channels", {}).get("SS", ())),
        muted_people=frozenset(row.get("muted_people", {}).get("SS", ())),
    )


# A team (empty for the packaged policy), the version of its policy, and that of a model.
Pair: TypeAlias = tuple[str, int, str]


@dataclass(frozen=True, slots=True)
class CompatibilityCheck:
    """A SettingsSource that compares each policy in force with the classifier; `seen` are the pairs compared."""

    source: SettingsSource
    manifest: Manifest
    seen: set[Pair] = field(default_factory=set)

    def load(self, team: str, now: float) -> TeamSettings:
        """See SettingsSource."""
        settings = self.source.load(team, now)
        self.look_at(team, settings)
        return settings

    def policy_of(self, team: str, version: int | None, now: float) -> Policy:
        """See SettingsSource."""
        return self.source.policy_of(team, version, now)

    def look_at(self, team: str, settings: TeamSettings) -> None:
        """Log the labels and facets that the policy names and the classifier lacks, once for each pair."""
        pair = (team if settings.version else "", settings.version, self.manifest.version)
        if pair in self.seen:
            return
        self.seen.add(pair)
        for mismatch in find_mismatches(settings.policy, self.manifest):
            place = {"team": pair[0], "version": settings.version, "model": self.manifest.version}
            log.warning("policy and classifier do not fit: %s", mismatch, extra=place)
