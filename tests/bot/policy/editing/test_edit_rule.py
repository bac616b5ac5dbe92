from collections import Counter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.editing import edit_rule as rule_edit
from bot.policy.editing.edit_rule import NAME, Changes, WrittenRule
from bot.policy.parsing.parser import PolicyError, WrittenPolicy, parse_policy

TEXT = """\
## Ours, since spring
version: 2
hours: {office: {zone: UTC, open: {mon-fri: 09:00-17:00}}}
rotas: {support: {people: [U0ANNA]}}
templates: {late: "Until tomorrow, {author}"}

rules:
  # Outages wake somebody. Ask Jonas first.
  - name: Outages at night   # agreed in May
    when:
      category: technical
      urgency: [high]        # never normal
      outside: office
      keywords: [is down, outage]
    then:
      post: C0TECH  # their channel
      # whoever has the pager
      mention: support
      escalate: {after: 30min, mention: S0LEAD}

  - {when: {category: billing, team: others}, then: {post: C0BILLING}}
  # The rest
  - when: {tone: negative}
    then: {reply: late}  # kindly

unsure: ask   # for now
"""
TITLES = ["Outages at night", "rule 2", "rule 3"]


def read_rules(text: str) -> tuple[WrittenRule, ...]:
    return rule_edit.read_rules(WrittenPolicy.of(text))


def put_rule(text: str, number: int | None, changes: Changes, place: int) -> str:
    return rule_edit.put_rule(WrittenPolicy.of(text), number, changes, place).text


def remove_rule(text: str, number: int) -> str:
    return rule_edit.remove_rule(WrittenPolicy.of(text), number).text


def comments(text: str) -> Counter[str]:
    return Counter(part.partition("#")[2].strip("# \n") for part in text.splitlines() if "#" in part)


def changed_lines(text: str, result: str) -> tuple[list[str], list[str]]:
    """Return the removed and the added lines."""
    before, after = Counter(text.splitlines()), Counter(result.splitlines())
    return [*(before - after).elements()], [*(after - before).elements()]


# --- Reading ------------------------------------------------------------------------------------------------


def test_a_rule_is_read_as_it_is_written():
    first, second, third = read_rules(TEXT)

    assert [first.title, second.title, third.title] == TITLES
    assert first.values[("when", "category")] == ("technical",)
    assert first.values[("when", "keywords")] == ("is down", "outage")
    assert first.values[("then", "mention")] == ("support",)
    assert list(first.others) == [("then", "escalate")]
    assert third.values == {("when", "tone"): ("negative",), ("then", "reply"): ("late",)}


@pytest.mark.parametrize("text", ["version: 2", "version: 2\nrules:\n", "version: 2\nrules: []\n"])
def test_a_policy_may_have_no_rules(text):
    assert read_rules(text) == ()


# --- Changing -----------------------------------------------------------------------------------------------


def test_a_changed_rule_is_written_anew_and_every_other_line_stays():
    result = put_rule(TEXT, 1, {("then", "post"): ("C0NEW",), ("when", "urgency"): ()}, 1)

    first = TEXT.index("  - name: Outages at night")
    last = TEXT.index("\n  - {when: {category: billing")
    assert result == "".join([
        TEXT[:first],
        "  - name: Outages at night\n",
        '    when: {category: technical, outside: office, keywords: [is down, outage]}\n',
        "    then: {post: C0NEW, mention: support, escalate: {after: 30min, mention: S0LEAD}}\n",
        TEXT[last:],
    ])  # fmt: skip


def test_a_part_that_is_too_long_for_a_line_gets_one_for_each_key():
    words = tuple(f"word{number}" for number in range(20))

    result = put_rule(TEXT, 1, {("when", "keywords"): words}, 1)

    assert "    when:\n      category: technical\n      urgency: high\n      outside: office\n" in result
    assert f"      keywords: [{', '.join(words)}]\n    then: {{post: C0TECH, mention" in result


@pytest.mark.parametrize("word", ["\xa0\U00010000", "\U0001f389 party", "a\tb", "\x7f", "\u200b"], ids=ascii)
def test_a_label_of_any_characters_is_parsed_as_it_was_given(word):
    text = put_rule(TEXT, None, {("when", "category"): (word,), ("then", "tag"): ("eyes",)}, 1)

    assert read_rules(text)[0].values["when", "category"] == (word,)


def test_the_same_words_in_another_order_leave_the_text_unchanged():
    assert put_rule(TEXT, 1, {("when", "keywords"): ("outage", "is down")}, 1) == TEXT


def test_a_rule_in_flow_style_can_be_changed():
    result = put_rule(TEXT, 2, {("when", "urgency"): ("high", "low"), NAME: ("Acme: first!",)}, 2)

    assert changed_lines(TEXT, result)[1] == [
        '  - name: "Acme: first!"',
        "    when: {category: billing, team: others, urgency: [high, low]}",
        "    then: {post: C0BILLING}",
    ]


def test_removing_the_only_condition_leaves_a_rule_that_matches_every_message():
    result = put_rule(TEXT, 3, {("when", "tone"): ()}, 3)

    assert read_rules(result)[2].values == {("then", "reply"): ("late",)}
    assert "  # The rest\n  - then: {reply: late}\n\nunsure" in result


def test_a_rule_gets_a_name_in_its_first_line():
    result = put_rule(TEXT, 3, {NAME: ("Kindly",)}, 3)

    assert "  - name: Kindly\n    when: {tone: negative}\n" in result


def test_a_rule_is_moved_with_the_comments_above_it():
    result = put_rule(TEXT, 3, {}, 1)

    assert [rule.title for rule in read_rules(result)] == ["rule 1", "Outages at night", "rule 3"]
    assert "  # The rest\n  - when: {tone: negative}\n    then: {reply: late}  # kindly\n  # Outages wake" in result
    assert changed_lines(TEXT, result) == ([], [])


# --- Adding and removing ------------------------------------------------------------------------------------

NEW = {
    NAME: ("Angry",),
    ("when", "tone"): ("negative",),
    ("then", "post"): ("C0SORRY",),
    ("then", "mention"): ("here",),
}


@pytest.mark.parametrize("place", [1, 2, 3, 4])
def test_a_rule_is_added_at_any_place(place):
    result = put_rule(TEXT, None, NEW, place)

    titles = [rule.title for rule in read_rules(result)]
    assert titles[place - 1] == "Angry"
    assert len(titles) == 4
    assert changed_lines(TEXT, result)[0] == []


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nroutes:\n  billing: C0BILLING\n# the end",
        "version: 2\nrules:\n#  - an example\nunsure: ask\n",
        "version: 2\nrules: []   # none yet\nunsure: ask\n",
        "version: 2\nrules: # none yet",
        "---\nversion: '1'\n# the end\n...\n",
    ],
)
def test_a_first_rule_is_added_with_the_version_that_has_rules(text):
    result = put_rule(text, None, NEW, 1)

    [rule] = parse_policy(result).rules
    assert (rule.name, rule.then.post, rule.then.mentions) == ("Angry", "C0SORRY", ("here",))
    assert yaml.safe_load(result)["version"] == 2
    assert comments(result) == comments(text)


def test_a_rule_is_removed_with_its_own_comments():
    result = remove_rule(TEXT, 1)

    assert [rule.title for rule in read_rules(result)] == ["rule 1", "rule 2"]
    assert "pager" not in result
    assert "# Ours, since spring" in result
    assert changed_lines(TEXT, result)[1] == []


def test_the_last_rule_can_be_removed():
    text = "version: 2\nrules:\n  - then: {tag: eyes}\nunsure: ask\n"

    assert remove_rule(text, 1) == "version: 2\nrules:\nunsure: ask\n"


@pytest.mark.parametrize(
    "text",
    [
        "version: 2\nrules: [{then: {tag: eyes}}]\n",
        "{version: 2, rules: [{then: {tag: eyes}}]}\n",
        "version: 2\nrules:\n  - &a {then: {tag: eyes}}\n  - *a\n",
        "version: 2\nrules:\n  - when: &x {category: a}\n    then: {tag: eyes}\n  - when: *x\n    then: {tag: wave}\n",
    ],
)
def test_rules_that_cannot_be_changed_safely_are_left_to_the_author(text):
    with pytest.raises(PolicyError, match="edit the policy as text"):
        put_rule(text, 1, {("when", "category"): ("technical",), ("then", "tag"): ("fire",)}, 1)


def test_a_change_to_an_invalid_policy_is_refused_with_the_parsers_problem():
    with pytest.raises(PolicyError, match="is not the name of an emoji"):
        put_rule(TEXT, 1, {("then", "tag"): ("no emoji",)}, 1)


# --- Rules of any style -------------------------------------------------------------------------------------

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=12).filter(str.strip)
ODD_WORDS = st.sampled_from(["low", "high", "no", "null", "2024", "a: b", "#1", "*"])
CHANGES = {
    NAME: st.lists(WORDS, max_size=1),
    ("when", "category"): st.lists(WORDS, max_size=3, unique=True),
    ("when", "urgency"): st.lists(ODD_WORDS, max_size=2, unique=True),
    ("when", "channel"): st.lists(st.sampled_from(["C0A1", "G0B2"]), max_size=2, unique=True),
    ("then", "post"): st.lists(st.sampled_from(["C0POST", "C0OTHER"]), max_size=1),
    ("then", "tag"): st.lists(st.sampled_from(["eyes", "+1", "fire"]), min_size=1, max_size=2, unique=True),
}  # fmt: skip
RULES = [
    """\
- name: 'It''s # one'  # c{}
  when:
    # c{}
    category: [a,
      b]  # c{}
    urgency: low
  then:
    tag: eyes # c{}
    post: C0FIRST
""",
    "- {{when: {{category: a}}, then: {{tag: eyes}}}}  # c{}\n",
    """\
- when: {{category: a,  # c{}
    urgency: [low, high]}}
  then: {{tag: [eyes, fire], webhook: crm}}
""",
    """\
-
  # c{}
  then:
      tag:
        - eyes  # c{}
        - fire
      # c{}
""",
    """\
-   name: |
      One
    # c{}
    then: {{tag: eyes}}
""",
    "- then: {{tag: eyes, escalate: {{after: 2h, mention: here}}}}\n\n",
    """\
- when: {{keywords: "a # b"}}
  then:
    tag: eyes
    escalate:
      after: 2h

  # c{}
""",
]
HEAD = "version: 2 # c0\nwebhooks: {crm: {url: 'https://crm.example.com/hook'}}\nrules:\n"


@st.composite
def policies(draw) -> list[str]:
    """Draw the pieces of a policy: the lines above its rules, those of each rule with a comment above, and the end."""
    count = iter(range(1, 1_000))
    indent = " " * draw(st.sampled_from([0, 2, 4]))
    rules = []
    for snippet in draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=5)):
        above = f"{indent}# c{next(count)}\n" if draw(st.booleans()) else ""
        whole = snippet.format(*(next(count) for _ in range(snippet.count("{}"))))
        rules.append(above + "".join(f"{indent}{line}\n" if line else "\n" for line in whole.split("\n")[:-1]))
    return [HEAD, *rules, draw(st.sampled_from(["", "# c-1\n", "unsure: ask # c-1\n", "\n# c-1\n\nunsure: silent\n"]))]


def meaning(text: str) -> list[dict]:
    """Load the rules as plain YAML, with a list wherever the policy allows one."""
    rules = yaml.load(text, Loader=yaml.BaseLoader)["rules"] or []
    return [{part: listed(part, value) for part, value in rule.items()} for rule in rules]


def listed(part: str, value):
    if part == "name":
        return value
    return {
        key: sorted(each) if isinstance(each, list) else each if isinstance(each, dict) else [each]
        for key, each in value.items()
    }


@given(policies(), st.data())
def test_any_change_of_any_rule_has_the_wanted_effect_and_keeps_every_other_line(pieces, data):
    text = "".join(pieces)
    rules = meaning(text)
    number = data.draw(st.none() | st.integers(1, len(rules)))
    keys = data.draw(st.lists(st.sampled_from(sorted(CHANGES)), unique=True).map(lambda keys: {*keys, ("then", "tag")}))
    changes = {key: tuple(data.draw(CHANGES[key])) for key in sorted(keys)}
    place = data.draw(st.integers(1, len(rules) + (number is None)))

    result = put_rule(text, number, changes, place)

    changed = pieces.pop(number) if number else ""
    wanted = rules.pop(number - 1) if number else {}
    for (part, key), words in changes.items():
        section = wanted.setdefault(part, {}) if part else wanted
        section.pop(key, None)
        if words:
            section[key] = sorted(words) if part else words[0]
    rules.insert(place - 1, {part: section for part, section in wanted.items() if section})
    assert meaning(result) == rules
    assert is_within(lines_of("".join(pieces)), lines_of(result))
    assert is_within([line for line in lines_of(changed)[:1] if line.lstrip().startswith("#")], lines_of(result))


@given(policies(), st.data())
def test_any_rule_can_be_moved_line_by_line(pieces, data):
    text = "".join(pieces)
    number, place = (data.draw(st.integers(1, len(pieces) - 2)) for _ in range(2))

    result = put_rule(text, number, {}, place)

    assert sorted(result.splitlines()) == sorted(text.splitlines())
    assert (result == text) is (number == place) or pieces.count(pieces[number]) > 1


@given(policies(), st.data())
def test_any_rule_can_be_removed_and_the_others_stay(pieces, data):
    text = "".join(pieces)
    rules = meaning(text)
    number = data.draw(st.integers(1, len(rules)))

    result = remove_rule(text, number)

    del rules[number - 1]
    assert meaning(result) == rules
    assert is_part(result.splitlines(), text.splitlines())


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def is_within(lines: list[str], others: list[str]) -> bool:
    """Report whether lines are among others, in this order."""
    rest = iter(others)
    return all(line in rest for line in lines)


def is_part(shorter: list[str], longer: list[str]) -> bool:
    """Report whether the shorter lines are the longer ones without one run of them."""
    start = next((at for at, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    rest = len(shorter) - start
    return longer[len(longer) - rest :] == shorter[start:]
