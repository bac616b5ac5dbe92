"""Data folders, the command line, the original fastText, and a model of colours."""

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from classifier_infra.model.manifest import Label
from classifier_infra.model.text import clean, normalise
from training.__main__ import main
from training.data.dataset import Example

ROOT = Path(__file__).parents[2]

MESSAGES: Mapping[str, Sequence[str]] = {
    "Billing": (
        "charged twice for one order", "where is my refund", "the invoice has the wrong VAT number",
        "please cancel my subscription and refund me", "my card was declined but you took the money",
        "why did the price of my plan go up", "the discount code did nothing at checkout", "refund still not here",
        "I need a copy of last year's invoices", "you billed me for a seat we removed",
    ),
    "Technical help": (
        "the app crashes when I open it", "error 500 on the login page", "cannot reset my password",
        "the export button does nothing", "your site is down for our whole office", "sync stopped after the update",
        "printer not found by the app", "the page loads for ever", "API returns 403 since this morning",
        "login loop on my phone, it keeps asking for the code",
    ),
    "General": (
        "what are your opening hours", "thank you, great service", "do you ship to Norway",
        "are you hiring at the moment", "I would like to return a jacket", "where is the nearest shop",
        "can I change the delivery address", "love the new colours", "is there a student programme",
        "please send me your catalogue",
    ),
}  # fmt: skip

WriteFacet = Callable[..., Path]
AskFasttext = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(capsys) -> Callable[..., Done]:
    """Run a command of `python -m training` in this process."""

    def run(*arguments: object) -> Done:
        capsys.readouterr()
        try:
            returncode = main([str(argument) for argument in arguments])
        except SystemExit as exit:  # raised by argparse
            returncode = exit.code
        return Done(returncode, *capsys.readouterr())

    return run


@pytest.fixture(scope="session")
def write_facet() -> WriteFacet:
    """Write a folder in DBpedia format, with CSV files as text or as rows of (class from 1, text)."""

    def write(
        folder: Path, classes: Sequence[str] = tuple(MESSAGES), **splits: str | bytes | Sequence[tuple[int, str]]
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "classes.txt").write_text("\n".join(classes) + "\n", encoding="utf-8")
        for name, rows in splits.items():
            content = rows if isinstance(rows, str | bytes) else "".join(f'{i},"","{text}"\n' for i, text in rows)
            (folder / f"{name}.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write


@pytest.fixture(scope="session")
def message_rows() -> list[tuple[int, str]]:
    """Thirty rows of three classes."""
    return [(i, text) for i, texts in enumerate(MESSAGES.values(), start=1) for text in texts]


@pytest.fixture(scope="session")
def message_labels() -> tuple[Label, ...]:
    return tuple(Label(name.replace(" ", "_"), name) for name in MESSAGES)


@pytest.fixture(scope="session")
def message_examples(message_rows: list[tuple[int, str]]) -> tuple[Example, ...]:
    return tuple(Example(clean(text), normalise(clean(text)), label - 1) for label, text in message_rows)


@pytest.fixture(scope="session")
def ask_fasttext() -> AskFasttext:
    """Ask the original fastText in its own environment; see ask_fasttext.py."""
    python = ROOT / ".venv-fasttext" / "bin" / "python"

    def ask(question: Mapping[str, Any]) -> Any:
        answer = subprocess.run(
            [python, Path(__file__).with_name("ask_fasttext.py")],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=True,
        )
        return json.loads(answer.stdout)

    if not python.exists() or subprocess.run([python, "-c", "import fasttext"], capture_output=True).returncode:
        missing = "the fastText environment is not there; `make test` sets it up where its wheels exist (Python < 3.13)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    return ask
