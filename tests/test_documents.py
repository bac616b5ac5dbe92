"""Documents lead to what is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))


def _links(document: Path) -> Iterator[tuple[Path, str]]:
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\((?!http)([^)]+)\)", text):
        path, _, anchor = target.partition("#")
        yield (document.parent / path if path else document), anchor


def _anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_link_of_a_document_leads_to_a_file_and_every_anchor_to_a_heading(document):
    lost = [
        f"{path.name}#{anchor}"
        for path, anchor in _links(document)
        if not path.exists() or (anchor and anchor not in _anchors(path))
    ]

    assert lost == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_every_make_target_of_a_document_is_one(document):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:`|\$ )make ([a-z-]+)", document.read_text(encoding="utf-8"))

    assert {*named} <= {*re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)}
