"""Lock files work with every package index: they name packages, versions and checksums, but no host."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_a_requirements_file_names_no_host(path):
    text = path.read_text(encoding="utf-8")

    assert "://" not in text
    assert "index-url" not in text


def test_the_npm_lock_has_a_checksum_for_each_package_and_no_place_to_get_it_from():
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    locked = {name: package for name, package in packages.items() if name}

    assert locked
    assert [name for name, package in locked.items() if "integrity" not in package] == []
    assert [name for name, package in locked.items() if "resolved" in package] == []
