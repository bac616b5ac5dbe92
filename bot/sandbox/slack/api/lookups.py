"""auth.test, users.info, bots.info, usergroups.list: who is who."""

from bot.sandbox.slack.api.call import Call
from bot.sandbox.slack.objects import bot_object, group_object, user_object
from bot.sandbox.slack.workspace import Json, Refused


def auth_test(call: Call) -> Json:
    workspace = call.workspace
    return {
        "url": call.origin,
        "team": workspace.team.name,
        "user": workspace.bot.name,
        "team_id": workspace.team.id,
        "user_id": workspace.bot.user_id,
        "bot_id": workspace.bot.bot_id,
        "is_enterprise_install": False,
    }


def users_info(call: Call) -> Json:
    return {"user": user_object(call.workspace, call.workspace.user(call.required("user")))}


def bots_info(call: Call) -> Json:
    if call.required("bot") != call.workspace.bot.bot_id:
        raise Refused("bot_not_found")
    return {"bot": bot_object(call.workspace)}


def usergroups_list(call: Call) -> Json:
    with_users = call.flag("include_users")
    groups = call.workspace.groups.values()
    return {"usergroups": [group_object(call.workspace, each, with_users=with_users) for each in groups]}
