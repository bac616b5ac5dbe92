from pathlib import Path

import pytest

from classifier_infra.inference.settings import (
    ClassifierSettings,
    EndpointSettings,
    SettingError,
    read_classifier_settings,
)

ENVIRONMENT = {"ENDPOINT_NAME": "triage", "MODEL_MANIFEST": "model/manifest.json"}


def read(**changes):
    return read_classifier_settings(ENVIRONMENT | changes)


def test_by_default_a_real_time_endpoint_answers_alone():
    assert read() == ClassifierSettings(Path("model"), None, EndpointSettings("triage", 6_291_456, 10.0), False)


def test_a_serverless_endpoint_is_sent_less_at_once():
    assert read(ENDPOINT_TYPE="serverless").endpoint.max_bytes == 4_194_304


def test_with_a_fallback_the_endpoint_is_given_less_time():
    settings = read(CLASSIFIER="endpoint-with-fallback")

    assert settings.fallback
    assert settings.endpoint.patience == 2


def test_embedded_needs_no_endpoints_name():
    settings = read_classifier_settings({"CLASSIFIER": "embedded", "MODEL_MANIFEST": "model/manifest.json"})

    assert settings == ClassifierSettings(Path("model"))


def test_models_may_be_changed_from_a_store():
    assert read(MODEL_SOURCE="s3://models/prefix").model_source == "s3://models/prefix"


@pytest.mark.parametrize("name", ["ENDPOINT_NAME", "MODEL_MANIFEST"])
def test_what_is_missing_or_empty_is_named(name):
    for incomplete in ({key: value for key, value in ENVIRONMENT.items() if key != name}, ENVIRONMENT | {name: ""}):
        with pytest.raises(SettingError, match=f"{name} is not set"):
            read_classifier_settings(incomplete)


@pytest.mark.parametrize("name", ["CLASSIFIER", "ENDPOINT_TYPE"])
def test_what_is_none_of_the_choices_is_named_with_them(name):
    with pytest.raises(SettingError, match=f"{name} is none of .*e.*, "):
        read(**{name: "cloud"})
