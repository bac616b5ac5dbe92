"""The answers to `/classify policy` and `/classify version`: the settings in force, in words."""

from collections.abc import Iterator

from bot.policy.policy import find_mismatches
from bot.policy.settings import TeamSettings
from bot.slack.blocks import View, build_view, section
from bot.store.settings import SavedPolicy
from bot.ui.text import commands as command_text
from bot.ui.text.thread import facet_title
from classifier_infra.model.manifest import Manifest

_MOST_LINES = 30


def build_policy(settings: TeamSettings, saved: SavedPolicy | None, manifest: Manifest) -> View:
    """Show the channels' modes, the routes, the rules, and who saved the policy."""
    modes = "\n".join([command_text.CHANNELS_TITLE, *_modes(settings)])
    parts = [modes, *describe_rules(settings, saved, manifest)]
    return build_view("\n".join(parts), [section(part) for part in parts])


def describe_rules(settings: TeamSettings, saved: SavedPolicy | None, manifest: Manifest) -> list[str]:
    """Describe the routes, the rules, who saved the policy, and what in it does not fit the model."""
    routes = "\n".join([f"*{facet_title(manifest.facets[0].name)}*", *_routes(settings, manifest)])
    rules = [command_text.rules([rule.name for rule in settings.policy.rules])] if settings.policy.rules else []
    found = find_mismatches(settings.policy, manifest)
    return [routes, *rules, *_origin(settings, saved), *([command_text.mismatches(found)] if found else ())]


def build_version(settings: TeamSettings, saved: SavedPolicy | None, manifest: Manifest) -> View:
    """Show the model and the version of the policy in use."""
    labels = ", ".join(label.display for facet in manifest.facets for label in facet.labels)
    text = "\n".join([command_text.model(manifest.version, labels), *_origin(settings, saved)])
    return build_view(text, [section(text)])


def _modes(settings: TeamSettings) -> Iterator[str]:
    if settings.switches.stopped:
        yield command_text.STOPPED
    channels = dict.fromkeys([*settings.policy.modes, *settings.switches.modes, *settings.switches.muted_channels])
    for channel in list(channels)[:_MOST_LINES]:
        yield command_text.mode_of(channel, settings.mode(channel))
    yield command_text.mode_elsewhere(settings.policy.default_mode)


def _routes(settings: TeamSettings, manifest: Manifest) -> Iterator[str]:
    for label in manifest.facets[0].labels[:_MOST_LINES]:
        yield command_text.route(label.display, settings.policy.routes.get(label.name))


def _origin(settings: TeamSettings, saved: SavedPolicy | None) -> Iterator[str]:
    yield (
        command_text.policy_saved(saved.version, saved.user, saved.saved_at) if saved else command_text.NO_POLICY_SAVED
    )
    if settings.unreadable:
        yield command_text.policy_unreadable(settings.unreadable)
