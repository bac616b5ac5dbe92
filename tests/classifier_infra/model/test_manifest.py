import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.manifest import (
    NEVER,
    Canary,
    Facet,
    Label,
    Manifest,
    ManifestError,
    load_manifest,
    parse_manifest,
)

NAMES = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=5)
FRACTIONS = st.floats(0, 1)
FACETS = st.builds(
    Facet,
    NAMES.filter(lambda name: name not in ("model", "decision")),
    st.lists(st.builds(Label, NAMES, st.text()), min_size=1, max_size=4, unique_by=lambda label: label.name).map(tuple),
    calibration=st.floats(0.1, 10),
    threshold=FRACTIONS,
    length_exponent=FRACTIONS,
)
MANIFESTS = st.builds(
    Manifest,
    version=st.text(),
    normaliser=st.text(),
    facets=st.lists(FACETS, min_size=1, max_size=3, unique_by=lambda facet: facet.name).map(tuple),
    method=st.sampled_from(["direct", "heads", "joint"]),
    tau=st.floats(0.1, 100),
    model_sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    model_bytes=st.integers(0, 2**40),
    canaries=st.lists(
        st.builds(Canary, st.text(), st.dictionaries(NAMES, st.dictionaries(NAMES, FRACTIONS))), max_size=2
    ).map(tuple),
    training=st.dictionaries(st.text(), st.integers() | st.text() | FRACTIONS),
)


@pytest.fixture
def document(manifest):
    return json.loads(manifest.to_json())


@given(MANIFESTS)
def test_a_manifest_survives_being_written_and_read(manifest):
    assert parse_manifest(manifest.to_json()) == manifest


def test_the_same_manifest_gives_the_same_bytes(manifest):
    assert replace(manifest).to_json() == manifest.to_json()


def test_only_labels_of_further_facets_carry_the_facet_in_the_model(manifest):
    assert manifest.raw_labels()[:4] == [
        "__label__billing",
        "__label__technical",
        "__label__general",
        "__label__urgency=low",
    ]


def test_a_label_is_shown_by_its_display_name():
    facet = Facet("category", (Label("MeanOfTransportation", "Mean of transportation"),))

    assert facet.display("MeanOfTransportation") == "Mean of transportation"
    assert facet.display("unknown") == "unknown"


def test_a_manifest_from_before_the_length_exponent_is_read(document):
    for facet in document["facets"]:
        del facet["length_exponent"]

    assert {facet.length_exponent for facet in parse_manifest(json.dumps(document)).facets} == {0.0}


def change(document, path, value):
    *parents, last = path
    for parent in parents:
        document = document[parent]
    document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (["format"], 2, "format 2 is not 1"),
        (["version"], 3, "3 is no str"),
        (["decoding", "method"], "magic", "'magic' is none of direct, heads, joint"),
        (["decoding", "tau"], 0, "not above 0"),
        (["decoding", "tau"], "4", "no finite number"),
        (["decoding", "tau"], float("nan"), "no finite number"),
        (["facets"], [], "no facet"),
        (["facets"], None, "not the shape"),
        (["facets", 0, "labels"], [], "'category' has no label"),
        (["facets", 0, "name"], "model", "the API's answers use that key"),
        (["facets", 0, "name"], "urgency", "'urgency' is there 2 times"),
        (["facets", 0, "labels", 0, "name"], "technical", "'__label__technical' is there 2 times"),
        (["facets", 0, "labels", 0, "name"], "urgency=low", "'__label__urgency=low' is there 2 times"),
        (["facets", 0, "labels", 0, "name"], "two words", "white space"),
        (["facets", 0, "labels", 0, "name"], "", "is empty"),
        (["facets", 0, "labels", 0, "display"], None, "None is no str"),
        (["facets", 0, "threshold"], 1.5, "threshold outside 0 to 1"),
        (["facets", 0, "calibration"], -1, "calibration not above 0"),
        (["facets", 0, "length_exponent"], 1.5, "length exponent outside 0 to 1"),
        (["model", "sha256"], "abc", "SHA-256"),
        (["model", "bytes"], 1.5, "no int"),
        (["canaries"], [{"expected": {}}], "the key 'text' is missing"),
    ],
)
def test_a_damaged_manifest_is_refused_with_what_is_wrong(document, path, value, complaint):
    change(document, path, value)

    with pytest.raises(ManifestError, match=complaint):
        parse_manifest(json.dumps(document))


@pytest.mark.parametrize("key", ["format", "version", "normaliser", "decoding", "facets", "model", "canaries"])
def test_a_manifest_without_one_of_its_keys_is_refused(document, key):
    del document[key]

    with pytest.raises(ManifestError, match=f"the key '{key}' is missing"):
        parse_manifest(json.dumps(document))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"manifest"', "{}"])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(ManifestError):
        parse_manifest(text)


def test_a_manifest_is_read_from_its_file(tmp_path, manifest):
    path = tmp_path / "manifest.json"
    path.write_text(manifest.to_json(), encoding="utf-8")

    assert load_manifest(path) == manifest


@pytest.mark.parametrize("content", [b"\xff\xfe", b"{}"])
def test_the_file_is_named_when_it_cannot_be_read(tmp_path, content):
    path = tmp_path / "manifest.json"
    path.write_bytes(content)

    with pytest.raises(ManifestError, match=r"manifest\.json: "):
        load_manifest(path)


def test_a_missing_file_says_what_a_model_folder_has(tmp_path):
    with pytest.raises(ManifestError, match=r"there is no such file; a model folder has model\.tar\.gz"):
        load_manifest(tmp_path / "manifest.json")


def test_a_folder_instead_of_the_file_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="Is a directory"):
        load_manifest(tmp_path)


@pytest.mark.parametrize(
    ("threshold", "confidence", "is_reached"),
    [(0.9, 0.9, True), (0.9, 0.89, False), (0.0, 0.0, True), (NEVER, 1.0, False)],
)
def test_a_threshold_is_reached_by_as_much_as_it_and_one_of_never_by_nothing(threshold, confidence, is_reached):
    assert Facet("topic", (), threshold=threshold).is_reached_by(confidence) is is_reached
