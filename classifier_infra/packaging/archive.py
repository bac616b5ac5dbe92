"""The archive of each function in serverless.yml: which files it contains, and its reproducible zip."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import yaml

from classifier_infra.packaging.libraries import Files
from classifier_infra.packaging.runtime import PackagingError, compile_below

_MODEL = PurePosixPath("model")
# The environment variables whose values are files in the archive.
_FILE_VARIABLES = ("POLICY_FILE", "MODEL_MANIFEST", "PRICES_FILE")
_EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)  # that a zip can hold


@dataclass(frozen=True, slots=True)
class FunctionToPack:
    """A function of serverless.yml: its handler's module, and the files that its environment names."""

    name: str
    module: str
    data: tuple[PurePosixPath, ...]


def read_functions(serverless_yml: Path) -> Iterator[FunctionToPack]:
    functions = yaml.safe_load(serverless_yml.read_text(encoding="utf-8"))["functions"]
    for name, function in functions.items():
        environment = function["environment"]
        files = tuple(PurePosixPath(environment[key]) for key in _FILE_VARIABLES if key in environment)
        yield FunctionToPack(name, function["handler"].rpartition(".")[0], files)


def data_files(root: Path, model: Path, wanted: tuple[PurePosixPath, ...]) -> Files:
    """Find the files that a function reads, in the repository or in a model's folder. Raises PackagingError."""
    files: dict[PurePosixPath, Path] = {}
    for path in wanted:
        if path.parent == _MODEL:
            files |= _model_files(model)
        elif (root / path).is_file():
            files[path] = root / path
        else:
            raise PackagingError(f"serverless.yml names {path}, which does not exist")
    return files


def _model_files(model: Path) -> Files:
    files = {_MODEL / name: model / name for name in ("manifest.json", "model.tar.gz")}
    for file in files.values():
        if not file.is_file():
            raise PackagingError(f"{file} is missing; make a model with `make train-starter`, or name one with --model")
    return files


def with_bytecode(sources: Mapping[PurePosixPath, Path], folder: Path, python: Path | None) -> Files:
    """Copy the sources into `folder` and compile them there, if there is an interpreter for it."""
    for path, file in sources.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / path)
    if python:
        compile_below(folder, python)
    return {PurePosixPath(file.relative_to(folder).as_posix()): file for file in folder.rglob("*") if file.is_file()}


@dataclass(frozen=True, slots=True)
class Archive:
    """A written archive, with its sizes in bytes."""

    path: Path
    packed: int
    unpacked: int


def write_archive(files: Files, path: Path) -> Archive:
    """Write a zip whose bytes depend on paths and contents only, replacing `path` once the zip is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unpacked = 0
    with zipfile.ZipFile(unfinished, "w") as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(str(name), _EARLIEST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            content = files[name].read_bytes()
            zipped.writestr(entry, content)
            unpacked += len(content)
    unfinished.replace(path)
    return Archive(path, path.stat().st_size, unpacked)
