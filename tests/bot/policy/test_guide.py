"""The examples in docs/policy.md work as shown."""

import re
import shlex
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.policy.parsing.parser import parse_policy
from bot.policy.parsing.rules import ACTIONS, CONDITION

GUIDE = (Path(__file__).parents[3] / "docs" / "policy.md").read_text(encoding="utf-8")
RECIPES = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_is_a_valid_policy(recipe):
    policy = parse_policy(recipe if recipe.startswith("version:") else f"version: 2\n{recipe}")

    assert policy.in_force


def test_the_commands_print_what_is_shown(tmp_path, monkeypatch, capsys):
    [console] = re.findall(r"^```console\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    [example] = re.findall(r"<!-- the example -->\n```yaml\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    (tmp_path / "policy.yml").write_text(example, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    for command, shown in re.findall(r"^\$ python -m bot (.*)\n((?:(?!\$).*\n)*)", console, re.MULTILINE):
        assert main(shlex.split(command), {}) == 0
        assert capsys.readouterr().out == shown


def test_every_condition_and_every_action_is_explained():
    explained = set(re.findall(r"`([a-z]+)`", "".join(re.findall(r"^\| .*", GUIDE, re.MULTILINE))))

    assert {*CONDITION.fields, *ACTIONS} <= explained
