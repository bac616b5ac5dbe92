"""Buttons and menus of the Home tab: each is stored at once, and the worker publishes the tab a moment later."""

from collections.abc import Callable

from slack_sdk import WebClient

from bot.listeners.dependencies import Dependencies
from bot.listeners.press import Act, Json, build_key, read_sender
from bot.queue.messages import HomeRecord
from bot.ui.home import read_item, read_mode, read_review


def then_show(act: Callable[[Dependencies, HomeRecord, Json], None]) -> Act:
    """Act on a press, then have the tab published anew."""

    def act_and_show(dependencies: Dependencies, body: Json, client: WebClient) -> None:
        who = read_sender(dependencies, body)
        act(dependencies, who, body["actions"][0])
        dependencies.send(who)

    return act_and_show


def review(dependencies: Dependencies, who: HomeRecord, action: Json) -> None:
    channel, ts, facet, label = read_review(action["value"])
    dependencies.corrections.take(build_key(who.team, channel, ts), facet, label, who.user)


def settle(dependencies: Dependencies, who: HomeRecord, action: Json) -> None:
    dependencies.stats.settle("urgent", build_key(who.team, *read_item(action["value"])))


def set_mode(dependencies: Dependencies, who: HomeRecord, action: Json) -> None:
    channel, mode = read_mode(action["selected_option"]["value"])
    dependencies.require_allowed(who.team, who.user)
    dependencies.settings.set_mode(who.team, channel, mode, who.user, dependencies.now())


def stop(dependencies: Dependencies, who: HomeRecord, action: Json) -> None:
    dependencies.settings.stop(who.team, who.user, dependencies.now())


def start(dependencies: Dependencies, who: HomeRecord, action: Json) -> None:
    dependencies.require_allowed(who.team, who.user)
    dependencies.settings.start(who.team, who.user, dependencies.now())
