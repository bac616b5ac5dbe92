"""The model that serves an invocation: how changes are noticed, checked and taken over, and what failures change."""

import json
import threading
from dataclasses import replace

import pytest

from classifier_infra.inference import loader as loader_module
from classifier_infra.inference import service as service_module
from classifier_infra.inference.classifier import ClassifierUnavailable, NotExplainable
from classifier_infra.inference.events import (
    CanariesHold,
    CanariesMoved,
    CanariesUnchecked,
    EndpointFailed,
    ModelChanged,
    ModelLimited,
    ModelNotChanged,
    SwitchedOver,
)
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.inference.settings import build_service, read_classifier_settings
from classifier_infra.local.faults import Fault
from classifier_infra.model import model as model_module
from classifier_infra.model.artefact import open_artefact
from classifier_infra.model.canaries import Baseline, answers_of, baselines_json
from classifier_infra.model.manifest import Canary
from classifier_infra.model.model import load_model

TEXTS = ("INVOICE, charged!", "Crash: urgent")
LATER = 0.0  # a renewal at every invocation


class Team:
    """The people who train models and put them into the store."""

    def __init__(self, folder, write_folder, manifest):
        self.folder = folder
        self._write_folder = write_folder
        self._manifest = manifest
        folder.mkdir()

    def publish(self, version, model_bytes):
        """Store a model with canaries, and return its folder."""
        manifest = replace(self._manifest, version=version)
        folder = self._write_folder(self.folder / version, model_bytes, manifest)
        predictions = EmbeddedClassifier(load_model(folder, in_memory=True)).predict(TEXTS)
        canaries = tuple(Canary(*each) for each in zip(TEXTS, answers_of(predictions), strict=True))
        return self._write_folder(folder, model_bytes, replace(manifest, canaries=canaries))

    def activate(self, version):
        self.write("active.json", json.dumps({"version": version}).encode())

    def write(self, name, content):
        unfinished = self.folder / "unfinished"
        unfinished.write_bytes(content)
        unfinished.replace(self.folder / name)


@pytest.fixture
def other_bytes(write_fasttext, manifest):
    """Another model for the same labels: `invoice` is technical to it."""
    words = {"</s>": [0.0] * 9, "invoice": [-1, 2, -1, 0, 0, 0, 0, 0, 0], "crash": [2, -1, -1, 0, 0, 0, 0, 0, 0]}
    return write_fasttext(words, manifest.raw_labels())


@pytest.fixture
def team(tmp_path, write_folder, manifest, model_bytes, other_bytes):
    team = Team(tmp_path / "models", write_folder, manifest)
    team.publish("v1", model_bytes)
    team.publish("v2", other_bytes)
    return team


@pytest.fixture
def events():
    return []


@pytest.fixture
def start(team, events, model_folder):
    """`start(mode)` builds the service of a function whose archive has the model `test-1`."""

    def start(mode="embedded", renewal_seconds=LATER):
        environment = {
            "CLASSIFIER": mode,
            "ENDPOINT_NAME": "small",
            "MODEL_MANIFEST": str(model_folder / "manifest.json"),
            "MODEL_SOURCE": str(team.folder),
        }
        return build_service(read_classifier_settings(environment), events.append, renewal_seconds)

    return start


def serving(service):
    return service.current(30).manifest.version


def caution(service, text="invoice"):
    return service.current(30).predict([text])[0].caution


# --- Which model ----------------------------------------------------------------------------------------------


def test_until_the_store_names_a_model_the_archives_own_serves(start):
    assert serving(start()) == "test-1"


def test_the_model_that_the_store_names_serves_from_the_first_invocation_on(start, team):
    team.activate("v1")

    assert serving(start()) == "v1"


def test_a_change_is_taken_over_at_the_next_renewal(start, team, events):
    team.activate("v1")
    service = start()
    service.current(30)

    team.activate("v2")

    assert serving(service) == "v2"
    assert events == [ModelChanged("v1", "v2")]


def test_an_invocation_works_with_one_model_to_its_end(start, team):
    team.activate("v1")
    service = start()
    begun = service.current(30)

    team.activate("v2")
    service.current(30)

    [prediction] = begun.predict(["invoice"])
    assert (begun.manifest.version, prediction.model_version) == ("v1", "v1")
    assert prediction.facets["category"].name == "billing"


def test_between_two_renewals_the_store_is_not_read(start, team):
    team.activate("v1")
    service = start(renewal_seconds=3600)
    service.current(30)

    team.activate("v2")

    assert serving(service) == "v1"


def test_a_renewal_from_an_unchanged_store_loads_nothing(start, team):
    team.activate("v1")
    service = start()

    assert service.current(30).model is service.current(30).model


def test_a_model_that_takes_long_to_load_delays_no_invocation(start, team, monkeypatch):
    team.activate("v1")
    service = start()
    service.current(30)
    loading, loaded = threading.Event(), threading.Event()
    load = loader_module.load_stored_model
    monkeypatch.setattr(service_module, "_MOST_WAIT", 0.01)
    monkeypatch.setattr(
        loader_module, "load_stored_model", lambda *what: [loading.set(), loaded.wait(), load(*what)][-1]
    )

    team.activate("v2")
    versions = [serving(service), serving(service)]
    assert loading.wait(5)
    loaded.set()
    service._renewal.result()

    assert versions == ["v1", "v1"]
    assert serving(service) == "v2"


# --- When it cannot be had ------------------------------------------------------------------------------------


def damage(folder):
    (folder / "model.tar.gz").write_bytes(b"damaged")


def rename(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"version": "v3"}))


def remove(folder):
    (folder / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (damage, "damaged or cut short"),
        (rename, "the model stored as v2 calls itself v3"),
        (remove, "manifest.json: there is no such file"),
    ],
)
def test_a_model_that_cannot_be_had_is_reported_and_the_old_one_serves_on(start, team, events, spoil, reason):
    team.activate("v1")
    service = start()
    service.current(30)
    spoil(team.folder / "v2")

    team.activate("v2")

    assert serving(service) == "v1"
    [event] = events
    assert isinstance(event, ModelNotChanged)
    assert reason in event.reason


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'{"version": 2}', b'{"version": "../../etc"}', b'{"version": ""}']
)
def test_an_active_json_that_names_no_version_changes_nothing(start, team, events, content):
    team.activate("v1")
    service = start()
    service.current(30)

    team.write("active.json", content)

    assert serving(service) == "v1"
    assert [type(event) for event in events] == [ModelNotChanged]


def test_once_the_model_can_be_had_it_is_taken_over(start, team, other_bytes):
    team.activate("v1")
    service = start()
    service.current(30)
    damage(team.folder / "v2")
    team.activate("v2")
    service.current(30)

    team.publish("v2", other_bytes)

    assert serving(service) == "v2"


def test_a_store_that_no_longer_names_a_model_changes_nothing(start, team, events):
    team.activate("v1")
    service = start()
    service.current(30)

    (team.folder / "active.json").unlink()

    assert serving(service) == "v1"
    assert [type(event) for event in events] == [ModelNotChanged]


def test_a_fault_in_the_renewal_itself_changes_nothing_either(start, events, monkeypatch, caplog):
    service = start()
    service.current(30)
    monkeypatch.setattr(loader_module, "read_active_version", lambda *what: 1 // 0)

    assert serving(service) == "test-1"
    assert [type(event) for event in events] == [ModelNotChanged]
    assert "ZeroDivisionError" in caplog.text


def test_without_a_first_model_the_classifier_is_unavailable_until_there_is_one(start, team, other_bytes):
    damage(team.folder / "v2")
    team.activate("v2")
    service = start()
    with pytest.raises(ClassifierUnavailable, match=r"there is no model: .*damaged"):
        service.current(30)

    team.publish("v2", other_bytes)

    assert serving(service) == "v2"


# --- Canaries -------------------------------------------------------------------------------------------------


def test_a_model_whose_canaries_hold_may_be_relied_upon(start, team, host, events):
    team.activate("v1")

    assert caution(start("endpoint")) is None
    assert events == []
    assert host.batches[0] == ["invoice , charged !", "crash : urgent"]


def test_an_endpoint_that_serves_another_model_only_suggests_and_the_canaries_are_named(start, team, host, events):
    team.activate("v1")
    host.serve(open_artefact(team.folder / "v2"))

    assert caution(start("endpoint")) == "canaries-moved"
    [event] = events
    assert isinstance(event, CanariesMoved)
    assert (event.version, event.served_by) == ("v1", "endpoint")
    assert event.moved[0].startswith("canary 1, category: ")


def test_the_copy_in_this_process_is_judged_by_itself(start, team, host):
    team.activate("v1")
    host.serve(open_artefact(team.folder / "v2"))
    current = start("endpoint-with-fallback").current(30)

    assert current.predict(["invoice"])[0].caution == "canaries-moved"
    assert current.without_endpoint().predict(["invoice"])[0].caution is None


def test_an_endpoint_that_could_not_be_checked_does_not_answer_until_the_next_invocation_has_done_so(
    start, team, host, events
):
    team.activate("v1")
    host.fail(Fault("model-500", times=1))
    service = start("endpoint")
    service._renewal_seconds = 3600

    with pytest.raises(ClassifierUnavailable, match=r"the endpoint's canaries could not be asked \(.*ModelError"):
        service.current(30).predict(["invoice"])

    assert caution(service) is None
    assert [type(event) for event in events] == [EndpointFailed, CanariesUnchecked]


def test_while_it_does_not_the_copy_in_this_process_answers_and_may_be_relied_upon(start, team, host, events):
    team.activate("v1")
    host.fail(Fault("model-500"))

    [prediction] = start("endpoint-with-fallback").current(30).predict(["invoice"])

    assert (prediction.served_by, prediction.caution) == ("embedded", None)
    assert SwitchedOver in [type(event) for event in events]


def test_a_model_that_cannot_be_checked_does_not_replace_one_that_was(start, team, host):
    team.activate("v1")
    service = start("endpoint")
    service.current(30)
    host.fail(Fault("model-500", times=1))
    team.activate("v2")

    versions = [serving(service), serving(service)]

    assert versions == ["v1", "v2"]


def test_canaries_of_an_endpoint_are_asked_again_now_and_then(start, team, host, events, monkeypatch):
    monkeypatch.setattr(loader_module, "_RECHECK_SECONDS", 0.0)
    team.activate("v1")
    service = start("endpoint")
    service.current(30)

    host.serve(open_artefact(team.folder / "v2"))

    assert caution(service) == "canaries-moved"


def test_but_not_at_every_renewal(start, team, host):
    team.activate("v1")
    service = start("endpoint")
    service.current(30)

    for _ in range(3):
        service.current(30)

    assert len(host.requests) == 1


def test_an_endpoint_that_fails_later_keeps_the_verdict_it_had(start, team, host, monkeypatch):
    monkeypatch.setattr(loader_module, "_RECHECK_SECONDS", 0.0)
    team.activate("v1")
    service = start("endpoint")
    service.current(30)
    host.fail(Fault("model-500", times=1))
    service.current(30)

    assert caution(service) is None


def test_answers_that_a_person_accepted_are_the_right_ones_from_the_next_renewal_on(start, team, host, events):
    team.activate("v1")
    host.serve(other := open_artefact(team.folder / "v2"))
    service = start("endpoint")
    service.current(30)
    seen = answers_of(EmbeddedClassifier(replace(service.current(30).model, artefact=other)).predict(TEXTS))

    baseline = Baseline("v1", "endpoint", "ann", "2026-11-22T10:00:00+00:00", "a new container", seen)
    team.write("accepted.json", baselines_json([baseline]))

    assert caution(service) is None
    assert events[-1] == CanariesHold("v1", "endpoint")


def test_a_damaged_list_of_accepted_answers_changes_nothing(start, team, events):
    team.activate("v1")
    service = start()
    service.current(30)

    team.write("accepted.json", b"{")

    assert serving(service) == "v1"
    [event] = events
    assert "accepted.json: not a list of accepted answers" in event.reason


# --- Large models ---------------------------------------------------------------------------------------------


def test_a_model_too_large_for_memory_does_not_answer_in_this_process(start, team, monkeypatch):
    monkeypatch.setattr(model_module, "MOST_BYTES_IN_MEMORY", 100)
    team.activate("v1")

    with pytest.raises(ClassifierUnavailable, match="v1 is too large to answer in this process"):
        start("embedded").current(30)


def test_such_a_model_has_no_fallback_and_says_so(start, team, host, events, monkeypatch):
    monkeypatch.setattr(model_module, "MOST_BYTES_IN_MEMORY", 100)
    team.activate("v1")

    current = start("endpoint-with-fallback").current(30)

    assert current.predict(["invoice"])[0].served_by == "endpoint"
    assert current.without_endpoint() is None
    assert current.explain("invoice", "category", "billing")
    assert events == [ModelLimited("v1", "there is no fallback")]


def test_a_model_too_large_for_the_disk_only_suggests_and_explains_nothing(start, team, host, events, monkeypatch):
    monkeypatch.setattr(model_module, "MOST_BYTES_ON_DISK", 100)
    team.activate("v1")

    current = start("endpoint").current(30)

    assert current.predict(["invoice"])[0].caution == "words-unchecked"
    with pytest.raises(NotExplainable):
        current.explain("invoice", "category", "billing")
    assert [type(event) for event in events] == [ModelLimited]
