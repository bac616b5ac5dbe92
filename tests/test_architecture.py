"""The direction of imports, and what may happen when a module is imported."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "classifier_infra", "training")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

# Who may import whom; everyone may import itself.
ALLOWED = {"bot": {"classifier_infra"}, "training": {"classifier_infra"}, "classifier_infra": set()}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_import_points_upward(path):
    package = path.relative_to(ROOT).parts[0]
    foreign = {name.partition(".")[0] for name in imports_of(path)} & set(PACKAGES) - {package}

    assert foreign <= ALLOWED[package]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_imports_a_lambda_entry_module_or_the_sandbox(path):
    is_sandbox = "sandbox" in path.parts
    for name in imports_of(path):
        assert ".lambdas" not in name
        assert is_sandbox or not name.startswith("bot.sandbox")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_entry_modules_and_the_sandbox_touch_the_environment(path):
    if "lambdas" in path.parts or "sandbox" in path.parts or path.name == "__main__.py":
        return
    touched = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]

    assert touched == []


def test_the_acknowledgement_path_imports_neither_bolt_nor_the_model_nor_pydantic():
    program = "import sys, bot.lambdas.front; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"slack_bolt", "fasttext", "pydantic", "yaml"} & set(loaded)


def test_the_text_path_needs_nothing_but_the_standard_library():
    imported = {name.partition(".")[0] for name in imports_of(ROOT / "classifier_infra" / "model" / "text.py")}

    assert imported <= set(sys.stdlib_module_names)
