"""Write docs/code-map.md from the modules' own first sentences: `python docs/code_map.py`."""

import ast
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "code-map.md"
PACKAGES = ("bot", "classifier_infra", "training", "benchmarks")

_INTRODUCTION = """# Code map

Every module with the first sentence of its own docstring, by folder; the [README](../README.md#where-things-live) says
what each folder is for. This page is generated: `.venv/bin/python docs/code_map.py`.
"""


def build_map() -> str:
    """Return the page's text: a heading for each folder, a line for each module."""
    parts = [_INTRODUCTION]
    for folder, modules in groupby(_modules(), key=lambda path: path.parent):
        lines = [f"- [`{path.name}`](../{path.as_posix()}): {phrase_of(ROOT / path)}" for path in modules]
        parts.append(f"\n## {folder.as_posix()}/\n\n" + "\n".join(lines) + "\n")
    return "".join(parts)


def _modules() -> Iterator[Path]:
    """Yield the modules with code, relative to the project, folder by folder."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    for path in sorted(found, key=lambda path: (path.parent, path.name)):
        if path.name != "__init__.py" or len(ast.parse(path.read_text(encoding="utf-8")).body) > 1:
            yield path.relative_to(ROOT)


def phrase_of(path: Path) -> str:
    """Return the first sentence of a module's docstring without its full stop, "" where it has none."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"(?<=[.])\s", " ".join(text.split("\n\n")[0].split()))[0]
    return sentence.rstrip(".:")


if __name__ == "__main__":
    PAGE.write_text(build_map(), encoding="utf-8")
