"""The direction of imports, and what may happen when a module is imported."""

import ast
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("bot", "classifier_infra", "training")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))

SCRIPTS = sorted(path for folder in ("bot", "static_site") for path in (ROOT / folder).rglob("*.js"))

MOST_MODULES_IN_A_FOLDER = 12

# Decisions and the text path: nothing in them talks to AWS, to Slack or over HTTP.
PURE = ("bot/triage", "bot/policy", "classifier_infra/model")
EDGES = {"boto3", "botocore", "slack_sdk.web", "slack_bolt", "http.client", "urllib.request", "socketserver"}

# Who may import whom; everyone may import itself.
ALLOWED = {"bot": {"classifier_infra"}, "training": {"classifier_infra"}, "classifier_infra": set()}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def read(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> list[str]:
    names = []
    for node in ast.walk(read(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def test_no_import_points_upward():
    wrong = []
    for path in MODULES:
        package = path.relative_to(ROOT).parts[0]
        foreign = {name.partition(".")[0] for name in imports_of(path)} & set(PACKAGES) - {package}
        wrong += [f"{name_of(path)} imports {other}" for other in foreign - ALLOWED[package]]

    assert wrong == []


def test_nothing_imports_a_lambda_entry_module_or_the_sandbox():
    assert [
        f"{name_of(path)} imports {name}"
        for path in MODULES
        for name in imports_of(path)
        if ".lambdas" in name or (name.startswith("bot.sandbox") and "sandbox" not in path.parts)
    ] == []


def test_only_entry_modules_and_the_sandbox_touch_the_environment():
    inner = [path for path in MODULES if not {"lambdas", "sandbox", "__main__.py"} & set(path.parts)]

    assert [
        f"{name_of(path)}:{node.lineno}"
        for path in inner
        for node in ast.walk(read(path))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ] == []


def test_the_acknowledgement_path_imports_neither_bolt_nor_the_model_nor_pydantic():
    program = "import sys, bot.lambdas.front; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env={"PATH": ""}, capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"slack_bolt", "fasttext", "pydantic", "yaml"} & set(loaded)


def test_the_text_path_needs_nothing_but_the_standard_library():
    imported = {name.partition(".")[0] for name in imports_of(ROOT / "classifier_infra" / "model" / "text.py")}

    assert imported <= set(sys.stdlib_module_names)


# --- Folders ----------------------------------------------------------------------------------------------------


def python_imports() -> Iterator[tuple[Path, Path]]:
    """Yield (importing file, imported file) for every import of a module of ours."""
    modules = {name_of(path): path for path in MODULES}
    for path in MODULES:
        for name in imports_of(path):
            while name and name not in modules:
                name = name.rpartition(".")[0]
            if name and modules[name] != path:
                yield path, modules[name]


def script_imports() -> Iterator[tuple[Path, Path]]:
    for path in SCRIPTS:
        for target in re.findall(r'(?:from|import) "(\.[^"]+)"', path.read_text(encoding="utf-8")):
            yield path, (path.parent / target).resolve()


def find_circles(imports: Iterable[tuple[Path, Path]]) -> list[str]:
    """Name, for every folder, a circle among its files and subfolders, if there is one."""
    graphs: dict[Path, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for source, target in imports:
        shared = next(folder for folder in source.parents if folder in target.parents)
        graphs[shared][source.relative_to(shared).parts[0]].add(target.relative_to(shared).parts[0])
    circles = []
    for folder, graph in graphs.items():
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            circles.append(f"{folder.relative_to(ROOT)}: {' -> '.join(reversed(error.args[1]))}")
    return circles


def test_a_circle_of_folders_is_found():
    inside, outside = ROOT / "bot" / "a", ROOT / "bot" / "b"
    there_and_back = [(inside / "x.py", outside / "y.py"), (outside / "z.py", inside / "w.py")]

    assert find_circles(there_and_back[:1]) == []
    assert find_circles(there_and_back) in (["bot: a -> b -> a"], ["bot: b -> a -> b"])


def test_no_files_or_folders_import_each_other_in_a_circle():
    assert find_circles(python_imports()) == []


def test_no_scripts_or_folders_of_scripts_import_each_other_in_a_circle():
    imports = [*script_imports()]

    assert imports
    assert find_circles(imports) == []


def test_a_folder_has_few_modules():
    modules = [path for path in (*MODULES, *SCRIPTS) if path.name != "__init__.py"]
    sizes = Counter(path.parent for path in modules)

    assert {str(folder): size for folder, size in sizes.items() if size > MOST_MODULES_IN_A_FOLDER} == {}


@pytest.mark.parametrize("folder", PURE)
def test_what_decides_reaches_nothing_outside_this_process(folder):
    modules = [name_of(path) for path in (ROOT / folder).rglob("*.py")]
    program = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    assert EDGES & {*loaded.split()} == set()
