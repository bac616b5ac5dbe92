"""The file of endpoints is read, or refused with the place of the mistake."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.local.hosting import (
    HostedEndpoint,
    HostedVariant,
    HostingError,
    check_name,
    open_endpoints,
    read_hosting,
)


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "endpoints.yml"
        path.write_text(text)
        return path

    return write


def test_endpoints_have_variants_with_a_model_and_a_weight(write, tmp_path):
    path = write("""
support:
  current: {model: models/a, weight: 9}
  candidate: {model: /models/b}
spam:
  AllTraffic: {model: models/c}
""")

    assert read_hosting(path) == [
        HostedEndpoint(
            "support",
            (HostedVariant("current", tmp_path / "models/a", 9), HostedVariant("candidate", Path("/models/b"), 1)),
        ),
        HostedEndpoint("spam", (HostedVariant("AllTraffic", tmp_path / "models/c"),)),
    ]


def test_json_is_read_too(write, tmp_path):
    path = write(json.dumps({"support": {"current": {"model": "a", "weight": 0.5}}}))

    assert read_hosting(path) == [HostedEndpoint("support", (HostedVariant("current", tmp_path / "a", 0.5),))]


WRONG = {
    "": "the file: names with their settings are needed here",
    "- support": "the file: names with their settings are needed here",
    "support:": "support: names with their settings are needed here",
    "support: {current: models/a}": "support.current: names with their settings are needed here",
    "support: {current: {weight: 1}}": "support.current: model must name a model folder",
    "support: {current: {model: 1}}": "support.current: model must name a model folder",
    "support: {current: {model: a, wieght: 1}}": "support.current: 'wieght' is not a field; the fields are",
    "support: {current: {model: a, weight: -1}}": "support.current: weight is -1; it must be a number, 0 or more",
    "support: {current: {model: a, weight: .nan}}": "support.current: weight is nan; it must be a number, 0 or more",
    "support: {current: {model: a, weight: true}}": "support.current: weight is True; it must be a number, 0 or more",
    "support: {current: {model: a, weight: 0}}": "support: the weights add up to 0; give at least one variant more",
    "sup port: {current: {model: a}}": "'sup port' is not 1 to 63 letters, digits and inner hyphens",
    "support: {1: {model: a}}": "1 is not 1 to 63 letters, digits and inner hyphens",
    "support: {": "not valid YAML: ",
}


@pytest.mark.parametrize("text", WRONG)
def test_an_invalid_file_is_refused_with_the_place_and_the_fix(write, text):
    path = write(text)

    with pytest.raises(HostingError) as caught:
        read_hosting(path)

    assert str(caught.value).startswith(f"{path}: {WRONG[text]}")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(HostingError, match="No such file"):
        read_hosting(tmp_path / "none.yml")


def test_a_model_that_serves_twice_is_loaded_once():
    opened = []

    def open_model(path):
        opened.append(path)
        return object()

    folder = Path("a")
    variants = (HostedVariant("current", folder), HostedVariant("candidate", folder))
    open_endpoints([HostedEndpoint("support", variants), HostedEndpoint("spam", variants)], open_model)

    assert opened == [folder]


@given(st.from_regex(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*", fullmatch=True).filter(lambda name: len(name) <= 63))
def test_names_that_sagemaker_accepts_are_accepted(name):
    assert check_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "a_b", "ä", "a\n", "a" * 64])
def test_other_names_are_refused(name):
    with pytest.raises(HostingError):
        check_name(name)
