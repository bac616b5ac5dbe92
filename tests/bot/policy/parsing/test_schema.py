"""The published schema and the parser agree on every document, except for what a schema cannot express."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import bot
from bot.policy.parsing import schema
from bot.policy.parsing.parser import PolicyError, parse_policy
from bot.sandbox import system

FOLDER = Path(bot.__file__).parent
SCHEMA = json.loads((FOLDER / "policy.schema.json").read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def find_problems(document: Any) -> list[str]:
    """Return the parser's problems with a document; every JSON text is YAML."""
    try:
        parse_policy(json.dumps(document))
    except PolicyError as error:
        return [problem.sentence for problem in error.problems]
    return []


class PlainLoader(yaml.SafeLoader):
    """A loader of words, whole numbers, booleans and null, as in editors: it does not convert dates."""


PlainLoader.yaml_implicit_resolvers = {}
for tag, pattern, first in [
    ("tag:yaml.org,2002:bool", r"true|false", "tf"),
    ("tag:yaml.org,2002:int", r"[0-9]+", "0123456789"),
    ("tag:yaml.org,2002:null", r"null|~|", ["n", "~", ""]),
]:
    PlainLoader.add_implicit_resolver(tag, re.compile(f"^(?:{pattern})$"), list(first))


def test_the_committed_schema_is_generated_from_the_parsers_grammar():
    committed = (FOLDER / "policy.schema.json").read_text(encoding="utf-8")

    assert committed == schema.render(), "python -m bot.policy.parsing.schema > bot/policy.schema.json"


def test_the_schema_is_valid():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", [FOLDER / "policy.yml", system.POLICY], ids=["shipped", "sandbox"])
def test_the_policies_of_the_project_are_valid_with_their_examples_and_without(path):
    text = path.read_text(encoding="utf-8")

    for each in (text, re.sub(r"^#(?!#| )", "", text, flags=re.MULTILINE)):
        document = yaml.load(each, PlainLoader)
        assert [error.message for error in VALIDATOR.iter_errors(document)] == []
        parse_policy(each)


# --- Valid documents, and documents with one mistake --------------------------------------------------------

NAMES = {
    "hours": {
        "office": {"zone": "Europe/Berlin", "open": {"mon-fri": ["09:00-12:00", "13:00-24:00"], "sat": "09:00-12:00"}}
    },
    "rotas": {"turns": {"people": ["U0A", "W0B"]}},
    "templates": {"late": "{author}: {label:tone}, {destination} and {assignee}"},
    "webhooks": {"crm": {"url": "https://example.com:8443/x?y=1"}},
}
WRONG: list[Any] = [None, "", "x y", "Ä", 7, 0, 1.5, True, [], {}, ["x y"], ["here", "C0A"], {"a": 1}, {"turns": 1}]
WRONG += [
    "{x}",
    "{author",
    "C0A",
    "U0A",
    "12:00",
    "mon 09:00",
    "here",
    "true",
    "2026-12-24",
    "http://example.com",
    "4d",
]


def one_of(*right: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(right)


def one_or_more(*right: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(right) | st.lists(st.sampled_from(right), min_size=1, max_size=3)


def parts(needed: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(needed, optional=optional)


def places(document: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place in a document: its container, and its key or index."""
    keys = list(document) if isinstance(document, dict) else range(len(document)) if isinstance(document, list) else []
    for key in keys:
        yield document, key
        yield from places(document[key])


@st.composite
def broken(draw: Any) -> Any:
    """Draw a valid document with one value replaced, removed or added."""
    document = json.loads(json.dumps(draw(DOCUMENTS)))
    holder, key = draw(st.sampled_from(list(places(document))))
    match draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"])):
        case "remove":
            del holder[key]
        case "add" if isinstance(holder[key], dict):
            holder[key][draw(st.sampled_from(["extra", "", "default", "C0A", "mon", "silent"]))] = draw(
                st.sampled_from(WRONG)
            )
        case _:
            holder[key] = draw(st.sampled_from(WRONG))
    return document


LABELS = one_or_more("billing", "no", 2024)
CHANNEL = one_of("C0A1", "G0B")
MENTIONS = one_or_more("here", "S0A", "U0A", "turns")
CONDITIONS = parts(
    {},
    {
        "category": LABELS,
        "channel": one_or_more("C0A1"),
        "team": one_or_more("ours", "others", "T0A", "E0A"),
        "during": st.just("office"),
        "outside": st.just("office"),
        "keywords": one_or_more("outage", "is down"),
    },
)
ACTIONS = parts(
    {"tag": one_or_more("eyes", "+1", 100)},
    {
        "post": CHANNEL,
        "mention": MENTIONS,
        "reply": st.just("late"),
        "assign": st.just("turns"),
        "escalate": parts({"after": one_of("30min", "3d")}, {"mention": MENTIONS, "to": CHANNEL}),
        "webhook": st.sampled_from(["crm", ["crm"], []]),
        "silent": st.just(False),
    },
) | parts({"silent": one_of(True, "true")}, {"webhook": st.just("crm")})
ROTAS = parts(
    {"people": one_or_more("U0A", "W0B")},
    {"zone": st.just("UTC"), "start": one_of("2026-01-05"), "away": st.just({})},
)
TURNS = st.sampled_from(
    [{}, {"turn": "day", "handover": "09:00"}, {"turn": "week", "handover": "mon 09:00"}, {"turn": "day"}]
)
SHORT_FORM = {
    "channels": st.dictionaries(one_of("default", "C0A1"), one_of("automatic", "off"), max_size=2),
    "routes": st.dictionaries(st.sampled_from(["billing", "technical"]), CHANNEL),
    "urgent": parts({"when": st.dictionaries(st.just("urgency"), LABELS), "mention": one_of("here", "S0A")}, {}),
    "unsure": one_of("ask", "silent"),
    "reactions": st.dictionaries(st.just("category"), st.dictionaries(st.just("billing"), one_of("eyes", 100))),
    "reaction_corrections": st.dictionaries(st.just("tone"), st.dictionaries(st.just("negative"), one_of("fire"))),
    "corrections": one_of("anyone", ["anyone"], "U0A", ["U0A", "U0B"], []),
    "intake": parts(
        {},
        {
            "small_talk": one_or_more("defaults", "moin"),
            "other_bots": one_or_more("B0A"),
            "other_organisations": one_of("read", "ignore"),
            "merge_seconds": one_of(0, 60, 9999),
        },
    ),
    "admin": CHANNEL,
    "limits": parts({}, {"channel_minute": one_of(1, 999_999_999), "endpoint_day": one_of(5)}),
}
LONG_FORM = {
    "match": one_of("first", "all"),
    "rules": st.lists(parts({"then": ACTIONS}, {"name": one_of("Outages", 1), "when": CONDITIONS}), max_size=3),
    **{section: st.just(NAMES[section]) for section in ("hours", "templates", "webhooks")},
    "rotas": st.tuples(ROTAS, TURNS).map(lambda drawn: {"turns": drawn[0] | drawn[1]}),
}
DOCUMENTS = parts({"version": one_of(1, "1")}, SHORT_FORM) | parts({"version": one_of(2, "2"), **LONG_FORM}, SHORT_FORM)


@given(DOCUMENTS)
def test_schema_and_parser_accept_valid_documents(document):
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []
    assert find_problems(document) == []


# What only the parser can check: undefined names, unknown time zones, days and hours out of order.
UNSEEN = re.compile(
    "is not in `|is not a time zone|or the name of a rota|is not one of the rota's|is not hours|is not a date"
)


@given(broken())
@settings(max_examples=500)
def test_schema_and_parser_refuse_the_same_documents(document):
    is_valid = VALIDATOR.is_valid(document)

    problems = find_problems(document)

    if is_valid:
        assert all(UNSEEN.search(problem) for problem in problems), problems
    else:
        assert problems, [error.message for error in VALIDATOR.iter_errors(document)]


# One with a word wherever a word or a list is allowed, one with lists.
WHOLE: list[dict[str, Any]] = [
    {
        "version": 2,
        "match": "all",
        "channels": {"default": "off", "C0A1": "automatic"},
        "routes": {"billing": "C0A1"},
        "unsure": "ask",
        "reactions": {"category": {"billing": "eyes"}},
        "reaction_corrections": {"tone": {"negative": "fire"}},
        "corrections": "U0A",
        "intake": {
            "small_talk": "moin", "other_bots": "B0A", "other_organisations": "read", "merge_seconds": 60,
        },
        "admin": "C0A1",
        "limits": {"channel_minute": 1, "endpoint_day": 5},
        "hours": {"office": {"zone": "UTC", "open": {"mon-fri": "09:00-12:00"}, "closed": "2026-12-24"}},
        "rotas": {
            "turns": {
                "people": "U0A", "zone": "UTC", "turn": "week", "handover": "mon 09:00", "start": "2026-01-05",
                "away": {"U0A": "2026-12-24"},
            }
        },
        "templates": NAMES["templates"],
        "webhooks": {"crm": {"url": "https://example.com", "text": True}},
        "rules": [
            {
                "name": "Outages",
                "when": {
                    "category": "billing", "channel": "C0A1", "team": "ours", "during": "office", "keywords": "outage",
                },
                "then": {
                    "tag": "eyes", "post": "C0A1", "mention": "here", "reply": "late", "assign": "turns",
                    "escalate": {"after": "3d", "mention": "here", "to": "C0A1"}, "webhook": "crm", "silent": False,
                },
            }
        ],
    },
    {
        "version": 1,
        "urgent": {"when": {"urgency": ["high"]}, "mention": "here"},
        "corrections": ["U0A"],
        "intake": {"small_talk": ["moin"], "other_bots": ["B0A"]},
    },
    {
        "version": 2,
        "hours": {"office": {"zone": "UTC", "open": {"sat": ["09:00-12:00"]}, "closed": ["2026-12-24"]}},
        "rotas": {"turns": {"people": ["U0A"], "away": {"U0A": ["2026-12-24..2026-12-26"]}}},
        "webhooks": NAMES["webhooks"],
        "rules": [
            {
                "when": {"outside": "office", "category": ["billing"], "keywords": ["outage"], "team": ["T0A"]},
                "then": {"tag": ["eyes"], "mention": ["turns"], "webhook": ["crm"], "escalate": {"after": "1h"}},
            }
        ],
    },
]  # fmt: skip


@pytest.mark.parametrize("document", WHOLE, ids=["words", "version 1", "lists"])
def test_schema_and_parser_refuse_the_same_values_at_every_place(document):
    assert VALIDATOR.is_valid(document)
    assert find_problems(document) == []

    for holder, key in places(document):
        right = holder[key]
        for wrong in WRONG:
            holder[key] = wrong
            is_valid, problems = VALIDATOR.is_valid(document), find_problems(document)
            seen = [problem for problem in problems if not UNSEEN.search(problem)]
            assert (seen == []) if is_valid else problems, (key, wrong, problems)
        holder[key] = right


@pytest.mark.parametrize(
    ("after", "is_right"),
    [
        *((each, True) for each in ("1min", "999min", "1000min", "4299min", "4319min", "4320min")),
        *((each, True) for each in ("1h", "10h", "69h", "72h", "1d", "3d")),
        *((each, False) for each in ("4321min", "4330min", "4400min", "5000min", "9999min", "10000min")),
        *((each, False) for each in ("73h", "80h", "100h", "9999h", "4d", "10d", "9999d")),
        *((each, False) for each in ("0min", "0h", "0d", "01d", "1.5h", "-1h", "3 d", "3D", "min", "3")),
    ],
)
def test_schema_and_parser_accept_escalations_within_three_days(after, is_right):
    document = {"version": 2, "rules": [{"then": {"escalate": {"after": after}}}]}

    assert VALIDATOR.is_valid(document) == is_right
    assert (find_problems(document) == []) == is_right


@pytest.mark.parametrize(
    "section",
    [
        {"rules": [{"then": {"reply": "late"}}]},
        {"rules": [{"when": {"during": "office"}, "then": {"tag": "eyes"}}]},
        {"hours": {"office": {"zone": "Europe/Atlantis", "open": {}}}},
        {"hours": {"office": {"zone": "UTC", "open": {"mon": "17:00-09:00"}}}},
        {"hours": {"office": {"zone": "UTC", "open": {}, "closed": "2026-02-30"}}},
        {"rotas": {"turns": {"people": "U0A", "away": {"U0B": "2026-01-01"}}}},
    ],
)
def test_the_parser_refuses_what_a_schema_cannot_express(section):
    document = {"version": 2, **section}

    assert VALIDATOR.is_valid(document)
    assert find_problems(document)
