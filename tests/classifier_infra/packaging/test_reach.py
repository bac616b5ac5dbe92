"""Import statements, wherever they are, decide which of our modules a handler's archive contains."""

from collections.abc import Callable
from pathlib import Path

import pytest

from classifier_infra.packaging.reach import Reach, find_reach
from classifier_infra.packaging.runtime import PackagingError


@pytest.fixture
def reach(tmp_path: Path) -> Callable[..., Reach]:
    """Find the reach of `ours.entry` among modules with the given code."""

    def find(**modules: str) -> Reach:
        package = tmp_path / "ours"
        package.mkdir()
        for name, code in {"__init__": "", **modules}.items():
            (package / f"{name}.py").write_text(code)
        return find_reach(tmp_path, "ours.entry")

    return find


def test_modules_are_followed_from_one_to_the_next_with_their_packages(reach):
    found = reach(entry="from ours.middle import thing", middle="import ours.end", end="", unused="")

    assert {str(path) for path in found.sources} == {
        "ours/__init__.py",
        "ours/entry.py",
        "ours/middle.py",
        "ours/end.py",
    }


def test_an_import_inside_a_function_counts(reach):
    found = reach(entry="def load():\n    from ours import late\n", late="import boto3")

    assert "boto3" in found.foreign


def test_an_import_for_types_alone_does_not_count(reach):
    code = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import types_boto3\nelse:\n    import yaml\n"

    assert reach(entry=code).foreign == {"yaml"}


def test_modules_that_import_each_other_are_each_taken_once(reach):
    found = reach(entry="import ours.other", other="import ours.entry")

    assert len(found.sources) == 3


def test_what_python_itself_has_is_no_library(reach):
    assert reach(entry="import json, os.path\nfrom collections.abc import Mapping").foreign == frozenset()


def test_services_are_those_that_clients_are_made_of(reach):
    code = 'import boto3\nboto3.client("sqs")\nsession.create_client("dynamodb", config=None)\nname.client(other)\n'

    assert reach(entry=code).services == {"sqs", "dynamodb"}


def test_a_handler_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(PackagingError, match=r"no module ours\.entry"):
        find_reach(tmp_path, "ours.entry")
