"""The locked libraries, installed once for Lambda, and the files of them that an archive needs."""

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement

from classifier_infra.packaging.reach import Reach
from classifier_infra.packaging.runtime import PLATFORMS, PYTHON_VERSION, PackagingError, compile_below

# A folder for each AWS service, most of botocore's size; an archive contains those that its handler calls.
_SERVICES = PurePosixPath("botocore", "data")

Files = Mapping[PurePosixPath, Path]
"""Path inside the archive → file on this machine."""


class Libraries:
    """The libraries that are installed in `folder` for a platform."""

    def __init__(self, folder: Path, platform: str) -> None:
        self._folder = folder
        self._platform = platform
        self._installed = {_normal(each.name): each for each in distributions(path=[str(folder)])}

    def files_for(self, reach: Reach) -> Files:
        """Find the files of all libraries that a handler needs. Raises PackagingError."""
        paths = (path for each in self._needed(reach) for path in self._paths(self._installed[each]))
        return {path: self._folder / path for path in paths if _is_wanted(path, reach.services)}

    def _needed(self, reach: Reach) -> set[str]:
        needed: set[str] = set()
        waiting = list(self._imported(reach.foreign))
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                waiting += self._required_by(name)
        return needed

    def _imported(self, foreign: Iterable[str]) -> Iterator[str]:
        providers = self._providers()
        for name in foreign:
            if "." not in name and name not in providers:
                raise PackagingError(f"no library in requirements.txt has a module {name}; pin one in pyproject.toml")
            yield providers[name.partition(".")[0]]

    def _providers(self) -> dict[str, str]:
        """Map each top-level module to its library."""
        return {
            path.parts[0].partition(".")[0]: name
            for name, each in self._installed.items()
            for path in self._paths(each)
            if path.suffix in (".py", ".so") and len(path.parts) <= 2
        }

    def _required_by(self, name: str) -> Iterator[str]:
        machine = PLATFORMS[self._platform].partition("-")[0]
        target = {"python_version": PYTHON_VERSION, "platform_machine": machine, "sys_platform": "linux", "extra": ""}
        for text in self._installed[name].requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate(target):
                yield _normal(requirement.name)

    def _paths(self, library: Distribution) -> Iterator[PurePosixPath]:
        for listed in library.files or []:
            path = PurePosixPath(listed)
            if not _belongs_to_this_machine(path):
                yield path
                compiled = path.parent / "__pycache__" / f"{path.stem}.cpython-{PYTHON_VERSION.replace('.', '')}.pyc"
                if path.suffix == ".py" and (self._folder / compiled).is_file():
                    yield compiled


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _belongs_to_this_machine(path: PurePosixPath) -> bool:
    # Scripts (../../bin/…) name this machine's interpreter, and RECORD has their checksums.
    return ".." in path.parts or path.parts[0] == "bin" or "__pycache__" in path.parts or path.name == "RECORD"


def _is_wanted(path: PurePosixPath, services: frozenset[str]) -> bool:
    describes_service = path.is_relative_to(_SERVICES) and len(path.parts) > len(_SERVICES.parts) + 1
    return not describes_service or path.parts[len(_SERVICES.parts)] in services


def install_libraries(platform: str, requirements: Path, cache: Path, python: Path | None) -> Libraries:
    """Install the locked libraries for Lambda's platform, unless the folder `cache` already has them.

    `python` is an interpreter of Lambda's version that compiles them, or None for no bytecode. Raises PackagingError.
    """
    digest = hashlib.sha256(f"{PYTHON_VERSION} {python is not None}".encode() + requirements.read_bytes()).hexdigest()
    folder = cache / f"{platform}-{digest[:16]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(dir=cache, prefix="unfinished-"))
        try:
            _install(platform, requirements, unfinished)
            if python:
                compile_below(unfinished, python)
            if not folder.is_dir():
                unfinished.rename(folder)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return Libraries(folder, platform)


def _install(platform: str, requirements: Path, target: Path) -> None:
    command = [sys.executable, "-m", "uv", "pip", "install", "--requirements", str(requirements)]
    command += ["--target", str(target), "--python-version", PYTHON_VERSION, "--python-platform", PLATFORMS[platform]]
    command += ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    if not sys.stderr.isatty():
        command += ["--quiet"]
    if subprocess.run(command, check=False).returncode != 0:  # noqa: S603, our own command
        raise PackagingError("uv could not install the libraries; its output is above")
