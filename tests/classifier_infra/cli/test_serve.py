"""`python -m classifier_infra serve`, from its command line."""

import json
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def run():
    """Runs a command that ends by itself."""

    def run(*arguments):
        command = [sys.executable, "-m", "classifier_infra", *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    return run


def test_the_address_is_printed_once_the_server_answers(serve, model_folder):
    with serve(model_folder) as (_, url):
        assert httpx2.get(f"{url}/ping").status_code == 200


@pytest.fixture(params=["foreground", "background"])
def _job(request):
    """Starts processes as a shell does; in the background SIGINT is ignored, which they inherit."""
    handler = signal.SIG_IGN if request.param == "background" else signal.default_int_handler
    before = signal.signal(signal.SIGINT, handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_job")
@pytest.mark.parametrize(("stop", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_the_server_without_output(serve, model_folder, stop, status):
    with serve(model_folder) as (process, url), httpx2.Client() as client:  # stays connected
        client.get(f"{url}/ping")
        process.send_signal(stop)
        output, errors = process.communicate()

    assert (process.returncode, output, errors) == (status, "", "")


def test_a_bare_model_is_served_as_in_a_container(serve, tmp_path, model_bytes):
    (tmp_path / "model.bin").write_bytes(model_bytes)

    with serve(tmp_path) as (_, url):
        response = httpx2.post(f"{url}/invocations", json={"instances": ["invoice"], "configuration": {"k": 99}})

    [prediction] = response.json()
    assert prediction["label"][0] == "__label__billing"
    assert len(prediction["label"]) == 9


def test_a_truncated_bare_model_is_refused(run, tmp_path, model_bytes):
    (tmp_path / "model.bin").write_bytes(model_bytes[:-1])

    result = run("serve", tmp_path, "--port", "0")

    assert result.returncode == 2
    assert result.stderr.startswith(f"This model cannot be served. {tmp_path / 'model.bin'}: damaged or cut short")


# --- Several endpoints ----------------------------------------------------------------------------------------


def test_a_file_names_several_endpoints_and_variants(serve, model_folder, tmp_path):
    variant = {"model": str(model_folder)}
    endpoints = {"support": {"current": variant, "candidate": variant}, "spam": {"AllTraffic": variant}}
    (tmp_path / "endpoints.yml").write_text(json.dumps(endpoints))

    with serve(f"--endpoints={tmp_path / 'endpoints.yml'}") as (_, url):
        answers = [
            httpx2.post(f"{url}/endpoints/{name}/invocations", json={"instances": ["invoice"]})
            for name in ("support", "support", "spam")
        ]

    assert [answer.headers["x-amzn-invoked-production-variant"] for answer in answers] == [
        "current",
        "candidate",
        "AllTraffic",
    ]


def test_an_invalid_file_of_endpoints_is_refused(run, tmp_path):
    path = tmp_path / "endpoints.yml"
    path.write_text("support: {current: {}}")

    result = run("serve", "--endpoints", path)

    assert result.returncode == 2
    assert result.stderr.startswith(f"These endpoints cannot be served. {path}: support.current: names with their")


# --- Faults and capture ---------------------------------------------------------------------------------------


def test_faults_can_start_with_the_server_and_end_at_run_time(serve, model_folder):
    with serve(model_folder, "--fault", "unavailable") as (_, url), httpx2.Client(base_url=url) as client:
        before = client.post("/endpoints/blazing-triage/invocations", json={"instances": []})
        client.delete("/faults")
        after = client.post("/endpoints/blazing-triage/invocations", json={"instances": []})

    assert (before.status_code, after.status_code) == (503, 200)


def test_an_unknown_fault_is_a_usage_error(run, model_folder):
    result = run("serve", model_folder, "--fault", "nothing")

    assert result.returncode == 2
    assert "argument --fault: 'nothing' is not a fault; the faults are hang, slow, " in result.stderr


def test_invocations_can_be_captured(serve, model_folder, tmp_path):
    with serve(model_folder, "--capture", tmp_path / "captured") as (_, url):
        for _ in range(3):
            httpx2.post(f"{url}/endpoints/blazing-triage/invocations", json={"instances": ["invoice"]})

    files = [path for path in (tmp_path / "captured").rglob("*") if path.is_file()]
    assert sum(len(path.read_text().splitlines()) for path in files) == 3


# --- What is refused ------------------------------------------------------------------------------------------


def test_a_corrupt_archive_is_refused(run, tmp_path, model_folder):
    folder = shutil.copytree(model_folder, tmp_path / "corrupt")
    archive = folder / "model.tar.gz"
    archive.write_bytes(archive.read_bytes()[:100])

    result = run("serve", folder, "--port", "0")

    assert result.returncode == 2
    assert result.stderr.startswith(f"This model cannot be served. {archive}: damaged or cut short")
    assert result.stderr.count("\n") == 1


def test_a_port_in_use_is_reported_with_what_to_do(run, model_folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        result = run("serve", model_folder, "--port", port)

    assert result.returncode == 1
    assert result.stderr == f"Port {port} cannot be used: Address already in use. Choose another one with --port.\n"


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("serve",),
        ("serve", "x", "--port", "99999"),
        ("serve", "x", "--port", "-"),
        ("serve", "x", "--endpoint-name", "a b"),
        ("serve", "x", "--endpoints", "y"),
        ("serve", "--endpoints", "y", "--endpoint-name", "a"),
        ("serve", "x", "--capture-percentage", "0"),
        ("serve", "x", "--capture-percentage", "nan"),
    ],
)
def test_a_wrong_option_is_a_usage_error(run, options):
    result = run(*options)

    assert result.returncode == 2
    assert "usage: python -m classifier_infra" in result.stderr


def test_help_has_examples_to_copy(run):
    result = run("serve", "--help")

    assert result.returncode == 0
    assert "curl http://127.0.0.1:8080/endpoints/" in result.stdout
    assert "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=" in result.stdout
    assert "throttled     too many requests" in result.stdout
