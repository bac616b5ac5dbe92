import math
import shutil
import tarfile
from dataclasses import replace

import pytest

from classifier_infra.model.artefact import ArtefactError, extract_model, open_artefact
from classifier_infra.model.manifest import Facet, Label


@pytest.fixture
def folder(tmp_path, model_folder):
    """A copy to damage."""
    return shutil.copytree(model_folder, tmp_path / "model")


@pytest.fixture
def archive(folder):
    return folder / "model.tar.gz"


@pytest.fixture
def manifest_of(model_folder):
    return open_artefact(model_folder).manifest


def test_a_model_folder_opens_and_predicts(model_folder):
    artefact = open_artefact(model_folder)

    scores = artefact.scores("invoice charged", 9)

    # Means of the weights of invoice, charged and </s>, by hand: billing 5, technical -3, general -2, …
    logits = [5, -3, -2, -2 / 3, 0, 2 / 3, 2 / 3, 0, -2 / 3]
    total = sum(math.exp(value / 4) for value in logits)
    expected = dict(zip(artefact.manifest.raw_labels(), (math.exp(value / 4) / total for value in logits), strict=True))
    assert {label: score for score, label in scores} == pytest.approx(expected, abs=2e-5)


def test_the_best_k_labels_come_first(model_folder):
    scores = open_artefact(model_folder).scores("crash urgent", 3)

    # Means of the weights of crash, urgent and </s>: urgency=high 3, technical 8/3, tone=negative 4/3.
    assert [label for _, label in scores] == ["__label__urgency=high", "__label__technical", "__label__tone=negative"]


def test_a_lone_surrogate_is_refused_without_repeating_the_text(model_folder):
    with pytest.raises(UnicodeEncodeError) as caught:
        open_artefact(model_folder).scores("secret \ud800", 1)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("missing", ["model.tar.gz", "manifest.json"])
def test_an_incomplete_folder_names_the_missing_file(folder, missing):
    (folder / missing).unlink()

    with pytest.raises(ArtefactError, match=f"{missing}: there is no such file; a model folder has"):
        open_artefact(folder)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ArtefactError, match="there is no such file"):
        open_artefact(tmp_path / "nowhere")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_truncated_archive_is_refused(folder, archive, share):
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])

    with pytest.raises(ArtefactError, match="damaged or cut short"):
        open_artefact(folder)


def test_an_archive_with_a_flipped_byte_is_refused(folder, archive):
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0xFF
    archive.write_bytes(content)

    with pytest.raises(ArtefactError, match=r"damaged or cut short|not the one that manifest\.json describes"):
        open_artefact(folder)


def test_an_archive_that_cannot_be_opened_says_why(folder, archive):
    archive.unlink()
    archive.mkdir()

    with pytest.raises(ArtefactError, match=r"model\.tar\.gz: Is a directory"):
        open_artefact(folder)


@pytest.mark.parametrize("content", [b"not an archive", b"\x1f\x8b nor this"])
def test_what_is_no_archive_is_refused(folder, archive, content):
    archive.write_bytes(content)

    with pytest.raises(ArtefactError, match="damaged or cut short"):
        open_artefact(folder)


@pytest.mark.parametrize(
    "alter",
    [lambda model: model[:-4], lambda model: model + b"\0", lambda model: model[:-1] + b"\x01", lambda model: b""],
    ids=["truncated", "longer", "altered", "empty"],
)
def test_another_model_in_a_sound_archive_is_refused(folder, archive, write_archive, model_bytes, alter):
    write_archive(archive, {"model.bin": alter(model_bytes)})

    with pytest.raises(ArtefactError, match=r"model\.bin is not the one that manifest\.json describes"):
        open_artefact(folder)


def test_of_a_refused_model_nothing_stays_behind(tmp_path, archive, write_archive, manifest_of):
    target = tmp_path / "target"
    target.mkdir()
    write_archive(archive, {"model.bin": bytes(50_000)})

    with pytest.raises(ArtefactError, match="not the one"):
        extract_model(archive, manifest_of, target)
    assert list(target.iterdir()) == []


def test_other_files_of_the_archive_stay_packed(tmp_path, archive, write_archive, manifest_of, model_bytes):
    target = tmp_path / "target"
    target.mkdir()
    write_archive(archive, {"../escaped": b"x", "/absolute": b"x", "model.vec": b"x", "./model.bin": model_bytes})

    path = extract_model(archive, manifest_of, target)

    assert list(target.iterdir()) == [path]
    assert path.read_bytes() == model_bytes
    assert not (tmp_path / "escaped").exists()


def test_a_link_called_like_the_model_is_not_followed(folder, archive):
    link = tarfile.TarInfo("model.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(archive, "w:gz") as tar:
        tar.addfile(link)

    with pytest.raises(ArtefactError, match=r"there is no model\.bin at its root"):
        open_artefact(folder)


def test_a_model_in_a_sub_folder_is_not_found(folder, archive, write_archive, model_bytes):
    write_archive(archive, {"model/model.bin": model_bytes})

    with pytest.raises(ArtefactError, match=r"there is no model\.bin at its root"):
        open_artefact(folder)


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ({"magic": 1}, "is not a fastText model"),
        ({"version": 11}, "fastText format version 11; 12 is needed"),
        ({"version": 13}, "fastText format version 13; 12 is needed"),
        ({"loss": 4}, "not a supervised fastText model with softmax loss"),
        ({"model": 2}, "not a supervised fastText model with softmax loss"),
    ],
)
def test_a_model_that_cannot_be_served_says_why(tmp_path, write_fasttext, write_folder, manifest, header, complaint):
    labels = manifest.raw_labels()
    model = write_fasttext({"</s>": [0.0] * len(labels)}, labels, **header)
    folder = write_folder(tmp_path / "other", model, manifest)

    with pytest.raises(ArtefactError, match=rf"other: model\.bin .*{complaint}"):
        open_artefact(folder)


def test_an_empty_model_is_no_model(tmp_path, write_folder, manifest):
    with pytest.raises(ArtefactError, match="not a fastText model"):
        open_artefact(write_folder(tmp_path / "empty", b"", manifest))


def test_a_manifest_with_other_labels_than_the_model_is_refused(tmp_path, write_folder, manifest, model_bytes):
    other = replace(manifest, facets=(Facet("topic", (Label("a", "A"), Label("b", "B"))),))

    with pytest.raises(ArtefactError, match=r"manifest\.json names other labels than model\.bin has"):
        open_artefact(write_folder(tmp_path / "other", model_bytes, other))
