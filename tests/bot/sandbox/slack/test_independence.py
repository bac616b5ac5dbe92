"""The stand-in shares no code with the bot, so it cannot share its mistakes."""

import ast
from pathlib import Path

import bot.sandbox.slack

PACKAGE = Path(bot.sandbox.slack.__file__).parent


def imported_by(module: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(module.read_text("utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}


def test_it_imports_nothing_of_ours_but_itself():
    imported = set().union(*(imported_by(module) for module in PACKAGE.rglob("*.py")))

    ours = {name for name in imported if name.split(".")[0] in ("bot", "classifier_infra", "training")}
    assert "bot.sandbox.slack.workspace" in ours
    assert {name for name in ours if not name.startswith("bot.sandbox.slack")} == set()
