from datetime import date, time
from textwrap import dedent
from zoneinfo import ZoneInfo

import pytest

from bot.policy.parsing.parser import PolicyError, parse_policy
from bot.policy.policy import Policy, Webhook
from bot.policy.rules import Action, Condition, Escalation, Rule
from bot.policy.schedule import Absence, OpeningHours, Rota

NAMED = """\
version: 2
hours:
  office:
    zone: Europe/Berlin
    open:
      mon-fri: 09:00-17:30
      sat: [10:00-12:00, 13:00-24:00]
    closed: [2026-12-25]
rotas:
  support:
    people: [U0ANNA, U0BEN]
    zone: Europe/Berlin
    turn: day
    handover: 18:00
    start: 2026-01-05
    away:
      U0ANNA: [2026-12-20..2027-01-02, 2026-11-30]
  weekly:
    people: U0ANNA
templates:
  late: Thank you, {author}. We are back at nine.
webhooks:
  crm:
    url: https://crm.example.com/hooks/1?key=2
    text: true
"""
RULES = """\
match: all
rules:
  - name: Outages at night
    when:
      category: technical
      urgency: [high, now]
      channel: C0SUPPORT
      team: [others, T0THEM]
      outside: office
      keywords: [is down, Outage!]
    then:
      tag: [rotating_light, eyes]
      post: C0TECH
      mention: [support, S0ONCALL]
      reply: late
      assign: weekly
      escalate:
        after: 2h
        mention: here
        to: C0LEADS
      webhook: crm
  - then:
      silent: true
"""


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        parse_policy(text)
    return [str(problem) for problem in raised.value.problems]


def test_sections_that_rules_refer_to_are_parsed():
    policy = parse_policy(NAMED)

    office = ((time(9), time(17, 30)),)
    saturday = ((time(10), time(12)), (time(13), time.max))
    assert policy.hours["office"] == OpeningHours(
        ZoneInfo("Europe/Berlin"), {**dict.fromkeys(range(5), office), 5: saturday}, frozenset({date(2026, 12, 25)})
    )
    assert policy.rotas["support"] == Rota(
        people=("U0ANNA", "U0BEN"),
        zone=ZoneInfo("Europe/Berlin"),
        turn="day",
        handover=time(18),
        start=date(2026, 1, 5),
        away=(
            Absence("U0ANNA", date(2026, 12, 20), date(2027, 1, 2)),
            Absence("U0ANNA", date(2026, 11, 30), date(2026, 11, 30)),
        ),
    )
    assert policy.rotas["weekly"] == Rota(("U0ANNA",))
    assert policy.templates == {"late": "Thank you, {author}. We are back at nine."}
    assert policy.webhooks == {"crm": Webhook("https://crm.example.com/hooks/1?key=2", text=True)}


def test_rules_are_parsed():
    policy = parse_policy(NAMED + RULES)

    assert policy.match == "all"
    assert policy.rules == (
        Rule(
            "Outages at night",
            Condition(
                labels={"category": frozenset({"technical"}), "urgency": frozenset({"high", "now"})},
                channels=frozenset({"C0SUPPORT"}),
                teams=frozenset({"others", "T0THEM"}),
                outside=policy.hours["office"],
                keywords=(" is down ", " outage "),
            ),
            Action(
                tags=("rotating_light", "eyes"),
                post="C0TECH",
                mentions=("support", "S0ONCALL"),
                reply="Thank you, {author}. We are back at nine.",
                assign="weekly",
                escalate=Escalation(120, ("here",), "C0LEADS"),
                webhooks=("crm",),
            ),
        ),
        Rule("rule 2", Condition(), Action(silent=True)),
    )
    lines = (NAMED + RULES).splitlines()
    assert [lines[rule.line - 1] for rule in policy.rules] == ["  - name: Outages at night", "  - then:"]


def test_anchors_and_aliases_are_parsed():
    policy = parse_policy(
        dedent("""\
            version: 2
            rules:
              - when: {category: &ours [billing, technical]}
                then: {tag: eyes}
              - when: {category: *ours}
                then: {tag: fire}
            """)
    )

    assert policy.rules[0].when == policy.rules[1].when


def test_the_minimal_policies_of_both_versions_are_equal():
    assert parse_policy("version: 2") == parse_policy("version: 1") == Policy()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("version: 1\nrules: []", "line 2: `rules` needs `version: 2`"),
        ("version: 2\nmatch: some", "line 2: `match` is `some`; it can be `first` or `all`"),
        # Hours
        ("version: 2\nhours:\n  Office: {}", "line 3: `Office` is not a name of small letters"),
        ("version: 2\nhours:\n  office: {open: {}}", "line 3: `office` needs `zone`"),
        (
            "version: 2\nhours:\n  office: {zone: Berlin, open: {}}",
            "line 3: `Berlin` is not a time zone; one is Europe/Berlin",
        ),
        ("version: 2\nhours:\n  office: {zone: ../x, open: {}}", "line 3: `../x` is not a time zone"),
        (
            "version: 2\nhours:\n  o:\n    zone: UTC\n    open:\n      fri-mon: 09:00-17:00",
            "line 6: `fri-mon` is neither a day",
        ),
        (
            "version: 2\nhours:\n  o:\n    zone: UTC\n    open:\n      mon: 22:00-06:00",
            "line 6: `22:00-06:00` is not hours of one day, such as 09:00-17:30, the end after the beginning; a night",
        ),
        ("version: 2\nhours:\n  o:\n    zone: UTC\n    open:\n      mon: 9-17", "line 6: `9-17` is not hours"),
        (
            "version: 2\nhours:\n  o:\n    zone: UTC\n    open: {}\n    closed: 24.12.2026",
            "line 6: `24.12.2026` is not a date such as 2026-12-24",
        ),
        (
            "version: 2\nhours:\n  o:\n    zone: UTC\n    open: {}\n    closed: 2026-02-30",
            "line 6: `2026-02-30` is not",
        ),
        # Rotas
        ("version: 2\nrotas:\n  s: {turn: day}", "line 3: `s` needs `people`"),
        ("version: 2\nrotas:\n  s: {people: []}", "line 3: `people` of `s` is empty"),
        ("version: 2\nrotas:\n  s: {people: anna}", "line 3: `anna` is not the ID of a person"),
        ("version: 2\nrotas:\n  here: {people: U0A}", "line 3: `here` is not a name"),
        ("version: 2\nrotas:\n  s: {people: U0A, turn: month}", "line 3: `turn` is `month`; it can be `day` or `week`"),
        (
            "version: 2\nrotas:\n  s: {people: U0A, handover: 09:00}",
            "line 3: `09:00` is not a handover such as mon 09:00",
        ),
        (
            "version: 2\nrotas:\n  s: {people: U0A, turn: day, handover: mon 09:00}",
            "line 3: `mon 09:00` is not a handover such as 09:00",
        ),
        ("version: 2\nrotas:\n  s: {people: U0A, away: {U0B: 2026-01-01}}", "line 3: `U0B` is not one of the rota's"),
        ("version: 2\nrotas:\n  s: {people: U0A, away: {U0A: 2026-01-02..2026-01-01}}", "line 3: `2026-01-02..2026"),
        # Templates and webhooks
        (
            "version: 2\ntemplates:\n  t: Hi {autor}",
            "line 3: the template `t`: `{autor}` is unknown; it can be {author}",
        ),
        ("version: 2\nwebhooks:\n  w: {url: http://example.com/secret}", "line 3: the `url` of `w` is not an address"),
        ("version: 2\nwebhooks:\n  w: {url: https://a:b@example.com/}", "line 3: the `url` of `w` is not an address"),
        ("version: 2\nwebhooks:\n  w: {url: https://example.com:x/}", "line 3: the `url` of `w` is not an address"),
        ("version: 2\nwebhooks:\n  w: {url: 'https://example.com/a b'}", "line 3: the `url` of `w` is not an address"),
        ("version: 2\nwebhooks:\n  w: {text: true}", "line 3: `w` needs `url`"),
        ("version: 2\nwebhooks:\n  w: {url: https://example.com, text: perhaps}", "line 3: `text` is `perhaps`"),
        # Rules
        ("version: 2\nrules: {}", "line 2: `rules` must be a list; each rule begins with `- `"),
        ("version: 2\nrules:\n  - when: {}", "line 3: rule 1 needs `then`"),
        ("version: 2\nrules:\n  - then: {}", "line 3: `then` is empty"),
        ("version: 2\nrules:\n  - then: {route: C0A}", "line 3: `route` is unknown; `then` has `tag`, `post`,"),
        ("version: 2\nrules:\n  - {then: {tag: eyes}, wenn: {}}", "line 3: `wenn` is unknown; rule 1 has `name`,"),
        ("version: 2\nrules:\n  - {then: {tag: ':eyes:'}}", "line 3: `:eyes:` is not the name of an emoji"),
        ("version: 2\nrules:\n  - {then: {post: billing}}", "line 3: `billing` is not the ID of a channel"),
        (
            "version: 2\nrules:\n  - {then: {mention: support}}",
            "line 3: `support` is not `here`, the ID of a user group",
        ),
        ("version: 2\nrules:\n  - {then: {reply: late}}", "line 3: `late` is not in `templates`; it is empty"),
        (
            "version: 2\ntemplates: {a: A}\nrules:\n  - {then: {reply: b}}",
            "line 4: `b` is not in `templates`; it has `a`",
        ),
        ("version: 2\nrules:\n  - {then: {assign: support}}", "line 3: `support` is not in `rotas`"),
        ("version: 2\nrules:\n  - {then: {webhook: [crm]}}", "line 3: `crm` is not in `webhooks`"),
        ("version: 2\nrules:\n  - {then: {escalate: {mention: here}}}", "line 3: `escalate` needs `after`"),
        ("version: 2\nrules:\n  - {then: {escalate: {after: 4d}}}", "line 3: `4d` is not a time from 1min to 3d"),
        ("version: 2\nrules:\n  - {then: {escalate: {after: 30}}}", "line 3: `30` is not a time"),
        ("version: 2\nrules:\n  - {then: {silent: true, post: C0A}}", "line 3: `silent: true` shows nothing in Slack"),
        ("version: 2\nrules:\n  - {then: {silent: yes}}", "line 3: `silent` is `yes`; it can be `true` or `false`"),
        ("version: 2\nrules:\n  - {when: {during: night}, then: {tag: eyes}}", "line 3: `night` is not in `hours`"),
        ("version: 2\nrules:\n  - {when: {team: them}, then: {tag: eyes}}", "line 3: `them` is not `ours`, `others`"),
        (
            "version: 2\nrules:\n  - {when: {category: []}, then: {tag: eyes}}",
            "line 3: a label of `category` is missing",
        ),
        ("version: 2\nrules:\n  - {when: {keywords: ['!']}, then: {tag: eyes}}", "line 3: `!` has no letter"),
        ("version: 2\nrules:\n  - {when: {keywords: []}, then: {tag: eyes}}", "line 3: a key word is missing"),
        ("version: 2\nrules:\n" + "  - {then: {tag: eyes}}\n" * 201, "line 3: there are 201 rules; 200 is the most"),
        ("version: 2\nrules: &a [*a]", "line 2: rule 1 must be a list of `key: value` lines"),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_what_would_be_right(text, fault):
    assert any(each.startswith(fault) for each in faults(text)), faults(text)


def test_the_address_of_a_webhook_is_in_no_problem_and_in_no_repr():
    [fault] = faults("version: 2\nwebhooks:\n  w: {url: http://example.com/secret}")

    assert "secret" not in fault
    assert "hooks" not in repr(parse_policy(NAMED).webhooks)
