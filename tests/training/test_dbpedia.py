"""The accuracy and size promised for public data sets, with the command line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from classifier_infra.model.manifest import load_manifest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "accuracy", "megabytes"),
    [
        ("dbpedia14", 0.975, 16),
        ("banking77", 0.905, 8),
    ],
)
@pytest.mark.once
@pytest.mark.timeout(600)  # on two busy cores
def test_a_model_reaches_the_promised_accuracy_and_size(train_once, shared_data, name, accuracy, megabytes):
    model = train_once(name)

    figures = subprocess.run(
        [sys.executable, "-m", "training", "evaluate", model, shared_data / name, "--json", "-"],
        capture_output=True,
        check=True,
        cwd=ROOT,
    )

    measured = json.loads(figures.stdout)["facets"]["category"]
    assert measured["accuracy"] >= accuracy
    assert load_manifest(model / "manifest.json").model_bytes <= megabytes * 1_000_000
