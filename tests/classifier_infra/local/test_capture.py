"""Data capture has SageMaker's format and paths."""

import json
import re
import stat
from datetime import UTC, datetime

import pytest
from starlette.testclient import TestClient

from classifier_infra.local.app import create_app
from classifier_infra.local.capture import Capture
from classifier_infra.local.endpoint import Endpoint, Variant


class Model:
    def scores(self, text, k):
        return [(0.5, "__label__ü")]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "captured"


def build_app(folder, percentage=100.0):
    endpoint = Endpoint("support", [Variant("current", Model())])
    return TestClient(create_app([endpoint], capture=Capture(folder, percentage)))


def invoke(app, body=b'{"instances": ["\xc3\xa4"]}', **headers):
    headers = {"Content-Type": "application/json"} | headers
    return app.post("/endpoints/support/invocations", content=body, headers=headers)


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def records(folder):
    return [json.loads(line) for path in files(folder) for line in path.read_text().splitlines()]


def test_an_invocation_is_a_line_with_request_and_answer(folder):
    invoke(build_app(folder))

    [record] = records(folder)

    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "application/json",
            "mode": "INPUT",
            "data": '{"instances": ["ä"]}',
            "encoding": "JSON",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": '[{"label": ["__label__\\u00fc"], "prob": [0.5]}]',
            "encoding": "JSON",
        },
    }
    assert set(record["eventMetadata"]) == {"eventId", "inferenceTime"}
    assert record["eventVersion"] == "0"


def test_the_time_is_utc_to_the_second(folder):
    before = datetime.now(UTC).replace(microsecond=0)

    invoke(build_app(folder))

    time = datetime.strptime(records(folder)[0]["eventMetadata"]["inferenceTime"], "%Y-%m-%dT%H:%M:%S%z")
    assert before <= time <= datetime.now(UTC)


def test_an_inference_id_is_recorded(folder):
    invoke(build_app(folder), **{"X-Amzn-SageMaker-Inference-Id": "m-17"})

    assert records(folder)[0]["eventMetadata"]["inferenceId"] == "m-17"


def test_the_path_is_endpoint_variant_and_hour(folder):
    invoke(build_app(folder))

    [path] = files(folder)

    place = path.relative_to(folder).as_posix()
    assert re.fullmatch(r"support/current/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-[0-9a-f-]{36}\.jsonl", place)


def test_an_hour_of_a_process_is_one_file(folder):
    app = build_app(folder)

    for _ in range(3):
        invoke(app)

    assert len(records(folder)) == 3
    assert len(files(folder)) <= 2  # two where the hour turned


def test_two_processes_never_share_a_file(folder):
    for _ in range(2):
        invoke(build_app(folder))

    assert len(files(folder)) == 2


def test_a_percentage_is_spread_evenly(folder):
    app = build_app(folder, 50)

    for _ in range(10):
        invoke(app)

    assert len(records(folder)) == 5


def test_requests_that_the_container_refused_are_not_captured(folder):
    invoke(build_app(folder), b"{")

    assert not folder.exists()


def test_captured_files_are_readable_by_their_owner_only(folder):
    invoke(build_app(folder))

    [path] = files(folder)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


def test_an_unwritable_folder_stops_the_capture_but_not_the_answers(folder, caplog):
    folder.write_text("a file")
    app = build_app(folder)

    statuses = [invoke(app).status_code for _ in range(3)]

    assert statuses == [200, 200, 200]
    assert [record.getMessage() for record in caplog.records] == [
        f"Data capture into {folder} has stopped: File exists"
    ]
