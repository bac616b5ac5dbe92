"""The modules, libraries and AWS services that a handler's import statements reach, lazy imports included."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from classifier_infra.packaging.runtime import PackagingError

# The methods of boto3 and botocore that make a client; their first argument is the service.
_CLIENT_METHODS = ("client", "create_client")


@dataclass(frozen=True, slots=True)
class Reach:
    """The sources, libraries and services that one handler needs.

    `sources` are our own files: path inside the archive → file. `foreign` are the dotted names that they import from
    libraries, and `services` the AWS services that they make clients of, by botocore's names.
    """

    sources: Mapping[PurePosixPath, Path]
    foreign: frozenset[str]
    services: frozenset[str]


def find_reach(root: Path, module: str) -> Reach:
    """Follow the imports of `module`, a dotted name below the folder `root`. Raises PackagingError."""
    if _file_of(root, module) is None:
        raise PackagingError(f"there is no module {module} in {root}; see the handlers in serverless.yml")
    found: dict[str, Path] = {}
    foreign: set[str] = set()
    services: set[str] = set()
    waiting = [module]
    while waiting:
        for name in _with_packages(waiting.pop()):
            file = _file_of(root, name)
            if file is None and _is_foreign(root, name):
                foreign.add(name)
            elif file and name not in found:
                found[name] = file
                tree = _without_typing(ast.parse(file.read_bytes()))
                waiting += _imports(tree)
                services |= set(_services(tree))
    sources = {PurePosixPath(file.relative_to(root).as_posix()): file for file in found.values()}
    return Reach(sources, frozenset(foreign), frozenset(services))


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _is_foreign(root: Path, name: str) -> bool:
    package = name.partition(".")[0]
    return package not in sys.stdlib_module_names and _file_of(root, package) is None


def _file_of(root: Path, module: str) -> Path | None:
    path = root.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.is_file()), None)


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _services(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(attr=method), [ast.Constant(str(service)), *_]) if method in _CLIENT_METHODS:
                yield service


class _OutsideTyping(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if is_for_types else self.generic_visit(node)


def _without_typing(tree: ast.AST) -> ast.AST:
    return _OutsideTyping().visit(tree)  # type: ignore[no-any-return]
