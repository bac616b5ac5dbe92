import json

import pytest

from bot.policy.editing.edit_rule import NAME, put_rule, read_rules
from bot.policy.parsing.parser import WrittenPolicy
from bot.sandbox.slack.api.block_kit import view_problems
from bot.ui.rule_dialog import Choices, build_rule_form, build_rule_list, read_rule_form, read_rule_list
from classifier_infra.model.manifest import Facet, Label

TEXT = """\
version: 2
hours: {office: {zone: UTC, open: {mon-fri: 09:00-17:00}}}
rotas: {support: {people: [U0ANNA]}}
templates: {late: "Until tomorrow, {author}"}
rules:
  - name: Outages at night
    when: {category: technical, urgency: [high, normal], channel: C0SUPPORT, outside: office, keywords: is down}
    then:
      post: C0TECH
      mention: [support, U0ANNA, S0LEAD, here]
      tag: [fire, eyes]
      reply: late
      assign: support
      escalate: {after: 2h}
  - when: {category: retired}
    then: {silent: true}
"""
RULES = read_rules(WrittenPolicy.of(TEXT))


@pytest.fixture
def choices(manifest) -> Choices:
    return Choices(
        facets=manifest.facets,
        hours=("office",),
        rotas=("support",),
        templates=("late",),
        channels={"C0SUPPORT": "support", "C0LEADS": "leads"},
        groups={"S0LEAD": "leads"},
    )


def fields(view) -> dict[str, dict]:
    return {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}


def submitted(view, **chosen):
    """Give the view as Slack sends it when nothing but `chosen` (by block) was changed in it."""
    state = {block: {element["action_id"]: left(element)} for block, element in fields(view).items()}
    for block, value in chosen.items():
        [action] = state[block.replace("__", ":")]
        state[block.replace("__", ":")][action] = value
    return {**view, "state": {"values": state}}


def left(element):
    """Give the value of an element that nobody touched."""
    return {
        "value": element.get("initial_value"),
        "selected_option": element.get("initial_option"),
        "selected_options": element.get("initial_options", []),
        "selected_users": element.get("initial_users", []),
        "selected_conversations": element.get("initial_conversations", []),
    }


def option(value: str):
    return {"text": {"type": "plain_text", "text": value}, "value": value}


# --- The list -----------------------------------------------------------------------------------------------


def test_every_rule_is_said_in_words_with_a_button_to_change_it():
    view = build_rule_list(RULES, 7)

    shown = [block for block in view["blocks"] if block.get("accessory")]
    assert [block["accessory"]["value"] for block in shown] == ["1", "2"]
    assert shown[0]["text"]["text"].startswith("*1. Outages at night*\ncategory technical; urgency high, normal;")
    assert "→ post <#C0TECH>; mention support, <@U0ANNA>, <!subteam^S0LEAD>, here;" in shown[0]["text"]["text"]
    assert read_rule_list(view) == 7


@pytest.mark.parametrize("count", [0, 90, 200])
def test_slack_takes_the_list_however_long(count):
    rules = read_rules(WrittenPolicy.of("version: 2\nrules:\n" + '  - {name: "<&>", then: {tag: eyes}}\n' * count))

    assert view_problems(json.loads(json.dumps(build_rule_list(rules, 1)))) == []


# --- The form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2])
def test_a_form_that_nobody_touches_changes_nothing(choices, number):
    filled = read_rule_form(submitted(build_rule_form(RULES, number, 7, choices)))

    assert (filled.number, filled.place, filled.base) == (number, number, 7)
    assert put_rule(WrittenPolicy.of(TEXT), number, filled.changes, filled.place).text == TEXT


def test_a_form_has_the_labels_of_the_model_and_those_that_the_rule_has_besides(choices):
    element = fields(build_rule_form(RULES, 2, 7, choices))["when:category"]

    assert [each["value"] for each in element["options"]] == ["retired", "billing", "technical", "general"]
    assert [each["value"] for each in element["initial_options"]] == ["retired"]


def test_what_the_form_cannot_show_is_named_and_kept(choices):
    view = build_rule_form(RULES, 1, 7, choices)

    [note] = [block["elements"][0]["text"] for block in view["blocks"] if block["type"] == "context"]
    assert note == "Also in this rule, and kept unchanged: `keywords`, `escalate`."


def test_everything_in_a_rule_can_be_chosen(choices):
    view = build_rule_form(RULES, 0, 7, choices)

    filled = read_rule_form(
        submitted(
            view,
            name={"value": " Angry at night "},
            place={"selected_option": option("1")},
            when__category={"selected_options": [option("billing"), option("general")]},
            when__tone={"selected_options": [option("negative")]},
            when__channel={"selected_options": [option("C0LEADS")]},
            hours={"selected_option": option("outside:office")},
            then__post={"selected_conversations": ["C0SORRY"]},
            people={"selected_users": ["U0BEN"]},
            groups={"selected_options": [option("here"), option("support")]},
            then__tag={"value": ":fire:, eyes"},
            then__reply={"selected_option": option("late")},
            then__assign={"selected_option": option("support")},
        )
    )

    [new, *_] = put_rule(WrittenPolicy.of(TEXT), filled.number, filled.changes, filled.place).policy.rules
    assert new.name == "Angry at night"
    assert new.when.labels == {"category": {"billing", "general"}, "tone": {"negative"}}
    assert (new.when.channels, new.when.outside is None, new.when.during) == ({"C0LEADS"}, False, None)
    assert (new.then.post, new.then.mentions, new.then.tags) == (
        "C0SORRY",
        ("U0BEN", "here", "support"),
        ("fire", "eyes"),
    )
    assert (new.then.reply, new.then.assign) == ("Until tomorrow, {author}", "support")


def test_everything_can_be_taken_from_a_rule_again(choices):
    view = build_rule_form(RULES, 1, 7, choices)
    nothing = {"selected_option": option("-")}
    emptied = {block.replace(":", "__"): {} for block in fields(view) if block != "place"}

    filled = read_rule_form(submitted(view, **emptied | {"hours": nothing, "then__reply": nothing}))

    left_over = read_rules(put_rule(WrittenPolicy.of(TEXT), 1, filled.changes, 1))[0]
    assert left_over.values == {("when", "keywords"): ("is down",)}
    assert list(left_over.others) == [("then", "escalate")]
    assert not any(filled.changes.values())


def test_a_rule_stands_before_another_or_last(choices):
    places = fields(build_rule_form(RULES, 2, 7, choices))["place"]

    assert [each["text"]["text"] for each in places["options"]] == ["1. before “Outages at night”", "2. last"]
    assert places["initial_option"]["value"] == "2"


def test_a_rule_with_both_kinds_of_hours_keeps_them_as_they_are_written(choices):
    text = TEXT.replace("outside: office", "outside: office, during: office")
    view = build_rule_form(read_rules(WrittenPolicy.of(text)), 1, 7, choices)

    assert "hours" not in fields(view)
    assert "`outside`, `during`" in json.dumps(view) or "`during`" in json.dumps(view)
    assert put_rule(WrittenPolicy.of(text), 1, read_rule_form(submitted(view)).changes, 1).text == text


@pytest.mark.parametrize("written", [["x" * 151], [f"l{number}" for number in range(101)]], ids=["long", "many"])
def test_labels_that_no_menu_takes_are_kept_as_they_are_written(choices, written):
    text = f"version: 2\nrules:\n  - when: {{category: [{', '.join(written)}]}}\n    then: {{tag: eyes}}\n"
    view = build_rule_form(read_rules(WrittenPolicy.of(text)), 1, 7, choices)

    assert view_problems(json.loads(json.dumps(view))) == []
    assert put_rule(WrittenPolicy.of(text), 1, read_rule_form(submitted(view)).changes, 1).text == text


def test_slack_takes_the_form_of_a_large_taxonomy_and_a_long_policy():
    facets = [Facet(f"facet_{n}" * 20, tuple(Label(f"{i}" * 40, "W" * 200) for i in range(150))) for n in range(12)]
    names = [f"name-{number}" for number in range(200)]
    choices = Choices(facets, names[:40], names, names, {f"C{n}": "c" * 200 for n in range(300)}, {"S0": "s" * 200})
    rules = read_rules(
        WrittenPolicy.of("version: 2\nrules:\n" + f"  - {{name: {'n' * 80}, then: {{tag: eyes}}}}\n" * 200)
    )

    for number in (0, 1, 150, 200):
        view = json.loads(json.dumps(build_rule_form(rules, number, 7, choices)))
        assert view_problems(view) == []
        assert len(json.dumps(view)) < 250_000
        assert read_rule_form(submitted(view)).changes[NAME] == (("n" * 80,) if number else ())
