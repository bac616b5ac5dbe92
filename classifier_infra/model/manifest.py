"""Read and write `manifest.json`, which describes a `model.bin` and how to interpret its scores."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

FORMAT = 1
LABEL_PREFIX = "__label__"

# Keys of the API's answers beside the facets.
RESERVED = frozenset(("decision", "model"))

# How raw scores become probabilities of a facet's labels; decoding.py has the formulas.
Method = Literal["direct", "heads", "joint"]


class ManifestError(ValueError):
    """The manifest is missing, damaged, or of an unknown format."""


NEVER = 1.0  # a threshold that no confidence reaches, because none was precise enough


@dataclass(frozen=True, slots=True)
class Label:
    """One class of a facet: its short name without white space, and its display name."""

    name: str
    display: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A question that the model answers with one of its labels.

    Decoding multiplies the facet's log-odds by `calibration` (1 / temperature; 1 if the model was exported at its
    temperature) and by the number of tokens to the power of `length_exponent`: the mean of few features is longer
    than that of many, so short texts would be too confident without it. A prediction is automatic from `threshold` on,
    until live evidence replaces the threshold.
    """

    name: str
    labels: tuple[Label, ...]
    calibration: float = 1.0
    length_exponent: float = 0.0
    threshold: float = NEVER

    def is_reached_by(self, confidence: float) -> bool:
        """Report whether a confidence is high enough to act on."""
        return confidence >= self.threshold and self.threshold < NEVER

    def display(self, name: str) -> str:
        """Return a label's display name, or `name` itself if the facet has no such label."""
        return next((label.display for label in self.labels if label.name == name), name)


@dataclass(frozen=True, slots=True)
class Canary:
    """A text and its probabilities when the model was made: facet → label name → probability."""

    text: str
    expected: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a model; `facets[0]` is the main one, whose raw labels have no facet name."""

    version: str
    normaliser: str
    facets: tuple[Facet, ...]
    method: Method
    tau: float
    model_sha256: str
    model_bytes: int
    canaries: tuple[Canary, ...] = ()
    training: Mapping[str, Any] = field(default_factory=dict)
    """Trainer, hyperparameters, data checksums and priors, metrics, revision: for people, not for decisions."""

    def raw_label(self, facet: Facet, label: Label) -> str:
        """Return the label as spelled in `model.bin`."""
        return raw_label(None if facet is self.facets[0] else facet.name, label.name)

    def raw_labels(self) -> list[str]:
        """Return the raw labels of all facets, in the manifest's order."""
        return [self.raw_label(facet, label) for facet in self.facets for label in facet.labels]

    def to_json(self) -> str:
        """Return the text of `manifest.json`, the same bytes for the same manifest."""
        document = {
            "format": FORMAT,
            "version": self.version,
            "normaliser": self.normaliser,
            "decoding": {"method": self.method, "tau": self.tau},
            "facets": [asdict(facet) for facet in self.facets],
            "model": {"file": "model.bin", "sha256": self.model_sha256, "bytes": self.model_bytes},
            "canaries": [asdict(canary) for canary in self.canaries],
            "training": self.training,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def raw_label(facet: str | None, name: str) -> str:
    """Return a fastText label: `__label__billing` for the main facet, `__label__urgency=high` for another."""
    return f"{LABEL_PREFIX}{name}" if facet is None else f"{LABEL_PREFIX}{facet}={name}"


def load_manifest(path: Path) -> Manifest:
    """Read a manifest file. Raises ManifestError, naming the file and what is wrong with it."""
    try:
        return parse_manifest(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(
            f"{path}: there is no such file; a model folder has model.tar.gz and manifest.json"
        ) from None
    except (ManifestError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: {error}") from error
    except OSError as error:
        raise ManifestError(f"{path}: {error.strerror}") from error


def parse_manifest(text: str) -> Manifest:
    """Read a manifest from its text. Raises ManifestError."""
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ManifestError(f"format {document['format']!r} is not {FORMAT}, the one this program reads")
        manifest = _from_json(document)
    except json.JSONDecodeError as error:
        raise ManifestError(f"not JSON: {error}") from error
    except KeyError as error:
        raise ManifestError(f"the key {error} is missing") from error
    except (TypeError, AttributeError) as error:
        raise ManifestError(f"not the shape of a manifest: {error}") from error
    _check(manifest)
    return manifest


def _from_json(document: Mapping[str, Any]) -> Manifest:
    return Manifest(
        version=_typed(document["version"], str),
        normaliser=_typed(document["normaliser"], str),
        facets=tuple(_facet_from_json(facet) for facet in document["facets"]),
        method=document["decoding"]["method"],
        tau=_number(document["decoding"]["tau"]),
        model_sha256=_typed(document["model"]["sha256"], str),
        model_bytes=_typed(document["model"]["bytes"], int),
        canaries=tuple(Canary(canary["text"], canary["expected"]) for canary in document["canaries"]),
        training=document["training"],
    )


def _check(manifest: Manifest) -> None:
    """Raise ManifestError for contradictions that would otherwise show as wrong answers."""
    if manifest.method not in get_args(Method):
        raise ManifestError(f"decoding method {manifest.method!r} is none of {', '.join(get_args(Method))}")
    if manifest.tau <= 0:
        raise ManifestError(f"tau is {manifest.tau}, which is not above 0")
    if not manifest.facets:
        raise ManifestError("there is no facet")
    for facet in manifest.facets:
        _check_facet(facet)
    for name, count in Counter([*(facet.name for facet in manifest.facets), *manifest.raw_labels()]).items():
        if count > 1:
            raise ManifestError(f"{name!r} is there {count} times")
    if manifest.model_bytes < 0 or not re.fullmatch("[0-9a-f]{64}", manifest.model_sha256):
        raise ManifestError("the model's size or SHA-256 is not one")


def _check_facet(facet: Facet) -> None:
    if facet.name in RESERVED:
        raise ManifestError(f"a facet cannot be called {facet.name!r}: the API's answers use that key")
    if not facet.labels:
        raise ManifestError(f"facet {facet.name!r} has no label")
    for name in (facet.name, *(label.name for label in facet.labels)):
        if not name or re.search(r"\s", name):
            raise ManifestError(f"{name!r} is no name: it is empty or has white space")
    if facet.calibration <= 0 or not 0 <= facet.threshold <= 1:
        raise ManifestError(f"facet {facet.name!r} has a calibration not above 0, or a threshold outside 0 to 1")
    if not 0 <= facet.length_exponent <= 1:
        raise ManifestError(f"facet {facet.name!r} has a length exponent outside 0 to 1")


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise TypeError(f"{value!r} is no finite number")
    return float(value)


def _facet_from_json(document: Mapping[str, Any]) -> Facet:
    labels: Sequence[Mapping[str, str]] = document["labels"]
    return Facet(
        name=_typed(document["name"], str),
        labels=tuple(Label(_typed(label["name"], str), _typed(label["display"], str)) for label in labels),
        calibration=_number(document["calibration"]),
        threshold=_number(document["threshold"]),
        length_exponent=_number(document.get("length_exponent", 0)),
    )
