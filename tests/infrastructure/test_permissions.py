"""The role of each function allows the calls that its code makes, and no others.

Method: from a handler, names are followed through the modules of its archive. A function, method or class counts as
used when something that is used mentions its name, and, if it calls it, with as many arguments as it takes; in what is
used, every call that is named after an operation of an AWS service that the archive makes clients of is an operation.
A name that is also a field of some class is taken for the field where it is not called.

This errs towards too many operations only where two things share name and number of arguments, and the roles are
compared with it in both directions. What AWS does in a function's name (logs, reading its queues) is added from the
template. That the roles name the right resources is shown by test_deployed.py, which holds each call of the running
system against them.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

from bot.sandbox.gateway import read_functions
from classifier_infra.packaging.reach import Reach, find_reach

ROOT = Path(__file__).parents[2]
FUNCTIONS = read_functions(ROOT / "serverless.yml").handlers

# Services whose permissions have another prefix than botocore's name.
PREFIXES = {"sagemaker-runtime": "sagemaker"}
# Operations that need another or a second permission: without ListBucket, S3 answers "forbidden" for a missing file.
PERMISSIONS = {
    "s3:HeadObject": {"s3:GetObject", "s3:ListBucket"},
    "s3:GetObject": {"s3:GetObject", "s3:ListBucket"},
    "s3:ListObjectsV2": {"s3:ListBucket"},
}
# A transaction needs the permissions of its parts.
IN_A_TRANSACTION = "dynamodb:TransactWriteItems"
WRITES = {"Put": "dynamodb:PutItem", "Update": "dynamodb:UpdateItem", "Delete": "dynamodb:DeleteItem"}
OF_LAMBDA_ITSELF = {"logs:CreateLogStream", "logs:PutLogEvents"}
TO_READ_A_QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}

pytestmark = pytest.mark.node


@dataclass(frozen=True)
class Use:
    """A name, alone or after a dot, and with how many arguments it is called: None where that cannot be told."""

    name: str
    after_dot: bool
    arguments: int | None


@dataclass(frozen=True)
class Definition:
    """A function, method or class, and what is used in it. `takes` is how many arguments it can be called with."""

    name: str
    is_method: bool
    takes: range
    uses: frozenset[Use]
    words: frozenset[str]

    def answers(self, use: Use) -> bool:
        if self.name != use.name or (self.is_method and not use.after_dot):
            return False
        return use.arguments is None or use.arguments in self.takes


ANY_NUMBER = range(1000)


def _definitions(tree: ast.Module) -> Iterator[Definition]:
    """Yield every definition; the code outside of all definitions is named ""."""
    outside: list[ast.AST] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [each for each in node.body if _is_function(each) and not each.name.startswith("__")]
            yield _define(node.name, False, ANY_NUMBER, [each for each in node.body if each not in methods])
            yield from (_define(each.name, True, _arity(each.args, bound=1), [each]) for each in methods)
        elif _is_function(node):
            yield _define(node.name, False, _arity(node.args, bound=0), [node])
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            outside.append(node)
    yield _define("", False, ANY_NUMBER, outside)


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _arity(arguments: ast.arguments, bound: int) -> range:
    positional = len(arguments.posonlyargs) + len(arguments.args) - bound
    least = positional - len(arguments.defaults) + arguments.kw_defaults.count(None)
    most = 999 if arguments.vararg or arguments.kwarg else positional + len(arguments.kwonlyargs)
    return range(least, most + 1)


def _define(name: str, is_method: bool, takes: range, nodes: Sequence[ast.AST]) -> Definition:
    inside = [each for node in nodes for each in ast.walk(node)]
    words = {each.value for each in inside if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return Definition(name, is_method, takes, frozenset(_uses(inside)), frozenset(words))


def _uses(nodes: Sequence[ast.AST]) -> Iterator[Use]:
    calls = [each for each in nodes if isinstance(each, ast.Call)]
    called = {id(each.func) for each in calls}
    for call in calls:
        starred = any(isinstance(each, ast.Starred) for each in call.args) or any(
            each.arg is None for each in call.keywords
        )
        count = None if starred else len(call.args) + len(call.keywords)
        if isinstance(call.func, ast.Name | ast.Attribute):
            yield _use(call.func, count)
    names = (each for each in nodes if isinstance(each, ast.Name | ast.Attribute) and id(each) not in called)
    yield from (_use(each, None) for each in names)


def _use(node: ast.Name | ast.Attribute, arguments: int | None) -> Use:
    return Use(node.id, False, arguments) if isinstance(node, ast.Name) else Use(node.attr, True, arguments)


def _fields(tree: ast.Module) -> Iterator[str]:
    """Return the fields of classes: such a name, if it is not called, means the value."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef():
                yield from (each.target.id for each in node.body if isinstance(each, ast.AnnAssign))


def _needed(reach: Reach) -> set[str]:
    """Return the permissions that the code behind a handler needs."""
    trees = [ast.parse(file.read_bytes()) for file in reach.sources.values()]
    definitions = [each for tree in trees for each in _definitions(tree)]
    fields = {name for tree in trees for name in _fields(tree)}
    used: set[Definition] = set()
    waiting = {Use("", False, None), Use("handler", False, None)}
    while waiting:
        found = {each for each in definitions if any(each.answers(use) for use in waiting)} - used
        used |= found
        uses = {use for each in found for use in each.uses}
        waiting = {use for use in uses if not (use.arguments is None and use.after_dot and use.name in fields)}
    called = {use.name for each in used for use in each.uses}
    words = {word for each in used for word in each.words}
    return {permission for service in reach.services for permission in _permissions(service, called, words)}


def _permissions(service: str, called: set[str], words: set[str]) -> Iterator[str]:
    paginated = words if "get_paginator" in called else set[str]()
    for operation in get_session().get_service_model(service).operation_names:
        if xform_name(operation) in called | paginated:
            name = f"{PREFIXES.get(service, service)}:{operation}"
            yield from PERMISSIONS.get(name, {name}) - {IN_A_TRANSACTION}
            yield from (each for word, each in WRITES.items() if name == IN_A_TRANSACTION and word in words)


def _statements(template, function: str) -> list[Mapping[str, Any]]:
    role = template.resources[_logical(function)]["Properties"]["Role"]["Fn::GetAtt"][0]
    policies = template.resources[role]["Properties"]["Policies"]
    return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]


def _logical(function: str) -> str:
    return f"{function.capitalize()}LambdaFunction"


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _queues_read_by(template, function: str) -> set[str]:
    return {
        each["EventSourceArn"]["Fn::GetAtt"][0]
        for each in template.of_type("AWS::Lambda::EventSourceMapping").values()
        if each["FunctionName"]["Fn::GetAtt"][0] == _logical(function)
    }


def _named(value: Any) -> set[str]:
    """Yield the logical ids that a value of the template refers to."""
    match value:
        case {"Ref": str(name)}:
            return {name}
        case {"Fn::GetAtt": [str(name), *_]}:
            return {name}
        case {"Fn::Sub": str(text)}:
            return {part.partition("}")[0].partition(".")[0] for part in text.split("${")[1:]} - {"AWS::Partition"}
        case dict():
            return {name for inner in value.values() for name in _named(inner)}
        case list():
            return {name for inner in value for name in _named(inner)}
    return set()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_allows_exactly_what_the_code_behind_the_handler_calls(template, function):
    allowed = {action for each in _statements(template, function) for action in _as_list(each["Action"])}
    implied = OF_LAMBDA_ITSELF | (TO_READ_A_QUEUE if _queues_read_by(template, function) else set())

    assert allowed == _needed(find_reach(ROOT, FUNCTIONS[function].rpartition(".")[0])) | implied


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_role_names_only_resources_of_its_functions_environment(template, function):
    variables = template.resources[_logical(function)]["Properties"]["Environment"]["Variables"]
    told = _named(variables) | _queues_read_by(template, function) | {f"{function.capitalize()}LogGroup"}
    for variable, secret in (("SLACK_SECRET_NAME", "SlackSecret"), ("SLACK_OAUTH_SECRET_NAME", "SlackOauthSecret")):
        if variable in variables:
            told.add(secret)
    if "ENDPOINT_NAME" in variables:
        told |= {"AWS::Region", "AWS::AccountId"}

    allowed = {name for each in _statements(template, function) for name in _named(each["Resource"])}
    assert allowed <= told


def test_tokens_are_written_by_the_one_function_that_reads_none_and_removed_by_the_worker_alone(template):
    allowed = {
        function: {
            action
            for each in _statements(template, function)
            if "InstallationsTable" in _named(each["Resource"])
            for action in _as_list(each["Action"])
        }
        for function in FUNCTIONS
    }

    assert {function: actions for function, actions in allowed.items() if actions} == {
        "oauth": {"dynamodb:PutItem", "dynamodb:UpdateItem"},
        "worker": {"dynamodb:GetItem", "dynamodb:DeleteItem"},
        "interactive": {"dynamodb:GetItem"},
        "scheduled": {"dynamodb:GetItem", "dynamodb:Scan"},
    }


def test_an_operation_is_found_through_a_method_and_not_where_nothing_uses_it(tmp_path: Path):
    package = tmp_path / "ours"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "entry.py").write_text(
        "from ours.table import Table\ndef handler(event, context):\n    Table().keep(event)\n"
    )
    (package / "table.py").write_text(
        "import boto3\n"
        "class Table:\n"
        "    def __init__(self):\n        self.client = boto3.client('dynamodb')\n"
        "    def keep(self, row):\n        self.client.put_item(Item=row)\n"
        "    def forget(self, row):\n        self.client.delete_item(Key=row)\n"
    )

    reach = find_reach(tmp_path, "ours.entry")

    assert _needed(reach) == {"dynamodb:PutItem"}
