"""The archives are complete, small, reproducible, and built for Lambda's processor and Python."""

import hashlib
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from classifier_infra.packaging.__main__ import MOST_UNPACKED, build

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "build" / "models" / "starter"
FUNCTIONS = yaml.safe_load((ROOT / "serverless.yml").read_text())["functions"]
MACHINES = {"arm64": (183, "aarch64"), "x86_64": (62, "x86_64")}

pytestmark = pytest.mark.once


@pytest.fixture(scope="module", params=MACHINES)
def platform(request) -> str:
    return request.param


@pytest.fixture(scope="module", params=FUNCTIONS)
def function(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def contents(archives, platform, function):
    with zipfile.ZipFile(archives(platform)[function]) as opened:
        yield opened


def test_it_is_small_enough_to_start_quickly(contents):
    assert sum(entry.file_size for entry in contents.infolist()) <= MOST_UNPACKED


def test_the_handler_and_each_file_that_its_environment_names_is_in_it(contents, function):
    declared = FUNCTIONS[function]
    module = declared["handler"].rpartition(".")[0]
    paths = [
        value
        for name, value in declared["environment"].items()
        if name in ("MODEL_MANIFEST", "POLICY_FILE", "PRICES_FILE")
    ]

    assert {f"{module.replace('.', '/')}.py", *paths} <= set(contents.namelist())


def test_all_machine_code_in_it_is_for_the_functions_processor_and_python(contents, platform):
    number, name = MACHINES[platform]

    for library in (each for each in contents.namelist() if each.endswith(".so")):
        (machine,) = struct.unpack_from("<H", contents.read(library), 18)
        assert machine == number, library
        assert f"cpython-313-{name}" in library


def test_every_source_file_has_its_bytecode_which_is_never_compared_with_it(contents, python_of_lambda):
    names = set(contents.namelist())

    for name in (each for each in names if each.endswith(".py")):
        folder, _, stem = name.rpartition("/")
        compiled = f"{folder}/__pycache__/{stem}c".lstrip("/").replace(".pyc", ".cpython-313.pyc")
        flags = contents.read(compiled)[4:8]
        assert flags == b"\x01\0\0\0", "PEP 552: hash-based, unchecked"


def test_nothing_of_the_laptop_is_in_it(contents):
    laptop_only = (
        "training",
        "static_site",
        "tests",
        "bot/sandbox",
        "bot/cli",
        "classifier_infra/local",
        "classifier_infra/packaging",
        "bin",
        "moto",
        "starlette",
    )

    assert not [name for name in contents.namelist() if name.startswith(tuple(f"{each}/" for each in laptop_only))]


def test_no_function_has_a_service_of_aws_described_that_no_function_calls(archives):
    called = {"dynamodb", "s3", "sagemaker-runtime", "secretsmanager", "sqs"}
    for path in archives("arm64").values():
        with zipfile.ZipFile(path) as archive:
            described = {name.split("/")[2] for name in archive.namelist() if name.endswith("service-2.json.gz")}
        assert described <= called


def test_the_front_door_has_neither_bolt_nor_the_model_nor_pydantic_with_it(archives):
    with zipfile.ZipFile(archives("arm64")["front"]) as archive:
        packages = {name.partition("/")[0] for name in archive.namelist()}

    assert "botocore" in packages
    assert not packages & {"slack_bolt", "slack_sdk", "aws_lambda_powertools", "pydantic", "fasttext", "yaml", "model"}


def test_what_installs_the_bot_has_neither_bolt_nor_boto3_nor_the_ledger_with_it(archives):
    with zipfile.ZipFile(archives("arm64")["oauth"]) as archive:
        names = set(archive.namelist())

    assert {"slack_sdk", "botocore"} <= {name.partition("/")[0] for name in names}
    foreign = {"slack_bolt", "boto3", "aws_lambda_powertools", "pydantic", "fasttext", "yaml", "model", "training"}
    assert not {name.partition("/")[0] for name in names} & foreign
    assert not {"bot/store/ledger.py", "bot/pipeline/worker.py"} & names


def test_the_same_commit_gives_the_same_bytes(archives, tmp_path: Path, python_of_lambda):
    again = [archive.path for archive in build("arm64", STARTER, tmp_path, python_of_lambda)]

    # Digests: pytest would look for the difference of two megabytes of bytes until the test's time is over.
    assert _digests(again) == _digests(archives("arm64").values())


def _digests(paths: Iterable[Path]) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
