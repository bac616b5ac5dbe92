"""Draws docs/images/architecture.svg from the compiled template: what is deployed, and who may call whom.

.venv/bin/python docs/architecture.py .serverless/cloudformation-template-update-stack.json
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

PICTURE = Path(__file__).parent / "images" / "architecture.svg"

# Pixels.
_WIDTH, _HEIGHT, _GAP, _LINE, _TOP = 200, 56, 140, 16, 76
_COLUMNS = ("outside", "entrances", "functions", "queues", "what they stand on")
_ENTRANCES = 1
_COLUMN_OF = {"AWS::SQS::Queue": 3, "AWS::DynamoDB::Table": 4, "AWS::S3::Bucket": 4, "AWS::SecretsManager::Secret": 4}
_KINDS = {
    "AWS::SQS::Queue": "SQS",
    "AWS::DynamoDB::Table": "DynamoDB",
    "AWS::S3::Bucket": "S3",
    "AWS::SecretsManager::Secret": "Secrets Manager",
}
_COLOURS = ("#1d6fb8", "#b3541e", "#2e7d32", "#7b3fa0", "#a3195b", "#6b5b00")
# What Lambda and CloudFormation need for themselves, and would hide the rest.
_LEFT_OUT = ("ServerlessDeploymentBucket",)


@dataclass(frozen=True, slots=True)
class Box:
    key: str
    column: int
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arrow:
    """From `source` to `target`; `owner` is the function whose colour it has."""

    source: str
    target: str
    owner: str


def read_boxes(resources: Mapping[str, Any]) -> Iterator[Box]:
    yield Box("slack", 0, "Slack", ("events, commands, buttons",))
    yield Box("browser", 0, "Browser, programs", ("demo page, PUT /blazingtext",))
    yield Box("api", _ENTRANCES, "REST API", ("API Gateway, throttled",))
    for name, each in _schedules(resources):
        yield Box(name, _ENTRANCES, "Clock", (each["Properties"]["ScheduleExpression"],))
    if any(each["Type"] == "AWS::CloudFront::Distribution" for each in resources.values()):
        yield Box("page", _ENTRANCES, "Demo page", ("CloudFront, HTTPS",))
    for name, function in _functions(resources):
        memory, seconds = function["MemorySize"], function["Timeout"]
        yield Box(name, 2, _short(name), (f"Lambda, {memory} MB, {seconds} s",))
    for name, each in resources.items():
        if each["Type"] in _COLUMN_OF and name not in _LEFT_OUT:
            column = _ENTRANCES if name == "SiteBucket" else _COLUMN_OF[each["Type"]]
            yield Box(name, column, name, (_KINDS[each["Type"]],))
    yield Box("endpoint", 4, "BlazingText endpoint", ("SageMaker, not in the stack",))
    alarms = sum(each["Type"] == "AWS::CloudWatch::Alarm" for each in resources.values())
    yield Box("AlarmTopic", 4, "AlarmTopic", (f"SNS, {alarms} alarms",))


def read_arrows(resources: Mapping[str, Any]) -> Iterator[Arrow]:
    functions = [name for name, _ in _functions(resources)]
    for name in functions:
        yield from (Arrow("api", name, name) for each in _integrations(resources) if each == name)
    for name, rule in _schedules(resources):
        yield from (Arrow(name, each, each) for each in functions if each in json.dumps(rule["Properties"]["Targets"]))
    for each in resources.values():
        if each["Type"] == "AWS::Lambda::EventSourceMapping":
            reader = each["Properties"]["FunctionName"]["Fn::GetAtt"][0]
            yield Arrow(each["Properties"]["EventSourceArn"]["Fn::GetAtt"][0], reader, reader)
    for name in functions:
        yield from (Arrow(name, target, name) for target in sorted(_called_by(resources, name)))
    for name, each in resources.items():
        if each["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in each["Properties"]:
            yield Arrow(name, each["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0], "")
    yield Arrow("slack", "api", "")
    yield Arrow("browser", "api", "")
    if any(each["Type"] == "AWS::CloudFront::Distribution" for each in resources.values()):
        yield Arrow("browser", "page", "")
        yield Arrow("page", "SiteBucket", "")


def _functions(resources: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, each["Properties"]) for name, each in resources.items() if each["Type"] == "AWS::Lambda::Function"]


def _schedules(resources: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, each) for name, each in resources.items() if each["Type"] == "AWS::Events::Rule"]


def _integrations(resources: Mapping[str, Any]) -> set[str]:
    methods = (each["Properties"] for each in resources.values() if each["Type"] == "AWS::ApiGateway::Method")
    return {
        part["Fn::GetAtt"][0]
        for each in methods
        for part in each["Integration"]["Uri"]["Fn::Join"][1]
        if "Fn::GetAtt" in part
    }


def _called_by(resources: Mapping[str, Any], function: str) -> Iterator[str]:
    """Give what a function's role lets it call, but for its log, and but for what Lambda does in its name."""
    role = resources[resources[function]["Properties"]["Role"]["Fn::GetAtt"][0]]["Properties"]
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            if "sagemaker:InvokeEndpoint" in actions:
                yield "endpoint"
            elif actions[0] != "sqs:ReceiveMessage" and not actions[0].startswith("logs:"):
                names = re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"|\$\{(\w+)\.', json.dumps(statement["Resource"]))
                yield from {first or second for first, second in names}


def _short(name: str) -> str:
    return name.removesuffix("LambdaFunction").lower()


def draw(template: Mapping[str, Any]) -> str:
    """Give the picture as SVG, the same for the same template."""
    resources = template["Resources"]
    boxes = list(dict.fromkeys(read_boxes(resources)))
    arrows = list(dict.fromkeys(read_arrows(resources)))
    places = _place(boxes)
    colours = dict(zip((name for name, _ in _functions(resources)), _COLOURS, strict=False))
    width = max(x for x, _ in places.values()) + _WIDTH + 30
    height = max(y for _, y in places.values()) + _HEIGHT + 30
    lines = [_draw_arrow(each, places, colours.get(each.owner, "#667085")) for each in arrows]
    shapes = [_draw_box(each, places[each.key], colours.get(each.key, "#344054")) for each in boxes]
    titles = [
        f'<text x="{30 + column * (_WIDTH + _GAP)}" y="40" class="column">{escape(title)}</text>'
        for column, title in enumerate(_COLUMNS)
    ]
    return "\n".join([_head(width, height, colours), *titles, *lines, *shapes, "</svg>", ""])


def _place(boxes: Sequence[Box]) -> dict[str, tuple[int, int]]:
    columns = [[box for box in boxes if box.column == column] for column in range(len(_COLUMNS))]
    tallest = max(len(each) for each in columns)
    places = {}
    for column, members in enumerate(columns):
        step = (_HEIGHT + 34) * tallest / len(members)
        for row, box in enumerate(members):
            y = _TOP + round(step * row + (step - _HEIGHT - 34) / 2)
            places[box.key] = (30 + column * (_WIDTH + _GAP), y)
    return places


def _head(width: int, height: int, colours: Mapping[str, str]) -> str:
    markers = "".join(
        f'<marker id="{colour[1:]}" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="{colour}"/></marker>'
        for colour in ["#667085", *dict.fromkeys(colours.values())]
    )
    style = (
        "text{font:13px system-ui,sans-serif;fill:#101828}.column{font-size:14px;fill:#667085}"
        ".title{font-weight:600}.line{font-size:12px;fill:#475467}path.arrow{fill:none;stroke-width:1.6}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img"><title>What is deployed, and who may call whom</title>'
        f'<style>{style}</style><defs>{markers}</defs><rect width="100%" height="100%" fill="#fff"/>'
    )


def _draw_box(box: Box, place: tuple[int, int], colour: str) -> str:
    x, y = place
    texts = "".join(
        f'<text x="{x + 12}" y="{y + 40 + _LINE * row}" class="line">{escape(line)}</text>'
        for row, line in enumerate(box.lines)
    )
    return (
        f'<g id="{escape(box.key)}"><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" fill="#f9fafb" '
        f'stroke="{colour}" stroke-width="1.6"/>'
        f'<text x="{x + 12}" y="{y + 23}" class="title">{escape(box.title)}</text>{texts}</g>'
    )


def _draw_arrow(arrow: Arrow, places: Mapping[str, tuple[int, int]], colour: str) -> str:
    (x1, y1), (x2, y2) = places[arrow.source], places[arrow.target]
    if x1 == x2:  # below each other
        middle, down = x1 + _WIDTH / 2, y2 > y1
        start, end = (y1 + _HEIGHT, y2) if down else (y1, y2 + _HEIGHT)
        path = f"M{middle:.0f} {start}V{end}"
    else:
        forward = x2 > x1
        a, b = (x1 + _WIDTH, x2) if forward else (x1, x2 + _WIDTH)
        # What a function reads arrives below what it sends.
        ya, yb = (y1 + 22, y2 + 22) if forward else (y1 + 40, y2 + 40)
        bend = (b - a) / 2
        path = f"M{a} {ya}C{a + bend:.0f} {ya} {b - bend:.0f} {yb} {b} {yb}"
    dashed = "" if x2 > x1 or x1 == x2 else ' stroke-dasharray="6 4"'
    return f'<path class="arrow" d="{path}" stroke="{colour}" marker-end="url(#{colour[1:]})"{dashed}/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), encoding="utf-8")
