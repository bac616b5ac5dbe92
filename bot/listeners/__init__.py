"""The table of listeners: everything that the app reacts to."""

import re
from functools import partial

from slack_bolt import App, BoltResponse

from bot.listeners import dialogs, home, rules, upload
from bot.listeners.actions import correct_message, post_text, split_messages
from bot.listeners.dependencies import Dependencies
from bot.listeners.press import Act, press
from bot.ui import home as home_ids
from bot.ui import inspect_dialog as inspection
from bot.ui import policy_dialog, policy_upload, rule_dialog
from bot.ui.classify import POST_ACTION
from bot.ui.reply import ACTION_PREFIX, SPLIT_ACTION


def register(app: App, dependencies: Dependencies) -> None:
    """Register one function per id of Slack's."""

    def on_press(act: Act) -> partial[BoltResponse]:
        return partial(press, dependencies, act)

    app.action(_beginning(ACTION_PREFIX))(partial(correct_message, dependencies.corrections))
    app.action(SPLIT_ACTION)(partial(split_messages, dependencies.corrections))
    app.action(POST_ACTION)(partial(post_text, dependencies.corrections))
    app.action(_beginning(home_ids.REVIEW_ACTION))(on_press(home.then_show(home.review)))
    app.action(home_ids.DONE_ACTION)(on_press(home.then_show(home.settle)))
    app.action(home_ids.MODE_ACTION)(on_press(home.then_show(home.set_mode)))
    app.action(home_ids.STOP_ACTION)(on_press(home.then_show(home.stop)))
    app.action(home_ids.START_ACTION)(on_press(home.then_show(home.start)))
    app.action(home_ids.POLICY_ACTION)(on_press(dialogs.open_policy))
    app.action(home_ids.ROUTES_ACTION)(on_press(dialogs.open_routes))
    app.action(home_ids.RULES_ACTION)(on_press(rules.open_rules))
    app.action(home_ids.UPLOAD_ACTION)(on_press(upload.open_upload))
    app.action(rule_dialog.OPEN_ACTION)(on_press(rules.open_rule))
    app.action(rule_dialog.REMOVE_ACTION)(on_press(rules.remove))
    app.action(policy_dialog.TRY_ACTION)(on_press(dialogs.try_policy))
    app.view(policy_dialog.POLICY_CALLBACK)(partial(dialogs.save_policy, dependencies))
    app.view(policy_dialog.ROUTE_CALLBACK)(partial(dialogs.save_route, dependencies))
    app.view(rule_dialog.RULE_CALLBACK)(partial(rules.save_rule, dependencies))
    app.view(policy_upload.UPLOAD_CALLBACK)(partial(upload.take_file, dependencies))
    app.view(policy_upload.REVIEW_CALLBACK)(partial(upload.save_file, dependencies))
    app.shortcut(inspection.SHORTCUT)(on_press(dialogs.inspect))
    app.action(_beginning(inspection.CORRECT_ACTION))(on_press(dialogs.correct))
    app.action(inspection.POST_ACTION)(on_press(dialogs.post_text))


def _beginning(prefix: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(prefix)}")
