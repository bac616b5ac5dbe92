"""A workspace's week in figures: the blocks that App Home and the answer to `/classify stats` share."""

from collections.abc import Iterator

from slack_sdk.models.blocks import Block

from bot.slack.blocks import View, build_view, columns, context, section
from bot.store.stats import Week
from bot.ui.text import board as words
from classifier_infra.model.manifest import Facet, Manifest

# The rest of a large taxonomy is in the records, not on a page.
_MOST_LABELS = 12


def build_figures(week: Week, manifest: Manifest) -> list[Block]:
    """Show what came in, what it was about, how often people agreed, how soon somebody answered."""
    blocks: list[Block] = [section(words.week(week.triaged, week.ignored))]
    if week.triaged:
        agreed = "\n".join([words.PRECISION_TITLE, *_verdicts(week, manifest)])
        blocks.append(columns(["\n".join([words.VOLUMES_TITLE, *_volumes(week, manifest.facets[0])]), agreed]))
        blocks.append(context(words.outcomes(sorted(week.outcomes.items(), key=lambda part: -part[1]))))
    return blocks


def _volumes(week: Week, facet: Facet) -> Iterator[str]:
    shown = list(week.volumes.items())[:_MOST_LABELS]
    for label, count in shown:
        yield words.volume(facet.display(label), count, shown[0][1])


def _verdicts(week: Week, manifest: Manifest) -> Iterator[str]:
    for facet in manifest.facets:
        yield words.precision(facet.name.replace("_", " ").capitalize(), *week.verdicts(facet.name))


def build_stats(week: Week, manifest: Manifest) -> View:
    """Build the answer to `/classify stats`."""
    spoken = [words.week(week.triaged, week.ignored), *_verdicts(week, manifest)]
    return build_view(" ".join(spoken), build_figures(week, manifest))
