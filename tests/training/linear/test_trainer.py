"""The linear trainer, from examples to a model folder."""

import errno
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from classifier_infra.model.artefact import open_artefact
from classifier_infra.model.manifest import Label
from classifier_infra.model.text import VERSION, normalise
from training.artefact import write_artefact
from training.data.dataset import TEST, TRAIN, VALIDATION, DataError, Example, Facet
from training.evaluate import classify
from training.linear import Hyperparameters
from training.linear.trainer import train


@pytest.fixture(scope="module")
def facet(message_examples, message_labels, tmp_path_factory) -> Facet:
    checksums = {TRAIN: "ab" * 32}
    return Facet("category", tmp_path_factory.getbasetemp(), message_labels, {TRAIN: message_examples}, checksums)


@pytest.fixture(scope="module")
def trained(facet):
    return train("messages", [facet], Hyperparameters())


def test_the_same_examples_give_the_same_bytes(facet, trained, tmp_path):
    write_artefact(tmp_path / "first", *trained)
    write_artefact(tmp_path / "again", *train("messages", [facet], Hyperparameters()))

    for name in ("model.tar.gz", "manifest.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_the_folder_opens_like_any_model_folder(trained, tmp_path):
    write_artefact(tmp_path, *trained)

    artefact = open_artefact(tmp_path)

    assert artefact.manifest == trained[1]
    assert classify(artefact, "refund refund")["category"].name == "Billing"


def test_the_archive_has_the_model_at_its_root_and_nothing_of_this_machine(trained, tmp_path):
    write_artefact(tmp_path, *trained)

    with tarfile.open(tmp_path / "model.tar.gz") as archive:
        (member,) = archive.getmembers()

    assert (member.name, member.mtime, member.uid, member.uname) == ("model.bin", 0, 0, "")


def test_the_version_is_the_name_and_the_models_checksum(trained):
    _, manifest = trained

    assert manifest.version == f"messages-{manifest.model_sha256[:10]}"


def test_canaries_record_the_models_answers(trained, tmp_path):
    write_artefact(tmp_path, *trained)
    artefact = open_artefact(tmp_path)

    assert artefact.manifest.canaries
    for canary in artefact.manifest.canaries:
        scores = classify(artefact, normalise(canary.text))["category"].scores
        assert canary.expected["category"] == pytest.approx(
            {score.name: score.confidence for score in scores}, abs=1e-6
        )


def test_ten_canaries_are_taken_from_the_validation_rows(trained, message_examples):
    _, manifest = trained

    texts = [canary.text for canary in manifest.canaries]
    assert len(texts) == len(set(texts)) == 10
    assert set(texts) <= {example.text for example in message_examples}


def test_the_manifest_describes_the_training(trained, facet):
    _, manifest = trained

    described = manifest.training["facets"]["category"]
    assert manifest.normaliser == VERSION
    assert manifest.training["trainer"] == "linear"
    assert manifest.training["hyperparameters"]["cost"] == Hyperparameters().cost
    assert manifest.training["hyperparameters"]["buckets"] == 256
    assert described["checksums"] == facet.checksums
    assert described["priors"] == pytest.approx({label.name: 1 / 3 for label in facet.labels})
    assert described["validation"]["rows"] == 30  # each by heads that have not seen it
    assert described["rows"] == 30


def test_test_rows_are_only_measured(facet, trained, message_examples):
    content, plain = trained
    tested = replace(facet, examples={TRAIN: message_examples, TEST: (Example("refund", "refund", 1),)})

    with_test, manifest = train("messages", [tested], Hyperparameters())

    assert with_test == content
    assert manifest.training["facets"]["category"]["test"] == {"accuracy": 0.0, "macro_f1": 0.0, "rows": 1}
    assert "test" not in plain.training["facets"]["category"]


def test_a_few_validation_rows_make_nothing_automatic(trained):
    _, manifest = trained

    assert manifest.facets[0].threshold == 1.0


def vary(examples, times):
    """Repeated messages, each with its own number."""
    return tuple(
        replace(example, text=f"{example.text} {i}", words=f"{example.words} {i}")
        for i in range(times)
        for example in examples
    )


def test_enough_right_validation_rows_give_a_threshold(facet, message_examples):
    many = replace(facet, examples={TRAIN: vary(message_examples, 8)})

    _, manifest = train("messages", [many], Hyperparameters())

    assert 0.5 <= manifest.facets[0].threshold < 1.0


def test_the_raw_scores_of_one_facet_alone_need_no_decoding(facet, message_examples):
    many = replace(facet, examples={TRAIN: vary(message_examples, 8)})

    _, manifest = train("messages", [many], Hyperparameters())

    assert (manifest.method, manifest.facets[0].calibration, manifest.facets[0].length_exponent) == ("direct", 1, 0)


def test_several_facets_allow_for_the_length_of_a_text(facet, message_examples):
    # The long texts tell their class; of the short ones half lie.
    long = vary(message_examples, 8)
    short = [replace(row, words=row.words.split()[0] + f" {i}", label=i % 3) for i, row in enumerate(long)]
    many = replace(facet, examples={TRAIN: (*long, *short)})

    _, manifest = train("messages", [many, replace(many, name="again")], Hyperparameters())

    assert all(0 < facet.length_exponent <= 1 for facet in manifest.facets)


def test_few_validation_rows_are_cross_validated_with_the_training_rows(facet, message_examples):
    validated = replace(facet, examples={TRAIN: message_examples[::2], VALIDATION: message_examples[1::2]})
    fits = []

    _, manifest = train("messages", [validated], Hyperparameters(folds=3), fits.append)

    assert manifest.training["facets"]["category"]["validation"]["rows"] == 30
    assert fits == [4] * 4  # three folds, and the head that is exported


def test_a_thousand_validation_rows_are_enough(facet, message_examples):
    validated = replace(facet, examples={TRAIN: message_examples, VALIDATION: vary(message_examples, 34)})
    fits = []

    _, manifest = train("messages", [validated], Hyperparameters(), fits.append)

    assert manifest.training["facets"]["category"]["validation"]["rows"] == 1020
    assert fits == [2, 2]


def test_a_fold_of_a_thousand_rows_is_enough(facet, message_examples):
    many = replace(facet, examples={TRAIN: vary(message_examples, 70)})

    _, manifest = train("messages", [many], Hyperparameters(folds=2))

    assert manifest.training["facets"]["category"]["validation"]["rows"] == 1050


def test_several_facets_are_exported_as_heads_the_main_one_without_its_name(facet, message_examples):
    length = [replace(example, label=int(len(example.words) > 30)) for example in message_examples]
    second = Facet("length", facet.path, (Label("short", "Short"), Label("long", "Long")), {TRAIN: tuple(length)}, {})

    _, manifest = train("messages", [facet, second], Hyperparameters())

    assert manifest.method == "heads"
    assert manifest.raw_labels()[2:] == ["__label__General", "__label__length=short", "__label__length=long"]
    assert [facet.calibration > 0 for facet in manifest.facets] == [True, True]


def test_examples_too_few_to_hold_any_out_are_refused(facet, message_examples):
    one_each = tuple({example.label: example for example in message_examples}.values())

    with pytest.raises(DataError, match=r"train\.csv: no class has two different texts"):
        train("messages", [replace(facet, examples={TRAIN: one_each})], Hyperparameters())


def test_a_model_that_cannot_be_written_leaves_the_old_one(trained, tmp_path, monkeypatch):
    write_artefact(tmp_path, *trained)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    write = Path.write_bytes

    def disk_is_full_after_one_file(path, content):
        if "manifest" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", disk_is_full_after_one_file)
    with pytest.raises(OSError, match="No space left"):
        write_artefact(tmp_path, b"another model", trained[1])

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
