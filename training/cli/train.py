"""`train`: train a model folder from a data folder."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model import MOST_BYTES_IN_MEMORY
from training.blazingtext.hyperparameters import SUPERVISED, Value, estimate_bytes, resolve
from training.cli.options import add_command, describe_accuracy, number, parse_setting, print_dropped
from training.data.dataset import TEST, Facet, Problem, read_dataset
from training.data.duplicates import find_duplicates
from training.linear import FeatureSettings, Hyperparameters

LINEAR, BLAZINGTEXT = "linear", "blazingtext"

# scikit-learn takes seconds to import, so commands import it only after reading their data.


def add_train(commands: Any) -> None:
    command = add_command(commands, "train", "train a model folder from labelled texts", _train)
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="a data folder, see below")
    command.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="where to write the model")
    command.add_argument("--lenient", action="store_true", help="skip bad rows and list them")
    command.add_argument(
        "--trainer",
        choices=[LINEAR, BLAZINGTEXT],
        default=LINEAR,
        help="linear: calibrated linear heads, good from a few hundred rows; blazingtext: what a BlazingText training "
        "job would train, run with fastText on this machine (default %(default)s)",
    )
    defaults = ", ".join(f"{name}={value}" for name, value in resolve(SUPERVISED, {}).items())
    command.add_argument_group("the blazingtext trainer").add_argument(
        "--hyperparameter",
        action="append",
        default=[],
        type=parse_setting,
        metavar="NAME=VALUE",
        help=f"a BlazingText hyperparameter; repeatable (defaults: {defaults})",
    )
    _add_linear_options(command)


def _add_linear_options(command: Any) -> None:
    features = command.add_argument_group("features of the linear trainer, counted as fastText counts them")
    head = command.add_argument_group("heads of the linear trainer")
    defaults = Hyperparameters()

    def add(group: Any, name: str, kind: Any, default: object, text: str) -> None:
        group.add_argument(name, type=kind, default=default, help=f"{text} (default %(default)s)")

    add(features, "--word-ngrams", number(int, 1), defaults.features.word_ngrams, "words of the longest word n-gram")
    add(features, "--minn", number(int, 1), defaults.features.minn, "characters of the shortest sub-word")
    add(
        features,
        "--maxn",
        number(int, 0),
        defaults.features.maxn,
        "characters of the longest sub-word, 0 for no sub-words; they help with typos and short texts",
    )
    add(features, "--min-count", number(int, 1), defaults.features.min_count, "occurrences that make a word known")
    features.add_argument(
        "--buckets",
        type=number(int, 1),
        default=defaults.buckets,
        help="hashed ids for n-grams and sub-words, 4 bytes per label each (default: by the amount of text, up to "
        "8 MiB)",
    )
    add(head, "--cost", number(float, 1e-6), defaults.cost, "higher fits the training rows closer, lower smooths more")
    add(
        head,
        "--bayes",
        number(float, 0),
        defaults.bayes,
        "weight of naive Bayes relative to the support vector machine; try 0.8 for many classes of short texts",
    )
    head.add_argument(
        "--search",
        action="store_true",
        help="choose --cost, --word-ngrams, --maxn and then --bayes by cross-validation",
    )
    head.add_argument("--balanced", action="store_true", help="weight rare classes as much as frequent ones")
    add(
        head,
        "--folds",
        number(int, 2, 20),
        defaults.folds,
        "cross-validation folds; one fold alone, or validation.csv alone, is used if it has a thousand rows",
    )
    add(head, "--seed", number(int, 0), defaults.seed, "seed of the random number generator")


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
    from training.artefact import write_artefact

    name = options.out.resolve().name
    content, manifest = _run_locally(name, facets, values) if values else _fit(options, name, facets, hyperparameters)
    write_artefact(options.out, content, manifest)
    _print_training(manifest)
    print(f"Wrote {options.out}: version {manifest.version}, model.bin {manifest.model_bytes / 1e6:.1f} MB")


def _check_trainer(options: argparse.Namespace) -> None:
    if options.trainer == BLAZINGTEXT and options.search:
        options.refuse("argument --search: only for the linear trainer")
    if options.trainer != BLAZINGTEXT and options.hyperparameter:
        options.refuse(f"argument --hyperparameter: only for --trainer {BLAZINGTEXT}")


def _read_values(options: argparse.Namespace) -> dict[str, str]:
    values = dict(options.hyperparameter)
    if values.pop("mode", SUPERVISED) != SUPERVISED:
        options.refuse(f"argument --hyperparameter: a classifier needs mode={SUPERVISED}")
    return values


def _run_locally(name: str, facets: Sequence[Facet], values: Mapping[str, Value]) -> tuple[bytes, Manifest]:
    from training.blazingtext.trainer import train_blazingtext

    least = estimate_bytes(values, words=0)
    if least > MOST_BYTES_IN_MEMORY:
        print(
            f"note: model.bin will have at least {least / 1e6:,.0f} MB, too large to classify without an endpoint; "
            f"fewer buckets or a smaller vector_dim keep it below {MOST_BYTES_IN_MEMORY / 1e6:.0f} MB"
        )
    if values["early_stopping"]:
        print("note: fastText has no early stopping; all epochs will run")
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
    from training.linear.search import list_candidates, search, vary_bayes

    candidates = list_candidates(start)
    tried = len(candidates) + len(vary_bayes(start))
    with tqdm(total=tried, desc="Trying options", unit="trial", disable=None, leave=False) as bar:
        best = search(facets, candidates, bar.update)[0]
        mixed = search(facets, vary_bayes(best.hyperparameters), bar.update)[0]
    best = mixed if mixed.macro_f1 > best.macro_f1 else best
    chosen = best.hyperparameters
    print(
        f"best of {tried} settings: --cost {chosen.cost:g} "
        f"--word-ngrams {chosen.features.word_ngrams} --maxn {chosen.features.maxn} --bayes {chosen.bayes:g} "
        f"(macro-F1 {best.macro_f1:.1%} in cross-validation)"
    )
    return chosen


def _print_training(manifest: Manifest) -> None:
    for facet in manifest.facets:
        described = manifest.training["facets"][facet.name]
        if "test" in described:
            print(describe_accuracy(facet.name, described["test"], TEST))
        else:
            rows = "validation" + " (before the final fit on all rows)" * described["refitted"]
            print(describe_accuracy(facet.name, described["validation"], rows))
        automatic = f"from confidence {facet.threshold:.2f}" if facet.threshold < 1 else "never"
        print(f"  automatic: {automatic} (validation precision 95 %)")
