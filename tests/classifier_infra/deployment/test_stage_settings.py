"""The settings of a stage: answers are read and saved, or refused with the valid ones."""

import re
from pathlib import Path

import pytest
import yaml

from bot.settings import MissingSetting, read_workspaces
from classifier_infra.deployment.stage_settings import QUESTIONS, Unusable, check_stage, email_of, to_yaml

SERVERLESS_YML = (Path(__file__).parents[3] / "serverless.yml").read_text()
BY_NAME = {question.name: question for question in QUESTIONS}


def test_every_setting_that_is_asked_for_is_one_that_serverless_yml_reads_from_the_stages_file():
    read = set(re.findall(r"file\(stages/\$\{sls:stage\}\.yml\):(\w+)", SERVERLESS_YML))

    assert BY_NAME.keys() <= read


def test_what_enter_takes_is_what_serverless_yml_takes_without_a_file():
    for question in QUESTIONS:
        if question.default:
            assert f"):{question.name}, '{question.default}'}}" in SERVERLESS_YML


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_default_of_each_question_is_an_answer(question):
    # Subscriptions are saved as a list, all others as they were answered.
    assert question.read(question.default) == (question.default or [])


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("region", "moon-east-1"),
        ("classifier", "magic"),
        ("site", "ftp"),
        ("workspaces", "everybody"),
        ("workspaces", "None"),
        ("alarmSubscriptions", "nobody"),
    ],
)
def test_an_answer_that_cannot_be_taken_is_named(name, answer):
    with pytest.raises(Unusable, match=re.escape(repr(answer))):
        BY_NAME[name].read(answer)


@pytest.mark.parametrize(
    ("answer", "kept"),
    [("none", "none"), ("T0123ABCD", "T0123ABCD"), (" T0123ABCD, E0456EFGH ", "T0123ABCD,E0456EFGH")],
)
def test_workspaces_are_none_or_ids_and_the_functions_take_what_is_kept(answer, kept):
    assert BY_NAME["workspaces"].read(answer) == kept
    assert read_workspaces({"SLACK_WORKSPACES": kept}) == set(kept.split(",")) - {"none"}


@pytest.mark.parametrize("wrong", ["", "t0123abcd", "C0123ABCD", "T", "T0123 ABCD", "T" + "0" * 40, "none"])
def test_among_workspaces_the_one_that_is_no_id_is_named_and_the_functions_would_not_take_it_either(wrong):
    with pytest.raises(Unusable, match=re.escape(repr(wrong))):
        BY_NAME["workspaces"].read(f"T0123ABCD,{wrong}")
    with pytest.raises(MissingSetting):
        read_workspaces({"SLACK_WORKSPACES": f"T0123ABCD,{wrong}"})


@pytest.mark.parametrize("name", ["Prod", "1st", "a_b", "", "-", "a" * 17, "../x"])
def test_a_stage_has_a_name_that_aws_takes_everywhere(name):
    with pytest.raises(Unusable):
        check_stage(name)


def test_the_file_says_what_was_answered():
    settings = {question.name: question.read(question.default) for question in QUESTIONS}
    settings["alarmSubscriptions"] = BY_NAME["alarmSubscriptions"].read("on-call@example.com")

    written = yaml.safe_load(to_yaml("prod", settings))

    assert written == settings
    assert email_of(written) == "on-call@example.com"
