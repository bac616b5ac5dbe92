import json
from dataclasses import replace

import pytest

from bot.policy.policy import Policy
from bot.policy.settings import Switches, TeamSettings
from bot.queue.messages import MessageKey
from bot.sandbox.slack.api.block_kit import view_problems
from bot.store.settings import SavedPolicy
from bot.store.stats import MOST_WAITING, Week
from bot.ui.home import ChannelSetting, Home, Item, build_home, read_item, read_mode, read_review
from bot.ui.text import home as home_text
from classifier_infra.model.manifest import Facet, Label
from classifier_infra.model.prediction import Score
from classifier_infra.pricing.estimate import Cost

KEY = MessageKey("T0", "C0SUPPORT", "1700000000.000100")
GUESSES = (Score("billing", 0.62), Score("technical", 0.3), Score("general", 0.08))


@pytest.fixture
def home(manifest) -> Home:
    return Home(at=1_700_000_100, manifest=manifest, settings=TeamSettings(Policy()), saved=None, week=Week())


def text_of(view) -> str:
    return json.dumps(view, ensure_ascii=False)


def controls(view, action_id: str):
    parts = [part for block in view["blocks"] for part in (*block.get("elements", ()), block.get("accessory") or {})]
    return [part for part in parts if part.get("action_id", "").startswith(action_id)]


def test_a_new_workspace_is_told_what_is_not_there_yet(home):
    shown = text_of(build_home(home))

    assert home_text.NOTHING_URGENT in shown
    assert home_text.NOTHING_TO_REVIEW in shown
    assert "First answer by a person: not yet known." in shown


def test_times_are_shown_in_the_readers_zone(home):
    assert "<!date^1700000100^{date_short_pretty} at {time}|2023-11-14 22:15 UTC>" in text_of(build_home(home))


def test_the_week_has_volumes_agreement_and_the_time_to_an_answer(home):
    counts = {"outcome#suggest": 4, "label#billing": 3, "label#technical": 1, "right#category": 3, "wrong#category": 1}
    shown = text_of(build_home(replace(home, week=Week({**counts, "answered#300": 2}))))

    assert "3 Billing" in shown
    assert "Category: 3 of 4 confirmed (75%)" in shown
    assert "half of them within 5 minutes" in shown


def test_a_policy_that_does_not_fit_the_model_is_said_not_to(home):
    odd = Policy(routes={"biling": "C0BILLING", **{f"label-{number}": "C0X" for number in range(20)}})

    shown = text_of(build_home(replace(home, settings=TeamSettings(odd))))

    assert "The policy does not fit the model in use" in shown
    assert "• the classifier's 'category' has no label 'biling'" in shown
    assert "• and 13 more" in shown
    assert "does not fit" not in text_of(build_home(home))


def test_what_classifying_costs_is_said_where_it_is_known(home):
    cost = Cost("real-time", {"an instance": 74.46}, messages_a_month=60_000)
    sentence = "At this week's pace, real-time classifying costs $74.46 a month, $1.24 per 1,000 messages."

    assert sentence in text_of(build_home(replace(home, cost=cost)))
    assert "classifying costs" not in text_of(build_home(home))


def test_each_message_to_review_has_a_button_for_each_of_its_likeliest_labels(home):
    item = Item(KEY, GUESSES, "charged twice", "https://sandbox.slack.com/archives/C0SUPPORT/p1700000000000100")
    buttons = controls(build_home(replace(home, review=(item,), review_count=1)), "review:")

    assert [button["text"]["text"] for button in buttons] == ["Billing", "Technical", "General"]
    assert read_review(buttons[1]["value"]) == ("C0SUPPORT", "1700000000.000100", "category", "technical")


def test_what_somebody_wrote_is_shown_as_it_is_and_pings_nobody(home):
    item = Item(KEY, GUESSES, "<!channel> :tada: *help*", None)
    view = build_home(replace(home, urgent=(item,), urgent_count=1))

    [quote] = [block["text"] for block in view["blocks"] if "<!channel>" in text_of(block)]
    assert (quote["type"], quote["emoji"]) == ("plain_text", False)


def test_an_urgent_request_can_be_called_done(home):
    [done] = controls(build_home(replace(home, urgent=(Item(KEY, GUESSES, "", None),), urgent_count=1)), "done")

    assert read_item(done["value"]) == ("C0SUPPORT", "1700000000.000100")


def test_more_than_is_shown_is_said(home):
    items = (Item(KEY, GUESSES, "", None),)

    assert home_text.more("3") in text_of(build_home(replace(home, review=items, review_count=4)))
    assert "49 or more" in text_of(build_home(replace(home, review=items, review_count=MOST_WAITING)))


def test_each_channel_has_a_menu_with_its_mode_and_a_muted_one_says_how_to_come_back(home):
    channels = (ChannelSetting("C0SUPPORT", "watch-only", muted=False), ChannelSetting("C0LEADS", "off", muted=True))
    view = build_home(replace(home, channels=channels))

    [menu] = controls(view, "mode")
    assert read_mode(menu["initial_option"]["value"]) == ("C0SUPPORT", "watch-only")
    assert home_text.channel("C0LEADS", muted=True) in text_of(view)


def test_one_button_stops_the_bot_and_the_other_starts_it(home):
    assert [len(controls(build_home(home), name)) for name in ("stop", "start")] == [1, 0]

    stopped = build_home(replace(home, settings=TeamSettings(Policy(), Switches(stopped=True))))
    assert [len(controls(stopped, name)) for name in ("stop", "start")] == [0, 1]


def test_slack_takes_the_fullest_home_there_can_be(home):
    labels = tuple(Label(f"label-{number}", "W" * 200) for number in range(120))
    manifest = replace(home.manifest, facets=(Facet("category", labels), *home.manifest.facets[1:]))
    guesses = tuple(Score(label.name, 0.2) for label in labels[:4])
    items = tuple(
        Item(replace(KEY, ts=f"170000000{number}.000100"), guesses, "&" * 20_000, "https://x.slack.com/" + "p" * 500)
        for number in range(5)
    )
    counts = {f"label#{label.name}": 10**9 for label in labels} | {"outcome#suggest": 10**9}
    routes = {label.name: "C0123456789" for label in labels}
    full = replace(
        home,
        manifest=manifest,
        settings=TeamSettings(Policy(routes=routes), version=1),
        saved=SavedPolicy(1, "version: 1", "U0ANNA", 1_700_000_000),
        week=Week(counts),
        urgent=items,
        review=items,
        urgent_count=50,
        review_count=50,
        channels=tuple(ChannelSetting(f"C{number}", "suggest", muted=False) for number in range(200)),
    )

    view = json.loads(json.dumps(build_home(full)))

    assert view_problems(view) == []
    assert len(json.dumps(view)) < 250_000
