import math
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import fasttext
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.decoding import Decoder, count_tokens
from classifier_infra.model.explanation import Explainer
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.model_file import ModelFileError, open_model_file
from classifier_infra.model.text import normalise
from training.linear.export import flatten_heads, to_fasttext
from training.linear.features import FeatureSettings, build_dictionary, feature_ids

ROOT = Path(__file__).parents[3]

TRAINED_ON = ("refund the invoice", "the über invoice 👍 , don't pay 00000", "请 退款 the the the")
BUCKETS = 1500

WORDS_ONLY = FeatureSettings(word_ngrams=1, minn=0, maxn=0)
PAIRS = FeatureSettings(word_ngrams=2, minn=0, maxn=0)
EVERYTHING = FeatureSettings(word_ngrams=3, minn=2, maxn=4)


def make_facet(name, size, calibration=1.0, exponent=0.0):
    labels = tuple(Label(f"{name}{i}", "") for i in range(size))
    return Facet(name, labels, calibration, length_exponent=exponent)


def write_model(dictionary, rows, manifest, output=None):
    """Return a model.bin as the exporter writes it, or with another output matrix (labels × columns of the rows)."""
    content = to_fasttext(dictionary, rows, [(label, 1) for label in manifest.raw_labels()])
    if output is None:
        return content
    labels, dim = output.shape
    identity_bytes = struct.calcsize(f"<?2q{labels * labels}f")
    replaced = content[:-identity_bytes] + struct.pack("<?2q", False, labels, dim) + output.astype("<f4").tobytes()
    return replaced[:8] + struct.pack("<i", dim) + replaced[12:]


class Peer(NamedTuple):
    """An explainer, and fastText with the same model."""

    explainer: Explainer
    manifest: Manifest
    fasttext: object

    def decode(self, text):
        scores = self.fasttext.f.predict(normalise(text) + "\n", -1, 0.0, "strict")
        by_label = {label: score for score, label in scores}
        return Decoder(self.manifest).decode(by_label, count_tokens(normalise(text)))


@pytest.fixture(scope="session")
def make_peer(tmp_path_factory):
    def make_peer(content, manifest):
        path = tmp_path_factory.mktemp("model") / "model.bin"
        path.write_bytes(content)
        return Peer(Explainer(open_model_file(path), manifest), manifest, fasttext.load_model(str(path)))

    return make_peer


def make_heads(settings, facets, random):
    """A model as the linear trainer exports it."""
    dictionary = build_dictionary(TRAINED_ON, settings, BUCKETS)
    heads = [random.normal(1, 1.5, (dictionary.size, len(facet.labels))) for facet in facets]
    exported = flatten_heads(heads, [facet.calibration for facet in facets])
    facets = tuple(
        replace(facet, calibration=calibration)
        for facet, calibration in zip(facets, exported.calibrations, strict=True)
    )
    manifest = Manifest("1", "1", facets, exported.method, exported.tau, "0" * 64, 0)
    return write_model(dictionary, exported.rows, manifest), manifest


def make_joint(settings, facets, random):
    """A model as BlazingText trains it: the rows and output matrix are arbitrary."""
    dictionary = build_dictionary(TRAINED_ON, settings, BUCKETS)
    manifest = Manifest("1", "1", facets, "joint", 3.0, "0" * 64, 0)  # no head was divided by tau: it plays no part
    labels = sum(len(facet.labels) for facet in facets)
    rows = random.normal(0.5, 1, (dictionary.size, 7)).astype(np.float32)
    return write_model(dictionary, rows, manifest, random.normal(0, 0.4, (labels, 7))), manifest


ONE = (make_facet("topic", 3, calibration=0.7, exponent=0.2),)
THREE = (make_facet("topic", 4, 0.6, 0.4), make_facet("urgency", 2, 0.8), make_facet("spam", 1))
KINDS = {
    "one facet, words": (make_heads, WORDS_ONLY, ONE),
    "one facet, all features": (make_heads, EVERYTHING, ONE),
    "three facets, words": (make_heads, WORDS_ONLY, THREE),
    "three facets, pairs": (make_heads, PAIRS, THREE),
    "three facets, all features": (make_heads, EVERYTHING, THREE),
    "one facet, trained vectors": (make_joint, PAIRS, ONE),
    "three facets, trained vectors": (make_joint, EVERYTHING, THREE),
}

TEXTS = st.lists(st.sampled_from(" ".join(TRAINED_ON).split()) | st.text(max_size=10), max_size=30).map(" ".join)


# --- Additivity -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def peer(request, make_peer):
    make_model, settings, facets = request.param
    return make_peer(*make_model(settings, facets, np.random.default_rng(7)))


def log_odds(prediction, label):
    logs = {score.name: math.log(score.confidence) for score in prediction.scores}
    own = logs.pop(label)
    return own - sum(logs.values()) / len(logs) if logs else own


@given(TEXTS)
def test_baseline_and_contributions_add_up_to_the_decoded_log_odds(peer, text):
    decoded = peer.decode(text)

    for facet in peer.manifest.facets:
        for label in facet.labels:
            explanation = peer.explainer.explain(text, facet.name, label.name)
            total = explanation.baseline + sum(word.contribution for word in explanation.words)
            assert total == pytest.approx(explanation.log_odds, abs=1e-9)
            # fastText's scores are float32, and the facets share their sum.
            assert total == pytest.approx(log_odds(decoded[facet.name], label.name), abs=1e-3)


@given(TEXTS)
def test_every_token_has_its_contribution_in_the_order_of_the_text(peer, text):
    words = peer.explainer.explain(text, "topic", "topic0").words

    assert [word.word for word in words] == normalise(text).split()
    assert [word.position for word in words] == list(range(len(words)))


def test_the_same_text_is_explained_alike_at_any_time(peer):
    first = peer.explainer.explain("refund the blorptz", "topic", "topic0")

    assert peer.explainer.explain("refund the blorptz", "topic", "topic0") == first


# --- Attribution ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(make_peer, model_bytes, manifest):
    return make_peer(model_bytes, manifest).explainer


def test_a_contribution_is_the_words_weight_for_the_label_against_the_others_by_its_share_of_the_text(small):
    explanation = small.explain("Invoice charged", "category", "billing")

    # Three features with </s>. invoice: (8 - (-4 - 4) / 2) / 3, charged: (7 - (-5 - 2) / 2) / 3.
    assert [word.contribution for word in explanation.words] == pytest.approx([4, 3.5])
    assert explanation.baseline == pytest.approx(0)
    assert explanation.log_odds == pytest.approx(7.5)


def test_a_word_that_speaks_against_the_label_has_a_negative_contribution(small):
    (crash,) = small.explain("crash", "category", "billing").words

    assert crash.contribution == pytest.approx((-4 - (8 - 4) / 2) / 2)


def test_a_repeated_word_counts_each_time(small):
    first, second = small.explain("urgent urgent", "urgency", "high").words

    assert first.contribution == second.contribution == pytest.approx(9 / 3)


def test_an_unknown_word_of_a_model_without_sub_words_adds_nothing(small):
    known, unknown = small.explain("thanks blorptz", "tone", "positive").words

    assert (known.known, unknown.known) == (True, False)
    assert unknown.contribution == 0


RED_CAR = build_dictionary(["red car"], PAIRS, BUCKETS)
END_PAIR = set(feature_ids("car", RED_CAR)) - set(range(len(RED_CAR.words)))
PAIR = set(feature_ids("red car", RED_CAR)) - set(range(len(RED_CAR.words))) - END_PAIR


@pytest.fixture
def explain_red_car(make_peer):
    """Explain `red car` for "yes", with a weight of 5 for some features (against it, -5) and another for the rest."""

    def explain(features, other=0.0):
        rows = np.full((RED_CAR.size, 2), (other, -other), np.float32)
        rows[list(features)] = (5, -5)
        facet = Facet("answer", (Label("yes", ""), Label("no", "")))
        manifest = Manifest("1", "1", (facet,), "direct", 1.0, "0" * 64, 0)
        return make_peer(write_model(RED_CAR, rows, manifest), manifest).explainer.explain("red car", "answer", "yes")

    return explain


def test_what_two_words_say_together_is_shared_equally(explain_red_car):
    explanation = explain_red_car(PAIR)

    # Of five features (red, car, </s> and two pairs) one says 10, half of it for each.
    assert [word.contribution for word in explanation.words] == pytest.approx([1, 1], abs=0.01)
    assert explanation.baseline == pytest.approx(0, abs=0.01)


def test_what_the_last_word_says_with_the_end_of_the_line_is_half_the_baselines(explain_red_car):
    explanation = explain_red_car(END_PAIR)

    assert [word.contribution for word in explanation.words] == pytest.approx([0, 1], abs=0.01)
    assert explanation.baseline == pytest.approx(1, abs=0.01)


def test_what_all_features_have_alike_is_the_baselines_and_speaks_for_no_word(explain_red_car):
    explanation = explain_red_car([], other=2.0)

    assert [word.contribution for word in explanation.words] == pytest.approx([0, 0])
    assert explanation.log_odds == explanation.baseline == pytest.approx(4)


# --- What cannot be explained ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facet", "label"), [("category", "high"), ("colour", "billing"), ("category", "__label__billing")]
)
def test_a_label_that_the_model_does_not_have_is_refused(small, facet, label):
    with pytest.raises(ValueError, match=f"no label '{label}' in a facet '{facet}'"):
        small.explain("invoice", facet, label)


def test_a_text_of_which_the_model_has_no_feature_is_refused(tmp_path, write_fasttext, manifest):
    path = tmp_path / "model.bin"
    path.write_bytes(write_fasttext({"invoice": [1.0] * 9}, manifest.raw_labels()))
    explainer = Explainer(open_model_file(path), manifest)

    with pytest.raises(ValueError, match="no feature for this text"):
        explainer.explain("hello", "category", "billing")


def test_another_models_manifest_is_refused(tmp_path, model_bytes, manifest):
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes)

    with pytest.raises(ModelFileError, match="the manifest names other labels"):
        Explainer(open_model_file(path), replace(manifest, facets=manifest.facets[:1]))


def test_explaining_needs_nothing_but_the_standard_library():
    module = "classifier_infra.model.explanation"
    program = f"import sys; before = {{*sys.modules}}; import {module}; print(*{{*sys.modules}} - before)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    packages = {name.partition(".")[0] for name in loaded.split()}

    assert packages - set(sys.stdlib_module_names) == {"classifier_infra"}
