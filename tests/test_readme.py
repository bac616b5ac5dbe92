"""The paths, links, commands and outputs in the README match the repository."""

import importlib.util
import re
import subprocess
from pathlib import Path

from bot.sandbox.__main__ import _show
from bot.sandbox.system import Addresses

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

# What the repository must have at the top level.
REQUIRED = {"bot", "classifier_infra", "training", "static_site", "tests", "serverless.yml", "README.md"}


PACKAGES = ("bot", "classifier_infra", "training")


def file_map() -> list[str]:
    section = README[README.index("## Where things live") :]
    return re.findall(r"^([\w./]+) +\S.+$", section.split("```")[1], re.MULTILINE)


def load_code_map():
    spec = importlib.util.spec_from_file_location("code_map", ROOT / "docs" / "code_map.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_path_of_the_file_map_exists():
    assert [path for path in file_map() if not (ROOT / path).exists()] == []


def test_the_file_map_names_every_folder_of_modules():
    named = {Path(path) for path in file_map()}
    folders = {path.parent.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")}

    below_the_top = [folder for folder in folders if len(folder.parts) > 1]
    assert [folder.as_posix() for folder in below_the_top if not named & {folder, *folder.parents}] == []


def test_the_code_map_is_that_of_the_tree():
    page = (ROOT / "docs" / "code-map.md").read_text(encoding="utf-8")

    assert page == load_code_map().build_map(), "run: .venv/bin/python docs/code_map.py"


def test_every_module_of_the_code_map_says_what_it_is_for():
    lines = [line for line in load_code_map().build_map().splitlines() if line.startswith("- ")]

    assert [line for line in lines if len(line.split()) < 4] == []


def test_every_link_leads_to_a_file():
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_make_target_of_the_readme_is_one():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert {*re.findall(r"(?:`|\$ )make ([a-z-]+)", README)} <= {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}


def test_the_top_level_has_the_required_folders_and_files():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()

    assert {path.split("/")[0] for path in tracked} >= REQUIRED


def test_what_make_demo_prints_is_in_the_readme(capsys):
    local = "http://127.0.0.1"
    _show(Addresses(f"{local}:8000", f"{local}:8001", classifier="", aws="", webhooks=f"{local}:41745"))

    assert capsys.readouterr().out.strip("\n") in README
