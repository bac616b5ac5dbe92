"""`evaluate`: measure a model folder on labelled texts."""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from classifier_infra.model.artefact import ARCHIVE, Artefact, extract_model, open_artefact
from classifier_infra.model.explanation import Explainer
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model_file import open_model_file
from training.cli.options import add_command, describe_accuracy
from training.data.atomic_files import write_text
from training.data.dataset import TEST, TRAIN, VALIDATION, DataError, Facet, Problem, read_dataset, unknown_labels

# scikit-learn takes seconds to import, so commands import it only after reading their data.


def add_evaluate(commands: Any) -> None:
    command = add_command(commands, "evaluate", "measure a model folder on labelled texts", _evaluate)
    command.add_argument("model", type=Path, metavar="MODEL_DIR", help="a folder that `train` wrote")
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="a data folder, see below")
    command.add_argument(
        "--split",
        choices=[TEST, VALIDATION, TRAIN],
        default=TEST,
        help="rows to measure on; only test.csv is unseen in training (default %(default)s)",
    )
    command.add_argument("--json", metavar="FILE", help="write the metrics as JSON; - is standard output")
    command.add_argument("--report", type=Path, metavar="FILE", help="write a self-contained HTML report")
    command.add_argument("--against", type=Path, metavar="MODEL_DIR", help="compare with this model on the same rows")
    command.add_argument(
        "--learning-curve",
        action="store_true",
        help="also train on growing parts of train.csv, to estimate the value of more rows",
    )
    command.add_argument(
        "--priors",
        type=Path,
        metavar="FILE",
        help='expected class shares, if they differ from the training rows\': {"tone": {"negative": 0.5, …}}',
    )


@dataclass(frozen=True)
class _Results:
    """Results by facet; `against` is the version of the model compared with, if any."""

    answers: Mapping[str, Any]
    comparisons: Mapping[str, Any]
    curves: Mapping[str, Sequence[Any]]
    against: str | None


def _evaluate(options: argparse.Namespace) -> None:
    artefact = open_artefact(options.model)
    if options.learning_curve and artefact.manifest.training.get("trainer") != "linear":
        options.refuse("argument --learning-curve: only for models of the linear trainer")
    facets = read_dataset(options.data, [options.split, *([TRAIN] if options.learning_curve else [])])
    _check_evaluation(options, facets, artefact.manifest)
    results = _measure(options, artefact, facets)
    document = _describe(options, artefact.manifest, results)
    if options.report:
        _write_report(options, artefact.manifest, facets, results)
    if options.json is not None:
        _write_json(options.json, document)
    else:
        _print_results(options, document)


def _measure(options: argparse.Namespace, artefact: Artefact, facets: Sequence[Facet]) -> _Results:
    from training.evaluate import answer
    from training.metrics import compare

    priors = _read_priors(options.priors, artefact.manifest) if options.priors else None
    answers = answer(artefact, facets, options.split, priors)
    curves = {facet.name: _learning_curve(options, facet, artefact.manifest) for facet in facets}
    if not options.against:
        return _Results(answers, {}, curves, None)
    other = open_artefact(options.against)
    _check_evaluation(options, facets, other.manifest)
    others = answer(other, facets, options.split)
    comparisons = {name: compare(given, others[name]) for name, given in answers.items()}
    return _Results(answers, comparisons, curves, other.manifest.version)


def _describe(options: argparse.Namespace, manifest: Manifest, results: _Results) -> dict[str, Any]:
    from training.evaluate import describe

    facets = {name: describe(given) for name, given in results.answers.items()}
    for name, comparison in results.comparisons.items():
        facets[name]["comparison"] = asdict(comparison)
    if options.learning_curve:
        for name in facets:
            facets[name]["learning_curve"] = [asdict(point) for point in results.curves[name]]
    against = {"against": results.against} if results.against else {}
    return {"model": manifest.version, "split": options.split, "facets": facets, **against}


def _print_results(options: argparse.Namespace, document: Mapping[str, Any]) -> None:
    for name, measured in document["facets"].items():
        print(describe_accuracy(name, measured, options.split))
        if "comparison" in measured:
            low, high = measured["comparison"]["interval"]
            difference = measured["comparison"]["difference"]
            print(f"  against {document['against']}: {difference:+.1%} ({low:+.1%} to {high:+.1%})")


def _read_priors(path: Path, manifest: Manifest) -> Any:
    """Read {facet: {label: share}}, with a share above 0 for every label of each facet."""
    remedy = 'write {"facet": {"label": share, …}} with a share above 0 for every label of the facet'
    try:
        priors = json.loads(path.read_text(encoding="utf-8"))
        labels = {facet.name: {label.name for label in facet.labels} for facet in manifest.facets}
        if any(shares.keys() != labels.get(name) or min(shares.values()) <= 0 for name, shares in priors.items()):
            raise ValueError("labels or shares do not match the model's facets")
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError([Problem(path, 0, f"invalid priors ({error})", remedy)]) from error
    return priors


def _learning_curve(options: argparse.Namespace, facet: Facet, manifest: Manifest) -> Sequence[Any]:
    if not options.learning_curve or not facet.split(options.split):
        return ()
    from training.report.learning_curve import learning_curve, recorded_hyperparameters

    with tqdm(desc=f"Learning curve of {facet.name}", unit="fit", disable=None, leave=False) as bar:
        return learning_curve(facet, options.split, recorded_hyperparameters(manifest.training), bar.update)


def _write_report(options: argparse.Namespace, manifest: Manifest, facets: Sequence[Facet], results: _Results) -> None:
    from training.report.report import Section, find_mistakes, write_report

    examples = {facet.name: facet.split(options.split) for facet in facets}
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        explainer = Explainer(open_model_file(extract_model(options.model / ARCHIVE, manifest, Path(folder))), manifest)
        sections = [
            Section(
                name,
                given,
                find_mistakes(given, examples[name], name, explainer),
                results.curves[name],
                results.comparisons.get(name),
            )
            for name, given in results.answers.items()
        ]
    with write_text(options.report) as file:
        file.write(write_report(manifest, sections, options.split, results.against))


def _check_evaluation(options: argparse.Namespace, facets: Sequence[Facet], manifest: Manifest) -> None:
    problems = [
        Problem(options.data, 0, f"the model does not know {name}", "evaluate on data with the model's own labels")
        for name in unknown_labels(facets, manifest)
    ]
    if not any(facet.split(options.split) for facet in facets):
        problems.append(Problem(options.data, 0, f"no row in {options.split}", "choose other rows with --split"))
    if problems:
        raise DataError(problems)


def _write_json(target: str, document: Mapping[str, object]) -> None:
    text = json.dumps(document, indent=2) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    with write_text(Path(target)) as file:
        file.write(text)
