"""`python -m classifier_infra accept-baseline`, from its command line."""

import json
from dataclasses import replace

import pytest

from classifier_infra.__main__ import main
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.artefact import open_artefact
from classifier_infra.model.canaries import answers_of, parse_baselines
from classifier_infra.model.manifest import Canary
from classifier_infra.model.model import load_model

TEXTS = ("INVOICE, charged!", "Crash: urgent")
WHO = ("--by", "ann", "--reason", "a new container")


@pytest.fixture
def store(tmp_path, write_folder, manifest, model_bytes):
    """A folder of models, `v1` in use."""
    described = replace(manifest, version="v1")
    folder = write_folder(tmp_path / "models" / "v1", model_bytes, described)
    answers = answers_of(EmbeddedClassifier(load_model(folder, in_memory=True)).predict(TEXTS))
    canaries = tuple(Canary(*each) for each in zip(TEXTS, answers, strict=True))
    write_folder(folder, model_bytes, replace(described, canaries=canaries))
    (tmp_path / "models" / "active.json").write_text('{"version": "v1"}')
    return tmp_path / "models"


@pytest.fixture
def moved(host, tmp_path, write_folder, write_fasttext, manifest):
    """The endpoint `small` serves another model than it should."""
    words = {"</s>": [0.0] * 9, "invoice": [-1, 2, -1, 0, 0, 0, 0, 0, 0]}
    model = write_fasttext(words, manifest.raw_labels())
    host.serve(open_artefact(write_folder(tmp_path / "other", model, manifest)))


def accept(store, *options):
    return main(["accept-baseline", str(store), *options])


def accepted(store):
    path = store / "accepted.json"
    return parse_baselines(path.read_bytes()) if path.exists() else ()


def test_if_no_canary_moved_there_is_nothing_to_accept(store, host, capsys):
    assert accept(store, "--endpoint-name", "small", *WHO) == 0

    assert "All 2 canaries of v1 hold" in capsys.readouterr().out
    assert accepted(store) == ()


def test_the_model_in_this_process_can_be_asked_as_well(store, capsys):
    assert accept(store, "--embedded", "--dry-run") == 0

    assert "All 2 canaries of v1 hold" in capsys.readouterr().out


def test_a_dry_run_shows_what_moved_and_writes_nothing(store, moved, capsys):
    assert accept(store, "--endpoint-name", "small", "--dry-run") == 3

    output = capsys.readouterr()
    assert output.out.startswith("canary 1, category: ")
    assert "only suggests" in output.err
    assert accepted(store) == ()


def test_an_acceptance_records_by_whom_and_why(store, moved):
    assert accept(store, "--endpoint-name", "small", *WHO) == 0

    [baseline] = accepted(store)
    found = (baseline.version, baseline.served_by, baseline.accepted_by, baseline.reason)
    assert found == ("v1", "endpoint", "ann", "a new container")
    assert accept(store, "--endpoint-name", "small", "--dry-run") == 0


def test_earlier_acceptances_are_kept(store, moved, host, model_folder):
    accept(store, "--endpoint-name", "small", *WHO)
    host.serve(open_artefact(model_folder))

    accept(store, "--endpoint-name", "small", "--by", "bob", "--reason", "the old container again")

    assert [baseline.accepted_by for baseline in accepted(store)] == ["ann", "bob"]


@pytest.mark.parametrize("options", [(), ("--by", "ann"), ("--reason", "why not")])
def test_accepting_requires_a_name_and_a_reason(store, capsys, options):
    assert accept(store, "--embedded", *options) == 2

    assert "--by and --reason" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda store: (store / "active.json").unlink(), "there is no active.json"),
        (lambda store: (store / "active.json").write_text("{"), "active.json: not a JSON object"),
        (lambda store: (store / "active.json").write_text(json.dumps({"version": "v2"})), "there is no such file"),
        (lambda store: (store / "v1" / "model.tar.gz").write_bytes(b""), "damaged or cut short"),
    ],
)
def test_an_unusable_store_is_reported(store, capsys, change, complaint):
    change(store)

    assert accept(store, "--embedded", *WHO) == 1

    assert complaint in capsys.readouterr().err


def test_an_endpoint_that_fails_is_reported(store, host, capsys):
    assert accept(store, "--endpoint-name", "other", *WHO) == 1

    assert (
        "The canaries cannot be compared: the endpoint failed (ValidationError, status 400)." in capsys.readouterr().err
    )
