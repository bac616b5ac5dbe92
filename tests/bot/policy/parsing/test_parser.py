import re
from contextlib import suppress
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot
from bot.policy.parsing.parser import PolicyError, load_policy, parse_policy
from bot.policy.policy import Intake, Limits, Policy, Urgent
from bot.policy.small_talk import PHRASES

WHOLE = """\
version: 1
channels:
  default: watch-only
  C0SUPPORT: automatic
routes:
  billing: C0BILLING
  no: C0GENERAL
urgent:
  when:
    urgency: [high, now]
    tone: furious
  mention: S0ONCALL
unsure: silent
reactions:
  category:
    billing: credit_card
corrections: [U0ANNA, U0BEN]
admin: C0ADMIN
limits:
  channel_minute: 30
  endpoint_day: 1000
intake:
  small_talk: [moin, on]
  other_bots: [B0FORM]
  other_organisations: ignore
  merge_seconds: 0
"""


def faults(text: str) -> list[str]:
    with pytest.raises(PolicyError) as raised:
        parse_policy(text)
    return [str(problem) for problem in raised.value.problems]


def test_every_section_is_parsed():
    assert parse_policy(WHOLE) == Policy(
        default_mode="watch-only",
        modes={"C0SUPPORT": "automatic"},
        # YAML takes an unquoted `no` for false; a category may well be called that.
        routes={"billing": "C0BILLING", "no": "C0GENERAL"},
        urgent=Urgent({"urgency": frozenset({"high", "now"}), "tone": frozenset({"furious"})}, "S0ONCALL"),
        unsure="silent",
        reactions={"category": {"billing": "credit_card"}},
        correctors=frozenset({"U0ANNA", "U0BEN"}),
        admin="C0ADMIN",
        limits=Limits(channel_minute=30, endpoint_day=1000),
        intake=Intake(("moin", "on"), frozenset({"B0FORM"}), "ignore", 0),
    )


def test_the_least_policy_suggests_everywhere_and_asks_when_unsure():
    assert parse_policy("version: 1") == Policy(default_mode="suggest", unsure="ask")


def test_the_shipped_policy_equals_the_minimal_one():
    shipped = Path(bot.__file__).with_name("policy.yml")

    assert load_policy(shipped) == Policy()


def test_the_shipped_policys_examples_are_valid_when_uncommented():
    shipped = Path(bot.__file__).with_name("policy.yml").read_text(encoding="utf-8")

    policy = parse_policy(re.sub(r"^#(?!#)", "", shipped, flags=re.MULTILINE))

    assert policy.modes == {"C0123SUPPORT": "automatic"}
    assert policy.routes == {"billing": "C0123BILLING", "technical": "C0123TECH"}
    assert policy.urgent == Urgent({"urgency": frozenset({"high"})}, "S0123ONCALL")
    assert policy.reactions == {"category": {"billing": "credit_card"}, "urgency": {"high": "rotating_light"}}
    assert policy.intake == Intake((*PHRASES, "moin", "danke schön"), frozenset({"B0123FORM"}))
    assert [rule.name for rule in policy.rules] == [
        "Outages at night page the person on call",
        "Billing goes round robin",
    ]
    assert (set(policy.hours), set(policy.rotas), set(policy.webhooks)) == ({"office"}, {"support"}, {"crm"})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "line 1: the policy is empty"),
        ("- version", "line 1: the policy must be a list of `key: value` lines"),
        ("channels: {}", "line 1: `version: 2` is missing"),
        ("version: 1\nadmin: anna", "line 2: `anna` is not the ID of a channel"),
        ("version: 1\nlimits:\n  hourly: 1", "line 3: `hourly` is unknown; `limits` has `channel_minute`"),
        ("version: 1\nlimits:\n  endpoint_day: 0", "line 3: `0` is not a whole number from 1"),
        ("version: 3", "line 1: `version` is `3`; it can be `1` or `2`"),
        ("version: 1\nchanels: {}", "line 2: `chanels` is unknown; it can be `version`, `channels`,"),
        ("version: 1\nchannels: C0SUPPORT", "line 2: `channels` must be a list of `key: value` lines"),
        ("version: 1\nchannels:\n  support: automatic", "line 3: `support` is not the ID of a channel"),
        ("version: 1\nchannels:\n  default: auto", "line 3: the mode of `default` is `auto`; it can be `automatic`,"),
        ("version: 1\nchannels:\n  default: [a]", "line 3: the mode of `default` must be one word"),
        ("version: 1\nroutes:\n  billing: '#billing'", "line 3: `#billing` is not the ID of a channel"),
        ("version: 1\nroutes:\n  a: C0A\n  a: C0B", "line 4: `a` is already given in line 3"),
        ("version: 1\nroutes:\n  a:", "line 3: `a` must be one word"),
        ("version: 1\nintake:\n  merge_seconds: -1", "line 3: `-1` is not a whole number of seconds"),
        ("version: 1\nintake:\n  other_bots: [form]", "line 3: `form` is not the ID of a bot"),
        ("version: 1\nintake:\n  other_organisations: no", "line 3: `other_organisations` is `no`; it can be `read`"),
        ("version: 1\nintake:\n  bots: []", "line 3: `bots` is unknown; `intake` has `small_talk`,"),
        ("version: 1\nurgent:\n  mention: here", "line 3: `urgent` needs `when`"),
        ("version: 1\nurgent:\n  when: {u: [h]}", "line 3: `urgent` needs `mention`"),
        (
            "version: 1\nurgent:\n  when: {u: h}\n  mention: anna",
            "line 4: `anna` is not `here`, the ID of a user group",
        ),
        ("version: 1\nurgent:\n  when: {u: h}\n  mention: here\n  who: me", "line 5: `who` is unknown"),
        ("version: 1\ncorrections: [U0ANNA, anna]", "line 2: `anna` is not the ID of a person"),
        ("version: 1\nunsure: maybe", "line 2: `unsure` is `maybe`; it can be `ask` or `silent`"),
        ("version: 1\nreactions:\n  c:\n    a: ':x:'", "line 4: `:x:` is not the name of an emoji"),
        ("version: 1\nroutes: [", "line 2: this is not YAML"),
        ("version: 1\n\troutes: x", "line 2: this is not YAML"),
        ("[" * 10_000, "line 1: this is not YAML, or is nested too deeply"),
        ("version: 1\n" + "#" * 100_000, "line 1: the policy is longer than"),
        ("version: 1\nroutes: *nowhere", "line 2: this is not YAML"),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_what_would_be_right(text, fault):
    assert any(each.startswith(fault) for each in faults(text)), faults(text)


def test_all_mistakes_are_reported_at_once_in_the_order_of_their_lines():
    text = dedent("""\
        version: 1
        routes:
          billing: billing
        unsure: perhaps
        channels:
          default: loud
        """)

    assert [fault.partition(":")[0] for fault in faults(text)] == ["line 3", "line 4", "line 6"]


@given(st.text() | st.text(alphabet="version: 1\n-[]{}&*!|>'\"#%@`?chanelsroutes,"))
def test_any_text_is_parsed_or_refused(text):
    with suppress(PolicyError):
        assert isinstance(parse_policy(text), Policy)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "policy.yml"
    path.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(PolicyError, match="UTF-8"):
        load_policy(path)
