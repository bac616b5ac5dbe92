from collections import Counter

import pytest

from bot.policy.parsing.parser import PolicyError, WrittenPolicy
from bot.policy.policy import Policy
from bot.policy.settings import Switches, TeamSettings
from bot.store.ledger import LedgerUnavailable
from bot.store.settings import FRESH_SECONDS, Change, PolicyChanged, SettingsStore

NOW = 1_700_000_000
DEFAULT = Policy(modes={"C0SUPPORT": "automatic"}, routes={"billing": "C0BILLING"})
SAVED = "version: 1\nroutes:\n  technical: C0TECH\n"


# --- Which mode a channel is in -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "channel", "mode"),
    [
        (Switches(), "C0SUPPORT", "automatic"),
        (Switches(), "C0NEW", "suggest"),
        (Switches(stopped=True), "C0SUPPORT", "suggest"),
        (Switches(stopped=True, modes={"C0NEW": "automatic"}), "C0NEW", "suggest"),
        (Switches(stopped=True, modes={"C0NEW": "watch-only"}), "C0NEW", "watch-only"),
        (Switches(modes={"C0SUPPORT": "watch-only"}), "C0SUPPORT", "watch-only"),
        (Switches(modes={"C0NEW": "automatic"}), "C0NEW", "automatic"),
        (Switches(modes={"C0BILLING": "automatic"}), "C0BILLING", "off"),
        (Switches(modes={"C0NEW": "automatic"}, muted_channels=frozenset({"C0NEW"})), "C0NEW", "off"),
    ],
)
def test_switches_outweigh_the_policy_and_stop_outweighs_both(switches, channel, mode):
    assert TeamSettings(DEFAULT, switches).mode(channel) == mode


# --- What is kept -------------------------------------------------------------------------------------------


@pytest.fixture
def store(dynamodb, ledger_table) -> SettingsStore:
    return SettingsStore(dynamodb, ledger_table, DEFAULT)


@pytest.fixture
def elsewhere(store) -> SettingsStore:
    """Another instance, which remembers nothing of what the first one did."""
    return SettingsStore(store.client, store.table, DEFAULT)


def test_a_team_that_has_set_nothing_has_the_policy_that_is_shipped(store, team):
    assert store.load(team, NOW) == TeamSettings(DEFAULT, Switches(), version=0)
    assert store.read_policy(team) is None


def test_a_policy_that_is_saved_is_in_force_and_other_teams_have_theirs(store, elsewhere, team):
    assert store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW) == 1

    loaded = elsewhere.load(team, NOW)
    assert (loaded.policy, loaded.version) == (Policy(routes={"technical": "C0TECH"}), 1)
    assert elsewhere.read_policy(team).text == SAVED
    assert elsewhere.load(f"{team}2", NOW).policy == DEFAULT


def test_a_bad_policy_is_refused_and_the_old_one_stays(store, elsewhere, team):
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)

    with pytest.raises(PolicyError, match="line 2"):
        store.save_policy(team, WrittenPolicy.of("version: 1\nroutes: C0TECH\n"), "U0ANNA", NOW)

    assert elsewhere.load(team, NOW).version == 1
    assert [change.what for change in store.read_history(team, 9)] == ["policy"]


def test_who_saves_over_what_they_have_not_seen_is_stopped(store, team):
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW, base=0)

    with pytest.raises(PolicyChanged):
        store.save_policy(team, WrittenPolicy.of(SAVED), "U0BEN", NOW, base=0)
    assert store.save_policy(team, WrittenPolicy.of(SAVED), "U0BEN", NOW, base=1) == 2


def test_of_two_who_save_at_the_same_moment_one_is_told(store, team, monkeypatch):
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)
    seen = store.read_policy(team)
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)
    monkeypatch.setattr(SettingsStore, "read_policy", lambda *_: seen)

    with pytest.raises(PolicyChanged):
        store.save_policy(team, WrittenPolicy.of(SAVED), "U0BEN", NOW)


def test_a_long_policy_of_many_characters_is_kept_whole(store, elsewhere, team):
    text = SAVED + "#" + "𝕏" * 99_000

    store.save_policy(team, WrittenPolicy.of(text), "U0ANNA", NOW)

    assert elsewhere.read_policy(team).text == text


def test_switches_hold_until_they_are_set_back(store, elsewhere, team):
    store.set_mode(team, "C0NEW", "automatic", "U0ANNA", NOW)
    store.mute(team, "C0LOUD", "U0ANNA", NOW)
    store.mute(team, "U0LOUD", "U0ANNA", NOW)
    store.stop(team, "U0ANNA", NOW)
    set_to = elsewhere.load(team, NOW).switches
    store.set_mode(team, "C0NEW", None, "U0ANNA", NOW)
    store.unmute(team, "C0LOUD", "U0ANNA", NOW)
    store.unmute(team, "U0LOUD", "U0ANNA", NOW)
    store.start(team, "U0ANNA", NOW)

    assert set_to == Switches(True, {"C0NEW": "automatic"}, frozenset({"C0LOUD"}), frozenset({"U0LOUD"}))
    assert store.load(team, NOW).switches == Switches()


def test_who_set_what_is_kept_the_latest_first(store, team):
    store.mute(team, "C0LOUD", "U0ANNA", NOW)
    store.set_mode(team, "C0NEW", "watch-only", "U0BEN", NOW + 1)
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW + 2)

    assert store.read_history(team, 2) == (
        Change("policy", "1", "U0ANNA", NOW + 2),
        Change("mode of C0NEW", "watch-only", "U0BEN", NOW + 1),
    )


# --- A policy that can no longer be read --------------------------------------------------------------------


def break_policy(store: SettingsStore, team: str, text: str) -> None:
    """Save what this program takes for wrong, as a later one may that knows more."""
    version = store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)
    for sk in ("now#policy", f"policy#{version:08}"):
        store.client.update_item(
            TableName=store.table,
            Key={"pk": {"S": f"settings#{team}"}, "sk": {"S": sk}},
            UpdateExpression="SET document = :text",
            ExpressionAttributeValues={":text": {"S": text}},
        )


def test_instead_of_a_policy_that_cannot_be_read_the_last_readable_one_stays(store, elsewhere, team):
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)
    break_policy(store, team, "version: 99")
    break_policy(store, team, "rules: of tomorrow")

    loaded = elsewhere.load(team, NOW)

    assert (loaded.policy.routes, loaded.version, loaded.unreadable) == ({"technical": "C0TECH"}, 1, 3)


def test_where_none_can_be_read_the_shipped_one_holds(store, elsewhere, team):
    break_policy(store, team, "version: 99")

    assert elsewhere.load(team, NOW) == TeamSettings(DEFAULT, Switches(), 0, unreadable=1)


# --- How often it is read -----------------------------------------------------------------------------------


@pytest.fixture
def calls(store) -> Counter:
    """What is asked of DynamoDB from here on, by operation."""
    counted: Counter = Counter()
    events = store.client.meta.events
    events.register("before-call.dynamodb", lambda model, **_: counted.update([model.name]), unique_id="counted")
    yield counted
    events.unregister("before-call.dynamodb", unique_id="counted")


def test_everything_is_one_query_and_fresh_for_a_few_seconds(store, team, calls):
    store.set_mode(team, "C0NEW", "automatic", "U0ANNA", NOW)
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)
    calls.clear()

    for second in range(FRESH_SECONDS):
        store.load(team, NOW + second)
    assert calls == {"Query": 1}
    store.load(team, NOW + FRESH_SECONDS)
    assert calls == {"Query": 2}


def test_what_another_instance_sets_is_seen_when_the_memory_is_no_longer_fresh(store, elsewhere, team):
    assert not store.load(team, NOW).switches.stopped
    elsewhere.stop(team, "U0ANNA", NOW)

    assert not store.load(team, NOW + FRESH_SECONDS - 1).switches.stopped
    assert store.load(team, NOW + FRESH_SECONDS).switches.stopped


def test_what_this_instance_sets_is_seen_at_once(store, team):
    store.load(team, NOW)
    store.stop(team, "U0ANNA", NOW)

    assert store.load(team, NOW).switches.stopped


def test_a_table_that_does_not_answer_is_said_so(dynamodb, team):
    store = SettingsStore(dynamodb, "no-such-table", DEFAULT)

    with pytest.raises(LedgerUnavailable):
        store.load(team, NOW)
    with pytest.raises(LedgerUnavailable):
        store.stop(team, "U0ANNA", NOW)


def test_no_row_but_the_history_ever_expires(store, team):
    store.save_policy(team, WrittenPolicy.of(SAVED), "U0ANNA", NOW)
    store.stop(team, "U0ANNA", NOW)

    rows = store.client.query(
        TableName=store.table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"settings#{team}"}},
    )["Items"]

    assert {row["sk"]["S"].partition("#")[0] for row in rows if "expires_at" in row} == {"history"}
