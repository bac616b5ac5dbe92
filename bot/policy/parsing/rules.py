"""Grammar of a policy's rules: their conditions and actions."""

import re
from collections.abc import Iterator
from dataclasses import replace

import yaml

from bot.policy.keywords import read_words
from bot.policy.parsing.forms import (
    A_MENTION,
    CHANNEL_ID,
    EMOJI_NAME,
    Choice,
    Form,
    Many,
    Part,
    Record,
    Reference,
    Schema,
    Word,
)
from bot.policy.parsing.nodes import MENTION, NAME, Context, Problem, is_nothing, line_of, problem
from bot.policy.rules import OTHERS, OURS, Action, Condition, Escalation, Rule

# More than a person keeps track of; every message is tested against all of them.
MOST_RULES = 200

_MOST_NAME = 80
_MINUTES = {"min": 1, "h": 60, "d": 24 * 60}
# At most three days (4320min, 72h, 3d): a queue keeps messages for four.
_AFTER = re.compile(
    r"([1-9][0-9]{0,2}|[1-3][0-9]{3}|4[0-2][0-9]{2}|43[01][0-9]|4320)min|([1-9]|[1-6][0-9]|7[0-2])h|[1-3]d"
)
# The keys that a silent rule may have.
_INVISIBLE = ("webhook", "silent")


class _Mention(Word):
    def accepts(self, word: str, context: Context) -> bool:
        return super().accepts(word, context) or word in context.definitions.get("rotas", {})

    def describe(self) -> Schema:
        return {"type": ["string"], "pattern": f"^(?:{self.pattern.pattern}|{NAME.pattern})$"}


def _to_keyword(written: str) -> str:
    words = read_words(written)
    if not words.strip():
        raise ValueError("no word")
    return words


def _to_minutes(written: str) -> int:
    number = written.rstrip("minhd")
    return int(number) * _MINUTES[written.removeprefix(number)]


_MENTION = _Mention(
    f"is not {A_MENTION}, or the name of a rota",
    MENTION,
    description="here, the ID of a user group (S…) or of a person (U…), or the name of a rota",
)
_TEAM = Word(
    f"is not `{OURS}`, `{OTHERS}` or the ID of a workspace (T…) or organisation (E…)",
    re.compile(rf"{OURS}|{OTHERS}|[TE][A-Z0-9]{{2,}}"),
    description="ours, others, or the ID of a workspace or organisation: T0123ABCD",
)

CONDITION = Record(
    lambda channel=frozenset(), team=frozenset(), during=None, outside=None, keywords=(), **labels: Condition(
        labels, channel, team, during, outside, keywords
    ),
    {
        "channel": Many(CHANNEL_ID, "a channel", frozenset, some=True),
        "team": Many(_TEAM, "a team", frozenset, some=True),
        "during": Reference("hours", resolve=True),
        "outside": Reference("hours", resolve=True),
        "keywords": Many(
            Word("has no letter and no digit, so it is no key word", convert=_to_keyword), "a key word", some=True
        ),
    },
    others=Many(Word(), "a label of {name}", frozenset, some=True),
    description="Every key must hold. Keys other than these are facets of the classifier, with one or more labels.",
)

_ESCALATION = Record(
    lambda after, mention=(), to=None: Escalation(after, mention, to),
    {
        "after": Word(
            "is not a time from 1min to 3d, such as 30min or 4h",
            _AFTER,
            _to_minutes,
            description="30min, 4h, 1d; three days at most",
        ),
        "mention": Many(_MENTION, "who is mentioned"),
        "to": CHANNEL_ID,
    },
    required=("after",),
)


def _check_action(action: Part) -> Iterator[Problem]:
    if not action.entries and isinstance(action.node, yaml.MappingNode | yaml.ScalarNode):
        yield problem(action.node, "`then` is empty; a rule that does nothing to a message is `silent: true`")
    if action.values.get("silent") == "true":
        for key, entry in action.entries.items():
            if key not in _INVISIBLE:
                yield problem(entry.value, f"`silent: true` shows nothing in Slack, so `{key}` cannot be beside it")


ACTIONS = {
    "tag": Many(EMOJI_NAME, "a tag"),
    "post": CHANNEL_ID,
    "mention": Many(_MENTION, "who is mentioned"),
    "reply": Reference("templates", resolve=True),
    "assign": Reference("rotas"),
    "escalate": _ESCALATION,
    "webhook": Many(Reference("webhooks"), "`webhook`"),
    "silent": Choice(("true", "false")),
}
_ACTION = Record(
    lambda tag=(), post=None, mention=(), reply=None, assign=None, escalate=None, webhook=(), silent="false": Action(
        tag, post, mention, reply, assign, escalate, webhook, silent=silent == "true"
    ),
    ACTIONS,
    check=_check_action,
    extra={
        "type": "object",
        "minProperties": 1,
        "if": {"required": ["silent"], "properties": {"silent": {"enum": [True, "true"]}}},
        "then": {"properties": {key: False for key in ACTIONS if key not in _INVISIBLE}},
    },
)


def _check_rule(rule: Part) -> Iterator[Problem]:
    if len(rule.values.get("name", "")) > _MOST_NAME:
        fault = f"the name of {rule.name} is longer than {_MOST_NAME} characters"
        yield problem(rule.entries["name"].value, fault)


_RULE = Record(
    lambda then, name="", when=None: Rule(name, when or Condition(), then),
    {"name": Word(extra={"maxLength": _MOST_NAME}), "when": CONDITION, "then": _ACTION},
    required=("then",),
    check=_check_rule,
)


class Rules(Form):
    """The list of rules. A rule without a name is named after its number."""

    def read(self, node: yaml.Node, name: str, context: Context) -> tuple[Rule, ...]:
        if is_nothing(node):
            return ()
        if not isinstance(node, yaml.SequenceNode):
            context.report(node, "`rules` must be a list; each rule begins with `- `")
            return ()
        if len(node.value) > MOST_RULES:
            context.report(node, f"there are {len(node.value)} rules; {MOST_RULES} is the most")
            return ()
        return tuple(self._read_rules(node, context))

    def _read_rules(self, node: yaml.SequenceNode, context: Context) -> Iterator[Rule]:
        for number, item in enumerate(node.value, 1):
            rule = _RULE.read(item, f"rule {number}", context)
            if rule:
                yield replace(rule, name=rule.name or f"rule {number}", line=line_of(item))

    def describe(self) -> Schema:
        return {"type": ["array", "null"], "maxItems": MOST_RULES, "items": _RULE.schema()}
