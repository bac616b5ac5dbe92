"""Write the README's file map from the modules' own first sentences: `python docs/file_map.py`."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "<!-- file map -->\n```\n", "```\n<!-- end of file map -->"

# What is no Python module says nothing of itself.
OTHERS = {
    "bot/policy.yml": "the policy a new installation starts with, every part explained",
    "classifier_infra/resources/": "tables, queues, buckets, API, roles, alarms, dashboard: one file a concern",
    "classifier_infra/account/": "the alarm on the account's charges, a stack of its own in us-east-1",
    "training/starter/messages/": "the messages, and README.md beside them, the data card",
    "static_site/": "the demo page: plain ES modules, one file a visible part",
    "tests/": "mirrors the folders; end_to_end/ starts the whole system",
    "benchmarks/": "measurements against peers, with their dated results",
    "docs/": "guides and decisions",
    "serverless.yml": "the functions with their routes, environment and roles",
}


def build_map() -> str:
    entries = [*_modules(), *OTHERS.items()]
    width = max(len(path) for path, _ in entries)
    return "".join(f"{path:<{width}}  {phrase}\n" for path, phrase in entries)


def _modules() -> Iterator[tuple[str, str]]:
    for package in ("bot", "classifier_infra", "training"):
        for path in sorted((ROOT / package).rglob("*.py")):
            # A folder with a phrase of its own stands for its modules.
            if path.name != "__init__.py" and not _is_covered(path):
                yield path.relative_to(ROOT).as_posix(), phrase_of(path)
            elif path.name == "__init__.py" and phrase_of(path) and not _is_covered(path.parent):
                yield f"{path.parent.relative_to(ROOT).as_posix()}/", phrase_of(path)


def _is_covered(path: Path) -> bool:
    folders = [folder for folder in path.parents if ROOT in folder.parents and folder.parent != ROOT]
    return any((folder / "__init__.py").exists() and phrase_of(folder / "__init__.py") for folder in folders)


def phrase_of(path: Path) -> str:
    """Give the first sentence of a module's docstring, "" where it has none."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    sentence = re.split(r"(?<=[.])\s", " ".join(text.split("\n\n")[0].split()))[0]
    return sentence.rstrip(".:")


def with_map(readme: str) -> str:
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + build_map() + END + after


if __name__ == "__main__":
    README.write_text(with_map(README.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit()
