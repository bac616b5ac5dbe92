"""The documentation's links, commands and paths exist, and documentation and docstrings use plain language."""

import ast
import inspect
import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), *ROOT.glob("*.md"), ROOT / "training" / "starter" / "README.md"]

IDIOMS = re.compile(r"\b(whoever|somebody|nobody|anybody)\b", re.IGNORECASE)
# "Give" and "Tell" are vague; an indirect question does not name what a function does or what a class is.
OPENINGS = re.compile(r"Give|Tell|(What|Whose|Which|How|Where|When|Whether|Who|Whom|Why)\b")
# Folders whose docstrings have neither. Folders may be added to this list, never removed.
PLAIN_FOLDERS = ("benchmarks", "bot", "classifier_infra", "docs", "training")
# Annotations of functions that return nothing to their callers.
NOTHING = ("None", "NoReturn", "Never", "Iterator[None]", "AsyncIterator[None]", "Generator[None]")


def read_prose(document: Path) -> str:
    """Return a document's text without its code."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", text)


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def links_of(document: Path) -> Iterator[tuple[Path, str]]:
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        yield (document.parent / path if path else document), anchor


def anchors_of(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_of_a_document_leads_to_a_file_and_every_anchor_to_a_heading(document):
    lost = [
        f"{path.name}#{anchor}"
        for path, anchor in links_of(document)
        if not path.exists() or (anchor and anchor not in anchors_of(path))
    ]

    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_make_target_of_a_document_is_one(document):
    if document.name == "CHANGELOG.md":  # names targets of the past
        return
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:`|\$ )make ([a-z-]+)", document.read_text(encoding="utf-8"))

    assert {*named} <= {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_path_and_module_of_a_document_exists(document):
    if document.name == "CHANGELOG.md":  # names modules of the past
        return
    text = document.read_text(encoding="utf-8")
    paths = re.findall(r"`((?:bot|classifier_infra|training|benchmarks|tests|docs|static_site)/[\w./-]+)", text)
    modules = re.findall(r"python -m ((?:bot|classifier_infra|training|benchmarks|docs)[\w.]*)", text)

    assert [path for path in paths if not (ROOT / path).exists()] == []
    assert [module for module in modules if find_spec(module) is None] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_a_document_has_no_vague_idioms(document):
    assert IDIOMS.findall(read_prose(document)) == []


@pytest.mark.parametrize("folder", PLAIN_FOLDERS)
def test_docstrings_are_in_the_imperative_and_have_no_vague_idioms(folder):
    found = [
        f"{name_of(path)}: {text.splitlines()[0]}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for _, text in docstrings_of(path)
        if OPENINGS.match(text) or IDIOMS.search(text)
    ]

    assert found == []


@pytest.mark.parametrize("folder", PLAIN_FOLDERS)
def test_only_docstrings_of_functions_that_return_a_value_begin_with_return(folder):
    found = [
        f"{name_of(path)}: {text.splitlines()[0]}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node, text in docstrings_of(path)
        if re.match(r"Return\b", text) and not returns_a_value(node)
    ]

    assert found == []


def returns_a_value(node: ast.AST) -> bool:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    return node.returns is not None and ast.unparse(node.returns) not in NOTHING


def docstrings_of(path: Path) -> Iterator[tuple[ast.AST, str]]:
    """Yield each docstring with what it describes: of an attribute or a constant, the statement before it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if text := ast.get_docstring(node):
                yield node, text
            for described, statement in pairwise(node.body):
                match described, statement:
                    case ast.Assign() | ast.AnnAssign(), ast.Expr(ast.Constant(str(text))):
                        yield described, inspect.cleandoc(text)
