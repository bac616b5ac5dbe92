"""Checkov finds nothing in the template but what is excused there, with a reason."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"
EXCUSES = ROOT / "classifier_infra" / "checkov.yml"
BILLING = ROOT / "classifier_infra" / "account" / "billing.yml"

pytestmark = pytest.mark.node


@pytest.fixture(scope="session")
def found(template, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The findings of checkov, apart from those excused in the template."""
    if not CHECKOV.exists():
        missing = f"{CHECKOV} is missing: make .venv-checkov/.ready"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    command = [CHECKOV, "--framework", "cloudformation", "--skip-download", "--compact", "--output", "json"]
    done = subprocess.run(
        [*command, "--file", template.path, BILLING],
        cwd=tmp_path_factory.mktemp("checkov"),
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home"))},
        capture_output=True,
        text=True,
        check=False,
    )
    return json.loads(done.stdout)


def test_everything_that_checkov_finds_is_excused_and_nothing_else_is(found):
    excused = set(re.findall(r"^  - (\w+)", EXCUSES.read_text(), re.MULTILINE))

    assert {each["check_id"] for each in found["results"]["failed_checks"]} == excused
    assert found["summary"]["parsing_errors"] == 0
    assert found["summary"]["passed"] > 100


def test_no_excuse_is_without_a_reason(found):
    lines = [line for line in EXCUSES.read_text().splitlines() if line.startswith("  - ")]

    assert all(len(line.partition(" # ")[2].split()) > 5 for line in lines)
    in_place = [each["check_result"]["suppress_comment"] for each in found["results"]["skipped_checks"]]
    assert in_place
    assert all(len(comment.split()) > 5 for comment in in_place)
