"""`train`: from a data folder to a model folder."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model import MOST_BYTES_IN_MEMORY
from training.artefact import write_artefact
from training.blazingtext.hyperparameters import SUPERVISED, Value, estimate_bytes, resolve
from training.cli.options import add_command, describe_accuracy, number, print_dropped
from training.data.dataset import TEST, Facet, Problem, read_dataset
from training.data.duplicates import find_duplicates
from training.linear.hyperparameters import FeatureSettings, Hyperparameters

LINEAR, BLAZINGTEXT = "linear", "blazingtext"

# scikit-learn takes seconds to import: commands do so once their data are known to be good.


def add_train(commands: Any) -> None:
    command = add_command(commands, "train", "turn labelled texts into a model folder", _train)
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="a data folder, see below")
    command.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="where to write the model")
    command.add_argument("--lenient", action="store_true", help="leave bad rows out, and list them")
    command.add_argument(
        "--trainer",
        choices=[LINEAR, BLAZINGTEXT],
        default=LINEAR,
        help="linear: calibrated heads, good with a few hundred rows; blazingtext: as a BlazingText "
        "training job would, rehearsed with fastText on this machine (default %(default)s)",
    )
    _add_blazingtext_options(command.add_argument_group("the blazingtext trainer"))
    _add_feature_options(
        command.add_argument_group("features of the linear trainer, as fastText counts them"), Hyperparameters()
    )
    _add_head_options(command.add_argument_group("heads of the linear trainer"), Hyperparameters())


def _add_blazingtext_options(group: argparse._ArgumentGroup) -> None:
    defaults = ", ".join(f"{name}={value}" for name, value in resolve(SUPERVISED, {}).items())
    group.add_argument(
        "--hyperparameter",
        action="append",
        default=[],
        type=_read_value,
        metavar="NAME=VALUE",
        help=f"one of BlazingText's own, as often as you like (defaults: {defaults})",
    )


def _read_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def _add_feature_options(features: argparse._ArgumentGroup, defaults: Hyperparameters) -> None:
    features.add_argument(
        "--word-ngrams",
        type=number(int, 1),
        default=defaults.features.word_ngrams,
        help="words of the longest word n-gram (default %(default)s)",
    )
    features.add_argument(
        "--minn",
        type=number(int, 1),
        default=defaults.features.minn,
        help="characters of the shortest sub-word (default %(default)s)",
    )
    features.add_argument(
        "--maxn",
        type=number(int, 0),
        default=defaults.features.maxn,
        help="characters of the longest sub-word, 0 for no sub-words: they help with typos and short texts "
        "(default %(default)s)",
    )
    features.add_argument(
        "--min-count",
        type=number(int, 1),
        default=defaults.features.min_count,
        help="how often a word must occur to be known (default %(default)s)",
    )
    features.add_argument(
        "--buckets",
        type=number(int, 1),
        default=defaults.buckets,
        help="hashed ids for n-grams and sub-words; each takes 4 bytes a label (default: up to 8 MiB of them)",
    )


def _add_head_options(head: argparse._ArgumentGroup, defaults: Hyperparameters) -> None:
    head.add_argument(
        "--cost",
        type=number(float, 1e-6),
        default=defaults.cost,
        help="more follows the training rows more closely, less smooths more (default %(default)s)",
    )
    head.add_argument(
        "--bayes",
        type=number(float, 0),
        default=defaults.bayes,
        help="how much naive Bayes counts beside the support vector machine, which counts 1; worth a try (0.8) with "
        "many classes of short texts (default %(default)s)",
    )
    head.add_argument(
        "--search",
        action="store_true",
        help="try other values of --cost, --word-ngrams and --maxn, then of --bayes, by cross-validation, and train "
        "with the best",
    )
    head.add_argument("--balanced", action="store_true", help="let rare classes weigh as much as frequent ones")
    head.add_argument(
        "--folds",
        type=number(int, 2, 20),
        default=defaults.folds,
        help="parts of the rows, each of them validated by heads fitted to the others; one part alone where it has a "
        "thousand rows, and validation.csv where that has (default %(default)s)",
    )
    head.add_argument("--seed", type=number(int, 0), default=defaults.seed, help="default %(default)s")


def _hyperparameters(options: argparse.Namespace) -> Hyperparameters:
    if 0 < options.maxn < options.minn:
        options.refuse(f"argument --minn: {options.minn} is more than --maxn {options.maxn}")
    return Hyperparameters(
        features=FeatureSettings(options.word_ngrams, options.minn, options.maxn, options.min_count),
        buckets=options.buckets,
        cost=options.cost,
        bayes=options.bayes,
        balanced=options.balanced,
        folds=options.folds,
        seed=options.seed,
    )


def _train(options: argparse.Namespace) -> None:
    _check_trainer(options)
    values = resolve(SUPERVISED, _read_values(options)) if options.trainer == BLAZINGTEXT else None
    hyperparameters = _hyperparameters(options)
    dropped: list[Problem] | None = [] if options.lenient else None
    facets = read_dataset(options.data, dropped=dropped)
    print_dropped(dropped)
    _print_facets(facets)
    name = options.out.resolve().name
    content, manifest = _rehearse(name, facets, values) if values else _fit(options, name, facets, hyperparameters)
    write_artefact(options.out, content, manifest)
    _print_training(manifest)
    print(f"Wrote {options.out}: version {manifest.version}, model.bin {manifest.model_bytes / 1e6:.1f} MB")


def _check_trainer(options: argparse.Namespace) -> None:
    if options.trainer == BLAZINGTEXT and options.search:
        options.refuse("argument --search: it is for the linear trainer")
    if options.trainer != BLAZINGTEXT and options.hyperparameter:
        options.refuse(f"argument --hyperparameter: it is for --trainer {BLAZINGTEXT}")


def _read_values(options: argparse.Namespace) -> dict[str, str]:
    values = dict(options.hyperparameter)
    if values.pop("mode", SUPERVISED) != SUPERVISED:
        options.refuse(f"argument --hyperparameter: a classifier is trained with mode={SUPERVISED}")
    return values


def _rehearse(name: str, facets: Sequence[Facet], values: Mapping[str, Value]) -> tuple[bytes, Manifest]:
    from training.blazingtext.trainer import train_blazingtext

    least = estimate_bytes(values, words=0)
    if least > MOST_BYTES_IN_MEMORY:
        print(
            f"note: model.bin will have at least {least / 1e6:,.0f} MB, too many for a copy that stands in for the "
            f"endpoint: fewer buckets or a smaller vector_dim keep it below {MOST_BYTES_IN_MEMORY / 1e6:.0f} MB"
        )
    if values["early_stopping"]:
        print("note: fastText has no early stopping; all epochs are rehearsed")
    return train_blazingtext(name, facets, values, progress=sys.stderr.isatty())


def _fit(
    options: argparse.Namespace, name: str, facets: Sequence[Facet], hyperparameters: Hyperparameters
) -> tuple[bytes, Manifest]:
    from training.linear.trainer import train

    if options.search:
        hyperparameters = _search(facets, hyperparameters)
    with tqdm(desc="Fitting heads", unit="fit", disable=None, leave=False) as bar:

        def show(fits: int) -> None:
            bar.total = fits
            bar.update()

        return train(name, facets, hyperparameters, show)


def _print_facets(facets: Sequence[Facet]) -> None:
    for facet in facets:
        rows = ", ".join(f"{len(examples):,} in {name}" for name, examples in facet.examples.items())
        print(f"{facet.name}: {len(facet.labels)} classes; rows: {rows}")
        for repeat in find_duplicates(facet):
            print(f"  note: {repeat}")


def _search(facets: Sequence[Facet], start: Hyperparameters) -> Hyperparameters:
    from training.linear.search import list_candidates, list_mixtures, search

    candidates = list_candidates(start)
    tried = len(candidates) + len(list_mixtures(start))
    with tqdm(total=tried, desc="Trying options", unit="trial", disable=None, leave=False) as bar:
        best = search(facets, candidates, bar.update)[0]
        mixed = search(facets, list_mixtures(best.hyperparameters), bar.update)[0]
    best = mixed if mixed.macro_f1 > best.macro_f1 else best
    chosen = best.hyperparameters
    print(
        f"best of {tried} settings: --cost {chosen.cost:g} "
        f"--word-ngrams {chosen.features.word_ngrams} --maxn {chosen.features.maxn} --bayes {chosen.bayes:g} "
        f"(macro-F1 {best.macro_f1:.1%} on rows that the heads had not seen)"
    )
    return chosen


def _print_training(manifest: Manifest) -> None:
    for facet in manifest.facets:
        described = manifest.training["facets"][facet.name]
        if "test" in described:
            print(describe_accuracy(facet.name, described["test"], TEST))
        else:
            rows = "validation" + " (before the last fit, on all rows)" * described["refitted"]
            print(describe_accuracy(facet.name, described["validation"], rows))
        automatic = f"from confidence {facet.threshold:.2f} on" if facet.threshold < 1 else "never"
        print(f"  automatic: {automatic} (validation precision of 95 %)")
