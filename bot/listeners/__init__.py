"""The table of listeners: all that the app reacts to, on one screen."""

import re
from functools import partial

from slack_bolt import App

from bot.listeners import dialogs, home, rules, upload
from bot.listeners.actions import correct_message, split_messages
from bot.listeners.answers import post_text
from bot.listeners.dependencies import Dependencies
from bot.ui import home as home_ids
from bot.ui import inspect_dialog as inspection
from bot.ui import policy_dialog, policy_upload, rule_dialog
from bot.ui.classify import POST_ACTION
from bot.ui.reply import ACTION_PREFIX, SPLIT_ACTION


def register(app: App, dependencies: Dependencies) -> None:
    """Pair each of Slack's ids with the function that handles it."""
    app.action(_beginning(ACTION_PREFIX))(partial(correct_message, dependencies.corrections))
    app.action(SPLIT_ACTION)(partial(split_messages, dependencies.corrections))
    app.action(POST_ACTION)(partial(post_text, dependencies.corrections))
    app.action(_beginning(home_ids.REVIEW_ACTION))(partial(home.press, dependencies, home.review))
    app.action(home_ids.DONE_ACTION)(partial(home.press, dependencies, home.settle))
    app.action(home_ids.MODE_ACTION)(partial(home.press, dependencies, home.set_mode))
    app.action(home_ids.STOP_ACTION)(partial(home.press, dependencies, home.stop))
    app.action(home_ids.START_ACTION)(partial(home.press, dependencies, home.start))
    app.action(home_ids.POLICY_ACTION)(partial(dialogs.press, dependencies, dialogs.open_policy))
    app.action(home_ids.ROUTES_ACTION)(partial(dialogs.press, dependencies, dialogs.open_routes))
    app.action(home_ids.RULES_ACTION)(partial(dialogs.press, dependencies, rules.open_rules))
    app.action(rule_dialog.OPEN_ACTION)(partial(dialogs.press, dependencies, rules.open_rule))
    app.action(rule_dialog.REMOVE_ACTION)(partial(dialogs.press, dependencies, rules.remove))
    app.action(home_ids.UPLOAD_ACTION)(partial(dialogs.press, dependencies, upload.open_upload))
    app.action(policy_dialog.TRY_ACTION)(partial(dialogs.press, dependencies, dialogs.try_policy))
    app.view(policy_dialog.POLICY_CALLBACK)(partial(dialogs.save_policy, dependencies))
    app.view(policy_dialog.ROUTE_CALLBACK)(partial(dialogs.save_route, dependencies))
    app.view(rule_dialog.RULE_CALLBACK)(partial(rules.save_rule, dependencies))
    app.view(policy_upload.UPLOAD_CALLBACK)(partial(upload.take_file, dependencies))
    app.view(policy_upload.REVIEW_CALLBACK)(partial(upload.save_file, dependencies))
    app.shortcut(inspection.SHORTCUT)(partial(dialogs.press, dependencies, dialogs.inspect))
    app.action(_beginning(inspection.CORRECT_ACTION))(partial(dialogs.press, dependencies, dialogs.correct))
    app.action(inspection.POST_ACTION)(partial(dialogs.press, dependencies, dialogs.post_text))


def _beginning(prefix: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(prefix)}")
