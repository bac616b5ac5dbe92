"""What code can be reached from a handler by its import statements, lazy ones included: an archive holds that much."""

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from classifier_infra.packaging.target import PackagingError

# How botocore, and boto3 around it, are asked for a client; the service is the first argument.
_MAKERS_OF_CLIENTS = ("client", "create_client")


@dataclass(frozen=True, slots=True)
class Reach:
    """What one handler needs.

    `sources` are our own files: path inside the archive → file. `foreign` are the dotted names that they import from
    libraries, and `services` the AWS services that they make clients of, as botocore calls them.
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
        name = waiting.pop()
        for each in _with_packages(name):
            file = _file_of(root, each)
            if file is None:
                foreign |= {each} - _known_by(root, each)
            elif each not in found:
                found[each] = file
                tree = _without_typing(ast.parse(file.read_bytes()))
                waiting += _imports(tree)
                services |= set(_services(tree))
    sources = {PurePosixPath(file.relative_to(root).as_posix()): file for file in found.values()}
    return Reach(sources, frozenset(foreign), frozenset(services))


def _with_packages(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _known_by(root: Path, name: str) -> set[str]:
    """Give `name` if it needs no library: it is Python's own, or a name in a module of ours."""
    package = name.partition(".")[0]
    return {name} if package in sys.stdlib_module_names or _file_of(root, package) else set()


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
            case ast.Call(ast.Attribute(attr=maker), [ast.Constant(str(service)), *_]) if maker in _MAKERS_OF_CLIENTS:
                yield service


class _OutsideTyping(ast.NodeTransformer):
    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        is_for_types = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return node.orelse if is_for_types else self.generic_visit(node)


def _without_typing(tree: ast.AST) -> ast.AST:
    return _OutsideTyping().visit(tree)  # type: ignore[no-any-return]
