"""Print the JSON Schema of a policy: `python -m bot.policy.parsing.schema > bot/policy.schema.json`."""

import json
import sys

from bot.policy.parsing.parser import GRAMMAR


def render() -> str:
    """Return the schema as JSON, with each section of the policy on one line."""
    schema = GRAMMAR.schema()
    sections = schema.pop("properties")
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Policy of Blazing Triage", **schema}
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(section)}" for key, section in sections.items())
    return "".join([json.dumps(head)[:-1], ', "properties": {\n', lines, "\n}}\n"])


if __name__ == "__main__":
    sys.stdout.write(render())
