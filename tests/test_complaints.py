"""Each answer in docs/complaints.md names a test that exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = [
    line.strip("|").split(" | ")
    for line in (ROOT / "docs" / "complaints.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| the complaint")
]


def test_every_answer_names_a_test_that_exists():
    named = [re.findall(r"`(tests/\S+\.py)::(test_\w+)`", row[-1]) for row in ROWS]

    assert len(ROWS) > 20
    assert all(len(tests) == 1 for tests in named)
    assert [test for [test] in named if test[1] not in defined_in(ROOT / test[0])] == []


def defined_in(module: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.FunctionDef)}
